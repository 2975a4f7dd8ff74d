"""Why a customer belongs, in words: the engine's codes, numbers and days as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from regulars.engine import Explanation
from regulars.engine.explain import Change, Evidence, ExplainedNode, Own, Plain
from regulars.language import describe
from regulars.language.tree import And, AtLeast, Filter, Not
from regulars.web.i18n import N_, Localizer

#: What "AND", "OR" and the others ask of their parts.
_JOINED = {
    And: N_("All of these hold"),
    Not: N_("This does not hold"),
    AtLeast: N_("Enough of these hold"),
}

_AMOUNTS_MORE = {
    "money": N_("{amount} more would do"),
    "orders": N_("{amount} more orders would do"),
    "pieces": N_("{amount} more pieces would do"),
    "days": N_("{amount} more days would do"),
}
_AMOUNTS_LESS = {
    "money": N_("with {amount} less it would change"),
    "orders": N_("with {amount} fewer orders it would change"),
    "pieces": N_("with {amount} fewer pieces it would change"),
    "days": N_("with {amount} fewer days it would change"),
}
_OTHER_CHANGES = {
    "later": N_("{amount} days later it would be different"),
    "earlier": N_("{amount} days earlier it would be different"),
    "become": N_('it would have to become "{text}"'),
    "stop_being": N_('it would have to stop being "{text}"'),
    "gain": N_("any value would do"),
    "lose": N_("having no value would change it"),
    "join": N_('joining "{text}" would change it'),
    "leave": N_('leaving "{text}" would change it'),
    "nearer": N_("{amount} km nearer would do"),
    "farther": N_("{amount} km farther away would change it"),
}
_UNITS = {
    "orders": (N_("{count} order"), N_("{count} orders")),
    "pieces": (N_("{count} piece"), N_("{count} pieces")),
    "days": (N_("{count} day"), N_("{count} days")),
    "accounts": (N_("{count} account"), N_("{count} accounts")),
    "km": (N_("{count} km"), N_("{count} km")),
}


@dataclass(frozen=True)
class Reason:
    """One line of the tree."""

    text: str
    holds: bool
    own: str
    change: str
    flips_on: str
    orders: Sequence[str]
    parts: Sequence[Reason]


def reasons(explained: Explanation, say: Localizer) -> Reason:
    """Return the tree of an explanation in the reader's language."""
    return _reason(explained.root, say)


def _reason(node: ExplainedNode, say: Localizer) -> Reason:
    if isinstance(node.node, Filter):
        text = describe(node.node, say.language, say.currency)
    else:
        text = say(_JOINED.get(type(node.node), N_("At least one of these holds")))
    return Reason(
        text,
        node.is_true,
        _own(node.own, say) if node.own else "",
        _change(node.change, say) if node.change else "",
        say.day(node.flips_on) if node.flips_on else "",
        [_order(one, say) for one in node.evidence[:3]],
        [_reason(part, say) for part in node.parts],
    )


def _own(own: Own, say: Localizer) -> str:
    if own.is_missing:
        return say("no value")
    listed = [_value(own.unit, one, say) for one in own.values[:8]]
    return say.listed(listed)


def _value(unit: str, value: Plain, say: Localizer) -> str:
    if isinstance(value, datetime):
        return say.instant(value)
    if isinstance(value, date):
        return say.day(value)
    if isinstance(value, str):
        return value
    if unit == "money":
        return say.money(round(value))
    if unit in _UNITS:
        one, many = _UNITS[unit]
        rounded = _rounded(value)
        plain = int(rounded) if rounded == int(rounded) else 2
        return say.ngettext(one, many, plain, count=say.number(rounded))
    return say.number(_rounded(value))


def _change(change: Change, say: Localizer) -> str:
    if change.code == "more":
        text = _AMOUNTS_MORE.get(change.unit, N_("{amount} more would do"))
    elif change.code == "less":
        text = _AMOUNTS_LESS.get(change.unit, N_("with {amount} less it would change"))
    else:
        text = _OTHER_CHANGES.get(change.code, "")
    if not text:
        return ""
    amount = ""
    if change.amount is not None:
        amount = (
            say.money(round(change.amount))
            if change.unit == "money"
            else say.number(_rounded(change.amount))
        )
    return say(text, amount=amount, text=change.text or "")


def _order(one: Evidence, say: Localizer) -> str:
    titles = say.listed(one.titles[:3])
    name = one.name or one.order_id
    if titles:
        return say(
            "{name}, {day}: {amount} ({titles})",
            name=name,
            day=say.day(one.day),
            amount=say.money(one.amount),
            titles=titles,
        )
    return say(
        "{name}, {day}: {amount}", name=name, day=say.day(one.day), amount=say.money(one.amount)
    )


def _rounded(value: float | Fraction) -> float:
    number = float(value)
    return int(number) if number == int(number) else round(number, 1)
