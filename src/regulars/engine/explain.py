"""Why: one customer against one query, node by node, as data.

Truth at each node, the customer's own value, the orders that prove it, the smallest change that
would turn it, and the day on which time alone will. Words are the web's work: everything here is
codes, numbers and instants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from regulars.engine.context import Context
from regulars.engine.customer import (
    annual_day,
    compile_question,
    count_of,
    figure_of,
    kilometres,
    paired_rows,
    row_value,
    rows_kept,
)
from regulars.engine.days import local_day
from regulars.engine.lowered import (
    Instants,
    Named,
    Near,
    Present,
    Question,
    Range,
    Steps,
    Texts,
    lower,
    only,
)
from regulars.engine.opened import Opened, open_up, whole
from regulars.engine.pasts import is_past_known
from regulars.engine.rfm import Standing, standing
from regulars.engine.times import Flips, flips
from regulars.engine.view import CountedOrder, View, labels_of
from regulars.language.catalogue import CATALOGUE
from regulars.language.rfm import WITHOUT_ORDERS
from regulars.language.shapes import (
    Annual,
    Distance,
    Events,
    Figure,
    Kind,
    Labels,
    Metafield,
    NamedSet,
    Rank,
    StoreCredit,
    Value,
)
from regulars.language.tree import And, AtLeast, Filter, Node, Not
from regulars.warehouse.record import CustomerRecord, LineRecord

#: Orders listed as evidence for one filter, newest first.
EVIDENCE_MAX = 20

Plain = str | int | float | Fraction | date | datetime


@dataclass(frozen=True, slots=True)
class Own:
    """What the customer has; `values` are empty where it is missing.

    `unit` is money (minor units), orders, pieces, days, day, text, set, km or accounts.
    """

    unit: str
    values: tuple[Plain, ...]

    @property
    def is_missing(self) -> bool:
        """Whether there is no value."""
        return not self.values


@dataclass(frozen=True, slots=True)
class Evidence:
    """One order that counts for the filter; `amount` is after refunds, `titles` of its lines."""

    order_id: str
    name: str | None
    processed_at: datetime
    day: date
    amount: int
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change that turns a filter.

    `code`: more, less (by `amount` of `unit`); later, earlier (by `amount` days); become,
    stop_being (the text or label `text`); gain, lose (any value); join, leave (the set `text`);
    nearer, farther (by `amount` km).
    """

    code: str
    unit: str
    amount: int | float | Fraction | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ExplainedNode:
    """One node of the query for one customer. All after `parts` are a filter's own.

    The part of a filter that names a segment is that segment's rule.
    `standing` is told for conditions on RFM scores, of customers who have ordered.
    """

    node: Node
    is_true: bool
    flips_on: date | None
    parts: tuple[ExplainedNode, ...] = ()
    own: Own | None = None
    evidence: tuple[Evidence, ...] = ()
    evidence_count: int = 0
    change: Change | None = None
    past_known: bool = True
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a customer is or is not a member at an instant.

    `flips_on` is the first day that time alone changes it. `turns` are the fewest filters that
    would have to change for membership to change. `unknown` are filters whose value at the instant
    is not known, so that the present one is shown.
    """

    customer_no: int
    customer_id: str
    as_of: datetime
    is_member: bool
    is_in_universe: bool
    root: ExplainedNode
    flips_on: date | None
    turns: tuple[ExplainedNode, ...]
    unknown: tuple[Filter, ...]


def explain(
    tree: Node, record: CustomerRecord, context: Context, *, now: datetime | None = None
) -> Explanation:
    """Explain one customer's membership at the context's instant.

    With `now`, filters whose past is unknown are marked when the instant is before it.
    """
    view = View(record, context.as_of)
    is_past = now is not None and context.as_of < now
    opened = open_up(tree, context)
    found = flips(whole(opened, context), view, context)
    root = _Explainer(view, context, found, is_past=is_past).node(opened)
    there = view.is_there(context.universe)
    unknown = tuple(_unknown(root))
    return Explanation(
        customer_no=record.customer_no,
        customer_id=record.customer_id,
        as_of=context.as_of,
        is_member=there and root.is_true,
        is_in_universe=there,
        root=root,
        flips_on=root.flips_on if there else None,
        turns=tuple(_turns(root)) if there else (),
        unknown=unknown,
    )


def own_and_change(
    leaf: Filter, record: CustomerRecord, context: Context
) -> tuple[Own, Change | None]:
    """Return a customer's own value for one filter, and the smallest change that turns it."""
    view = View(record, context.as_of)
    question, _ = lower(leaf, context)
    kind = CATALOGUE[leaf.attribute].kind
    holds = compile_question(question, context)(view)
    if isinstance(question.source, Events):
        rows = _rows_behind(question, question.source, view, context)
        own = _own_events(question, question.source.of, rows, context)
    else:
        own = own_value(question, kind, view, context)
    return own, change_of(question, own, context, holds=holds)


