"""Why a customer belongs, in words: the engine's codes, numbers and days as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import TypeVar

from pydantic import BaseModel, Field

from regulars.engine import Explanation, RfmThresholds, Standing
from regulars.engine.explain import Change, Evidence, ExplainedNode, Own, Plain
from regulars.language import describe
from regulars.language.attributes import RFM_NAMES
from regulars.language.sentences import Titles, no_titles
from regulars.language.tree import And, AtLeast, Filter, Node, Not, Or, Text
from regulars.warehouse.record import CustomerRecord
from regulars.web.i18n import N_, Localizer

Tree = TypeVar("Tree", ExplainedNode, "ReasonOut")

#: Orders named with each condition where a person reads; the rest is counted.
_ORDERS_MAX = 3
_KINDS = {And: "and", Or: "or", Not: "not", AtLeast: "at_least", Filter: "filter"}
#: What "AND", "OR" and the others ask of their parts.
_JOINED = {
    And: N_("All of these hold"),
    Not: N_("This does not hold"),
    AtLeast: N_("At least {count} of these hold"),
}

_CHANGES = {
    "more": N_("{amount} more would do"),
    "less": N_("{amount} less would change it"),
    "later": N_("{amount} later it would be different"),
    "earlier": N_("{amount} earlier it would be different"),
    "become": N_("it would have to become “{text}”"),
    "stop_being": N_("it would have to stop being “{text}”"),
    "gain": N_("any value would do"),
    "lose": N_("having no value would change it"),
    "join": N_("joining “{text}” would change it"),
    "leave": N_("leaving “{text}” would change it"),
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


class OwnOut(BaseModel):
    """What the customer has where a condition looks."""

    unit: str = Field(description="money, orders, pieces, days, day, text, set, km or accounts.")
    values: list[str | int | float] = Field(
        description="Empty where there is none; money in minor units, instants as ISO texts."
    )
    text: str = Field(description="The same in words.")


class OrderOut(BaseModel):
    """One order that counts for a condition."""

    order_id: str
    name: str | None
    processed_at: datetime
    day: date = Field(description="The shop's day.")
    amount: int = Field(description="After refunds, in minor units.")
    titles: list[str] = Field(description="Of the lines that count.")
    text: str = Field(description="The same in words.")


class ChangeOut(BaseModel):
    """The smallest change that turns a condition."""

    code: str = Field(
        description="more, less, later, earlier, become, stop_being, gain, lose, join, leave,"
        " nearer or farther."
    )
    unit: str
    amount: float | None = Field(description="How much, in the unit; null where it is a text.")
    value: str | None = Field(description="The text, tag or set that it is about.")
    text: str = Field(description="The same in words.")


class ReasonOut(BaseModel):
    """One node of the query for one customer; `parts` are its own, each node told once."""

    id: int = Field(description="Place in the tree, depth first, the root 0.")
    kind: str = Field(description="and, or, not, at_least or filter.")
    segment: str | None = Field(
        description="The segment that the query names, where this node is of that one's rule."
    )
    start: int = Field(
        description="Where it stands in the query, or in the rule of `segment`, in characters."
    )
    length: int
    is_true: bool
    flips_on: date | None = Field(description="The first day that turns it by time alone.")
    sentence: str
    own: OwnOut | None = Field(description="Of filters only, as is all that follows.")
    change: ChangeOut | None
    orders: list[OrderOut] = Field(description="The newest that count, at most 20.")
    order_count: int = Field(description="How many count in all.")
    standing: list[str] = Field(description="RFM scores and thresholds in words, if they matter.")
    past_known: bool = Field(description="False: today's value stands for a past one.")
    parts: list[ReasonOut] = Field(
        description="Of a condition that names a segment: that segment's rule."
    )

    @property
    def shown_orders(self) -> list[OrderOut]:
        """The few that are named where a person reads."""
        return self.orders[:_ORDERS_MAX]

    @property
    def hidden_count(self) -> int:
        """How many more there are."""
        return self.order_count - len(self.shown_orders)


def reason(explained: Explanation, say: Localizer, titles: Titles = no_titles) -> ReasonOut:
    """Return the tree of an explanation in the reader's language."""
    return _Teller(say, titles).node(explained.root)


