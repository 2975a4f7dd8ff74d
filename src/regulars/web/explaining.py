"""Why a customer belongs, in words: the engine's codes, numbers and days as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from regulars.engine import Explanation, RfmThresholds, Standing
from regulars.engine.explain import Change, Evidence, ExplainedNode, Own, Plain
from regulars.language import describe
from regulars.language.attributes import RFM_NAMES
from regulars.language.tree import And, AtLeast, Filter, Not
from regulars.web.i18n import N_, Localizer

#: What "AND", "OR" and the others ask of their parts.
_JOINED = {
    And: N_("All of these hold"),
    Not: N_("This does not hold"),
    AtLeast: N_("Enough of these hold"),
}

_CHANGES = {
    "more": N_("{amount} more would do"),
    "less": N_("{amount} less would change it"),
    "later": N_("{amount} later it would be different"),
    "earlier": N_("{amount} earlier it would be different"),
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
    #: Where the customer stands among all, with the thresholds; empty for other conditions.
    standing: Sequence[str] = ()
    past_known: bool = True


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
        own_text(node.own, say) if node.own else "",
        change_text(node.change, say) if node.change else "",
        say.day(node.flips_on) if node.flips_on else "",
        [_order(one, say) for one in node.evidence[:3]],
        [_reason(part, say) for part in node.parts],
        _standing(node.standing, say) if node.standing else (),
        node.past_known,
    )


def _standing(told: Standing, say: Localizer) -> Sequence[str]:
    scores = say(
        "Scores: recency {recency}, frequency {frequency}, spend {monetary} of 5 each: {group}",
        recency=told.recency,
        frequency=told.frequency,
        monetary=told.monetary,
        group=RFM_NAMES[told.group][say.language == "ja"],
    )
    return [scores, *threshold_lines(told.thresholds, say)]


def threshold_lines(told: RfmThresholds, say: Localizer) -> Sequence[str]:
    """Return the thresholds of RFM scores in words, one line for each score."""
    if not told.customer_count:
        return [say("Nobody had ordered when the day began, so whoever orders is new.")]
    return [
        say(
            "Recency: scores 2 to 5 begin after {days}",
            days=say.listed([say.day(day) for day in told.recency]),
        ),
        say(
            "Frequency: scores 2 to 5 begin above {counts} orders",
            counts=say.listed([say.number(count) for count in told.frequency]),
        ),
        say(
            "Spend: scores 2 to 5 begin above {amounts}",
            amounts=say.listed([say.money(amount) for amount in told.monetary]),
        ),
        say.ngettext(
            "Fifths of {count} customer who had ordered before {day}",
            "Fifths of {count} customers who had ordered before {day}",
            told.customer_count,
            count=say.number(told.customer_count),
            day=say.day(told.at),
        ),
    ]


def own_text(own: Own, say: Localizer) -> str:
    """Return what a customer has where a condition looks."""
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


def change_text(change: Change, say: Localizer) -> str:
    """Return the smallest change that turns a condition."""
    text = _CHANGES.get(change.code, "")
    if not text:
        return ""
    amount = "" if change.amount is None else _amount(change, change.amount, say)
    return say(text, amount=amount, text=change.text or "")


def _amount(change: Change, amount: float | Fraction, say: Localizer) -> str:
    if change.unit in _UNITS and change.unit != "km":
        return _value(change.unit, amount, say)
    return say.money(round(amount)) if change.unit == "money" else say.number(_rounded(amount))


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