def _unknown(root: ExplainedNode) -> Iterator[Filter]:
    if isinstance(root.node, Filter) and not root.past_known:
        yield root.node
    for part in root.parts:
        yield from _unknown(part)


def _turns(found: ExplainedNode) -> list[ExplainedNode]:
    """Return the fewest filters whose change turns a node."""
    node = found.node
    if isinstance(node, Filter):
        return _turns(found.parts[0]) if found.parts else [found]
    each = [_turns(part) for part in found.parts]
    if isinstance(node, Not):
        return each[0]
    truths = [part.is_true for part in found.parts]
    if isinstance(node, AtLeast):
        needed = node.count
    else:
        needed = len(truths) if isinstance(node, And) else 1
    # To turn "at least k" on, k minus the true ones have to become true; to turn it off, the true
    # ones have to fall below k.
    count = sum(truths) - needed + 1 if found.is_true else needed - sum(truths)
    ways = [way for way, truth in zip(each, truths, strict=True) if truth is found.is_true]
    return [leaf for way in sorted(ways, key=len)[:count] for leaf in way]


class _Explainer:
    """Walks the tree in the order of the flips: depth first."""

    def __init__(self, view: View, context: Context, found: Flips, *, is_past: bool) -> None:
        self._view = view
        self._context = context
        self._found = iter(zip(found.truths, found.days, strict=True))
        self._is_past = is_past

    def node(self, opened: Opened) -> ExplainedNode:
        node = opened.node
        if isinstance(node, Filter) and opened.parts:
            return self._named(node, opened.parts[0])
        is_true, day = next(self._found)
        if isinstance(node, Filter):
            return self._filter(node, is_true=is_true, day=day)
        return ExplainedNode(node, is_true, day, tuple(map(self.node, opened.parts)))

    def _named(self, node: Filter, rule: Opened) -> ExplainedNode:
        """Explain a filter that names a segment by that segment's rule."""
        question, negated = lower(node, self._context)
        if negated:
            # The rule stands under a NOT, which is told before it.
            next(self._found)
        inner = self.node(rule)
        name = only(Named, question.test).name
        own = Own("set", (name,) if inner.is_true else ())
        return ExplainedNode(
            node,
            inner.is_true is not negated,
            inner.flips_on,
            (inner,),
            own=own,
            change=change_of(question, own, self._context, holds=inner.is_true),
        )

    def _filter(self, node: Filter, *, is_true: bool, day: date | None) -> ExplainedNode:
        attribute = CATALOGUE[node.attribute]
        question, negated = lower(node, self._context)
        rows = self._rows(question)
        own = self._own(question, attribute.kind, rows)
        orders = self._evidence(question, rows)
        return ExplainedNode(
            node,
            is_true,
            day,
            own=own,
            evidence=tuple(orders[:EVIDENCE_MAX]),
            evidence_count=len(orders),
            change=change_of(question, own, self._context, holds=is_true is not negated),
            past_known=not self._is_past or is_past_known(node, self._context),
            standing=self._standing(question),
        )

    def _standing(self, question: Question) -> Standing | None:
        if not isinstance(question.source, Rank):
            return None
        return standing_of(self._view, self._context)

    def _rows(self, question: Question) -> list[tuple[CountedOrder, LineRecord | None]]:
        source = question.source
        if not isinstance(source, Events):
            return []
        return _rows_behind(question, source, self._view, self._context)

    def _own(
        self, question: Question, kind: Kind, rows: Sequence[tuple[CountedOrder, LineRecord | None]]
    ) -> Own:
        if isinstance(question.source, Events):
            return _own_events(question, question.source.of, rows, self._context)
        return own_value(question, kind, self._view, self._context)

    def _evidence(
        self, question: Question, rows: Sequence[tuple[CountedOrder, LineRecord | None]]
    ) -> list[Evidence]:
        """Return the orders behind the value, newest first."""
        source = question.source
        if isinstance(source, Events):
            kept = {counted.order.order_id: counted for counted, _ in rows}
            orders = list(kept.values())
        elif isinstance(source, Figure | Rank) or (isinstance(source, Value) and source.rollup):
            orders = list(_orders_behind(source, self._view))
        else:
            orders = []
        titles: dict[str, list[str]] = {}
        for counted, line in rows:
            if line is not None and line.title:
                titles.setdefault(counted.order.order_id, []).append(line.title)
        return [
            _evidence_of(counted, titles.get(counted.order.order_id, ()), self._context)
            for counted in reversed(orders)
        ]