def name_of(record: CustomerRecord) -> str:
    """Return what a customer is called: the name, else the address, else the id."""
    values = record.values
    return str(values.get("display_name") or values.get("email") or record.customer_id)


def turning(explained: Explanation, root: ReasonOut) -> list[ReasonOut]:
    """Return the fewest conditions whose change would turn the whole."""
    wanted = {id(one) for one in explained.turns}
    told = zip(_walk(explained.root), _walk(root), strict=True)
    return [line for node, line in told if id(node) in wanted]


def _walk(root: Tree) -> Iterator[Tree]:
    yield root
    for part in root.parts:
        yield from _walk(part)


class _Teller:
    """Puts nodes into words, and gives each its number."""

    def __init__(self, say: Localizer, titles: Titles) -> None:
        self._say = say
        self._titles = titles
        self._told = 0

    def node(self, node: ExplainedNode, segment: str | None = None) -> ReasonOut:
        at, self._told = self._told, self._told + 1
        span, say = node.node.span, self._say
        inside = segment
        if isinstance(node.node, Filter) and node.parts:
            inside = name_in(node.node)
        return ReasonOut(
            id=at,
            kind=_KINDS[type(node.node)],
            segment=segment,
            start=span.start,
            length=span.end - span.start,
            is_true=node.is_true,
            flips_on=node.flips_on,
            sentence=self._sentence(node.node),
            own=own_out(node.own, say) if node.own else None,
            change=change_out(node.change, say) if node.change else None,
            orders=[_order(one, say) for one in node.evidence],
            order_count=node.evidence_count,
            standing=_standing(node.standing, say) if node.standing else [],
            past_known=node.past_known,
            parts=[self.node(part, inside) for part in node.parts],
        )

    def _sentence(self, node: Node) -> str:
        if isinstance(node, Filter):
            return describe(node, self._say.language, self._say.currency, self._titles)
        count = node.count if isinstance(node, AtLeast) else 1
        return self._say(_JOINED.get(type(node), N_("At least one of these holds")), count=count)


def name_in(leaf: Filter) -> str:
    """Return the name of the segment that a condition names."""
    return next(one.value for one in leaf.operands if isinstance(one, Text))


def placed(sentence: str, segment: str | None, say: Localizer) -> str:
    """Return a condition in words, with the segment in whose rule it stands."""
    if segment is None:
        return sentence
    return say("{sentence} (a condition of “{name}”)", sentence=sentence, name=segment)


def own_out(own: Own, say: Localizer) -> OwnOut:
    """Tell what a customer has, as values and in words."""
    return OwnOut(
        unit=own.unit,
        values=[_plain(one) for one in own.values],
        text=own_text(own, say),
    )


def _plain(value: Plain) -> str | int | float:
    if isinstance(value, Fraction):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def change_out(change: Change, say: Localizer) -> ChangeOut:
    """Tell the smallest change, as codes and in words."""
    return ChangeOut(
        code=change.code,
        unit=change.unit,
        amount=None if change.amount is None else float(change.amount),
        value=change.text,
        text=change_text(change, say),
    )


def _standing(told: Standing, say: Localizer) -> list[str]:
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
    if own.unit == "set":
        return say("not in it") if own.is_missing else say("in it")
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


def _order(one: Evidence, say: Localizer) -> OrderOut:
    places = {
        "name": one.name or one.order_id,
        "day": say.day(one.day),
        "amount": say.money(one.amount),
    }
    if one.titles:
        titles = say.listed(one.titles[:3])
        text = say("{name}, {day}: {amount} ({titles})", **places, titles=titles)
    else:
        text = say("{name}, {day}: {amount}", **places)
    return OrderOut(
        order_id=one.order_id,
        name=one.name,
        processed_at=one.processed_at,
        day=one.day,
        amount=one.amount,
        titles=list(one.titles),
        text=text,
    )


def _rounded(value: float | Fraction) -> float:
    number = float(value)
    return int(number) if number == int(number) else round(number, 1)