def _rows_behind(
    question: Question, source: Events, view: View, context: Context
) -> list[tuple[CountedOrder, LineRecord | None]]:
    """Return the kept rows of a function; of pairs, both of each pair."""
    if source.in_order:
        pairs = paired_rows(view, question, context.zone)
        rows = {(row[0].order.order_id, id(row[1])): row for pair in pairs for row in pair}
        return sorted(rows.values(), key=lambda row: row[0].number)
    return list(rows_kept(question.rows, source.of, context.zone)(view))


def _orders_behind(source: Figure | Rank | Value, view: View) -> Sequence[CountedOrder]:
    if isinstance(source, Rank):
        return view.orders[-1:] if source.of == "recency" else view.orders
    name = source.name if isinstance(source, Figure) else source.column
    if name in {"first_order_at", "days_since_first_order"}:
        return view.orders[:1]
    if name in {"last_order_at", "days_since_last_order"}:
        return view.orders[-1:]
    if name == "refunded_amount":
        return [counted for counted in view.orders if counted.refunded_amount]
    return view.orders


def _evidence_of(counted: CountedOrder, titles: Sequence[str], context: Context) -> Evidence:
    order = counted.order
    day = local_day(order.processed_at, context.zone)
    return Evidence(
        order.order_id, order.name, order.processed_at, day, counted.net_amount, tuple(titles)
    )


# -- the customer's own value ----------------------------------------------------------------------

_UNITS = {
    Kind.MONEY: "money",
    Kind.INTEGER: "orders",
    Kind.DECIMAL: "days",
    Kind.DAY: "day",
}


def own_value(question: Question, kind: Kind, view: View, context: Context) -> Own:  # noqa: PLR0911
    """Return what the customer has where a filter looks."""
    source, record = question.source, view.record
    match source:
        case Value(column=column):
            return _own_column(column, kind, view)
        case Figure(name=name):
            figure = figure_of(view, name, context.today, context.zone)
            unit = "money" if kind is Kind.MONEY else "days"
            return Own(unit, () if figure is None else (figure,))
        case Rank(of=of):
            return _own_rank(of, view, context)
        case Labels():
            return Own("text", tuple(labels_of(record, source)))
        case NamedSet(of=of):
            name = only(Named, question.test).name
            is_in = record.customer_no in context.named_set(of, name)
            return Own("set", (name,) if is_in else ())
        case Metafield():
            stored = record.metafields.get(question.key or "")
            return Own("text", () if stored is None else (stored[1],))
        case Annual():
            day = annual_day(record, question.key or "", context.zone)
            return Own("day", () if day is None else (day,))
        case StoreCredit():
            return Own(
                "accounts", tuple(f"{one.balance} {one.currency}" for one in record.store_credit)
            )
        case Distance():
            nearest = _nearest(only(Near, question.test), record)
            return Own("km", () if nearest is None else (nearest,))
    raise AssertionError(f"{source} has no value of its own")


def standing_of(view: View, context: Context) -> Standing | None:
    """Return the RFM scores of a customer; None without a counted order."""
    last = view.last_order_at
    if last is None:
        return None
    day = local_day(last, context.zone)
    return standing(day, view.order_count, view.spent_amount, context.rfm_thresholds())


def _own_rank(of: str, view: View, context: Context) -> Own:
    """Return what a score is made of, in its own unit, or the group."""
    found = standing_of(view, context)
    if of == "group":
        return Own("text", (WITHOUT_ORDERS if found is None else found.group,))
    unit = {"recency": "day", "frequency": "orders", "monetary": "money"}[of]
    if found is None:
        return Own(unit, ())
    values: dict[str, Plain | None] = {
        "recency": view.last_order_at,
        "frequency": view.order_count,
        "monetary": view.spent_amount,
    }
    value = values[of]
    return Own(unit, () if value is None else (value,))


def _own_column(column: str, kind: Kind, view: View) -> Own:
    sums: dict[str, Plain | None] = {
        "order_count": view.order_count + view.unseen("unseen_order_count"),
        "spent_amount": view.spent_amount + view.unseen("unseen_spent_amount"),
        "first_order_at": view.first_order_at,
        "last_order_at": view.last_order_at,
    }
    value = sums[column] if column in sums else view.record.values.get(column)
    return Own(_UNITS.get(kind, "text"), () if value is None else (value,))


def _own_events(
    question: Question,
    of: str,
    rows: Sequence[tuple[CountedOrder, LineRecord | None]],
    context: Context,
) -> Own:
    """Return the first total that the filter asks about, else how many orders have a kept row."""
    if question.sums:
        read = row_value(of, question.sums[0].column, context.zone)
        unit = "pieces" if question.sums[0].column == "quantity" else "money"
        return Own(unit, (sum(read(counted, line) for counted, line in rows),))
    return Own("orders", (count_of(rows),))


def _nearest(near: Near, record: CustomerRecord) -> float | None:
    found = [
        kilometres(near, place.latitude, place.longitude)
        for place in record.places
        if place.latitude is not None and place.longitude is not None
    ]
    return min(found, default=None)


# -- the smallest change ---------------------------------------------------------------------------


def change_of(  # noqa: PLR0911 - one line per shape
    question: Question, own: Own, context: Context, *, holds: bool
) -> Change | None:
    """Return what would turn the positive form of a filter; None where no single change would."""
    source, test = question.source, question.test
    if isinstance(source, Events):
        return _events_change(question, own, holds=holds)
    if isinstance(source, NamedSet):
        return Change("leave" if holds else "join", "set", text=only(Named, test).name)
    if isinstance(source, Rank) and source.of == "group":
        # Only an order moves somebody out of PROSPECTS; other groups have several ways out.
        is_first = isinstance(test, Present) and not holds
        return Change("more", "orders", 1) if is_first else None
    if isinstance(test, Present):
        return Change("lose" if holds else "gain", own.unit)
    if isinstance(test, Steps) and own.unit != "text":
        return _number_change(own, test.low, test.high, holds=holds)
    if isinstance(test, Range):
        return _range_change(own, test, holds=holds)
    if isinstance(test, Instants) and own.unit == "day":
        return _day_change(own, test, context, holds=holds)
    if isinstance(test, Texts):
        stored = _spelling(own, test, source, holds=holds)
        return Change("stop_being" if holds else "become", "text", text=stored)
    if isinstance(test, Near) and own.values and isinstance(own.values[0], float):
        off = own.values[0] - test.limit_km
        return Change("farther" if holds else "nearer", "km", abs(off))
    return None


def _spelling(own: Own, test: Texts, source: object, *, holds: bool) -> str:
    """Return the customer's own spelling of a label, else the query's."""
    if holds and isinstance(source, Labels):
        for value in own.values:
            if isinstance(value, str) and value.casefold() == test.values[0].casefold():
                return value
    return test.values[0]


def _events_change(question: Question, own: Own, *, holds: bool) -> Change | None:
    if isinstance(question.source, Events) and question.source.in_order:
        return None if holds else Change("gain", "orders")
    totals = [*question.sums, *question.counts]
    if not totals:
        found = own.values[0]
        amount = found if isinstance(found, int) and holds else 1
        return Change("less" if holds else "more", "orders", amount)
    test = only(Steps, totals[0].test)
    if len(totals) > 1:
        return None
    return _number_change(own, test.low, test.high, holds=holds is not totals[0].negated)


def _number_change(own: Own, low: int | None, high: int | None, *, holds: bool) -> Change | None:
    if not own.values or not isinstance(own.values[0], int):
        return None if holds else Change("gain", own.unit)
    value = own.values[0]
    if holds:
        ways = [] if high is None else [("more", high - value + 1)]
        # Nobody has fewer than no orders, pieces or money.
        if low is not None and low > 0:
            ways.append(("less", value - low + 1))
        code, amount = min(ways, key=lambda way: way[1], default=("", 0))
        return Change(code, own.unit, amount) if code else None
    if low is not None and high is not None and low > high:
        return None
    if low is not None and value < low:
        return Change("more", own.unit, low - value)
    return None if high is None else Change("less", own.unit, value - high)


def _range_change(own: Own, test: Range, *, holds: bool) -> Change | None:
    if not own.values or not isinstance(own.values[0], int | Fraction):
        return None if holds else Change("gain", own.unit)
    value = own.values[0]
    ways = [
        (code, abs(value - bound))
        for code, bound in (
            ("less" if holds else "more", test.low),
            ("more" if holds else "less", test.high),
        )
        if bound is not None and (holds or (value <= bound if code == "more" else value >= bound))
    ]
    if not ways:
        return None
    code, amount = min(ways, key=lambda way: way[1])
    return Change(code, own.unit, amount)


def _day_change(own: Own, test: Instants, context: Context, *, holds: bool) -> Change | None:
    if not own.values or not isinstance(own.values[0], datetime):
        return None if holds else Change("gain", own.unit)
    if test.start is not None and test.start == test.end:
        return None
    at = local_day(own.values[0], context.zone).toordinal()
    start = None if test.start is None else local_day(test.start, context.zone).toordinal()
    end = None if test.end is None else local_day(test.end, context.zone).toordinal()
    if holds:
        ways = []
        if start is not None:
            ways.append(("earlier", at - start + 1))
        if end is not None:
            ways.append(("later", end - at))
        code, amount = min(ways, key=lambda way: way[1], default=("", 0))
        return Change(code, "days", amount) if code else None
    if start is not None and at < start:
        return Change("later", "days", start - at)
    return None if end is None else Change("earlier", "days", at - end + 1)
