"""A third evaluator, for tests alone: slow, plain, and written from the language's specification.

It looks at facts as they were told (not at records or tables), compares calendar days as days (not
as instants) and money as decimals (not as minor units), and knows the attributes by name.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import acos, ceil, cos, radians, sin
from typing import Any
from zoneinfo import ZoneInfo

from regulars.language.tree import (
    And,
    AtLeast,
    Boolean,
    Day,
    Filter,
    Literal,
    Moment,
    Node,
    Not,
    Number,
    Operator,
    Or,
    Parameter,
    Point,
    RelativeDay,
    Text,
)
from regulars.warehouse.facts import (
    CustomerFact,
    Fact,
    LineFact,
    OrderFact,
    ProductFact,
)

UNLIKE = {
    Operator.NE: Operator.EQ,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_MATCHES: Operator.MATCHES,
    Operator.IS_NULL: Operator.IS_NOT_NULL,
}


@dataclass
class Person:
    """A customer and all orders that were told of them."""

    fact: CustomerFact
    orders: list[OrderFact] = field(default_factory=list)


@dataclass
class World:
    """Everything told about a shop, with the surroundings of one question."""

    people: dict[str, Person]
    products: dict[str, ProductFact]
    as_of: datetime
    zone: ZoneInfo
    decimals: int
    sets: dict[tuple[str, str], set[str]]
    #: The thresholds of the RFM scores when the day began; found when needed.
    fifths: dict[str, list[Any]] | None = None

    @property
    def today(self) -> date:
        return self.as_of.astimezone(self.zone).date()

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()


def world(
    facts: Sequence[Fact],
    as_of: datetime,
    zone: ZoneInfo,
    decimals: int,
    sets: dict[tuple[str, str], set[str]],
) -> World:
    people: dict[str, Person] = {}
    products: dict[str, ProductFact] = {}
    for fact in facts:
        if isinstance(fact, CustomerFact):
            people[fact.customer_id] = Person(fact)
        elif isinstance(fact, ProductFact):
            products[fact.product_id] = fact
    for fact in facts:
        if isinstance(fact, OrderFact) and fact.customer_id is not None:
            people[fact.customer_id].orders.append(fact)
    return World(people, products, as_of, zone, decimals, sets)


def everybody(w: World, universe: str) -> set[str]:
    return {name for name, person in w.people.items() if exists(person, w, universe)}


def exists(person: Person, w: World, universe: str) -> bool:
    if universe == "buyers" and not counted(person, w):
        return False
    real = [order for order in person.orders if not order.is_test]
    added = person.fact.added_at
    if added is None and not real:
        return True
    began = [order.processed_at for order in real]
    if isinstance(added, datetime):
        began.append(added)
    return min(began) <= w.as_of


def members(node: Node, w: World, universe: str) -> set[str]:
    return {name for name in everybody(w, universe) if holds(node, w.people[name], w)}


def holds(node: Node, person: Person, w: World) -> bool:
    match node:
        case And(parts=parts):
            return all(holds(part, person, w) for part in parts)
        case Or(parts=parts):
            return any(holds(part, person, w) for part in parts)
        case Not(part=part):
            return not holds(part, person, w)
        case AtLeast(count=count, parts=parts):
            return [holds(part, person, w) for part in parts].count(True) >= count
        case Filter(operator=operator) if operator in UNLIKE:
            return not positive(node, UNLIKE[operator], person, w)
        case Filter(operator=operator):
            return positive(node, operator, person, w)
    raise AssertionError(node)


# -- comparisons -----------------------------------------------------------------------------------


def compare(operator: Operator, value: Any, operands: Sequence[Any]) -> bool:
    """Compare two things of one kind; a missing value meets nothing."""
    if operator is Operator.IS_NOT_NULL:
        return value is not None
    if value is None:
        return False
    first = operands[0]
    table: dict[Operator, Callable[[], bool]] = {
        Operator.EQ: lambda: value == first,
        Operator.CONTAINS: lambda: value == first,
        Operator.GT: lambda: value > first,
        Operator.GE: lambda: value >= first,
        Operator.LT: lambda: value < first,
        Operator.LE: lambda: value <= first,
        Operator.BETWEEN: lambda: first <= value <= operands[1],
        Operator.IN: lambda: value in operands,
    }
    return table[operator]()


def either(operator: Operator, value: Any, operands: Sequence[Any]) -> bool:
    if operator in UNLIKE:
        return not compare(UNLIKE[operator], value, operands)
    return compare(operator, value, operands)


def number(literal: Literal) -> Fraction:
    assert isinstance(literal, Number)
    return Fraction(literal.value)


def text(literal: Literal) -> str:
    if isinstance(literal, Text):
        return literal.value
    return str(int(number(literal)))


def on_day(literal: Literal, w: World) -> date:
    if isinstance(literal, Day):
        return literal.value
    if isinstance(literal, Moment):
        return literal.value.date()
    assert isinstance(literal, RelativeDay)
    if literal.unit == "d":
        return w.today + timedelta(days=literal.amount)
    if literal.unit == "w":
        return w.today + timedelta(weeks=literal.amount)
    months = literal.amount * (12 if literal.unit == "y" else 1)
    total = w.today.year * 12 + (w.today.month - 1) + months
    year, month = total // 12, total % 12 + 1
    return date(year, month, min(w.today.day, calendar.monthrange(year, month)[1]))


def dated(operator: Operator, instant: Any, operands: Sequence[Literal], w: World) -> bool:
    """Compare an instant with days and moments: whole days of the shop, whole seconds."""
    if instant is None:
        return compare(operator, None, ())
    if operator is Operator.IS_NOT_NULL:
        return True
    if operator is Operator.BETWEEN:
        low, high = operands
        return dated(Operator.GE, instant, [low], w) and dated(Operator.LE, instant, [high], w)
    literal = operands[0]
    if isinstance(literal, Moment):
        at = literal.value.replace(tzinfo=w.zone).astimezone(UTC)
        return compare(operator, instant.replace(microsecond=0), [at])
    return compare(operator, w.day(instant), [on_day(literal, w)])


def dated_either(operator: Operator, instant: Any, operands: Sequence[Literal], w: World) -> bool:
    if operator in UNLIKE:
        return not dated(UNLIKE[operator], instant, operands, w)
    return dated(operator, instant, operands, w)


# -- attributes ------------------------------------------------------------------------------------

PLAIN = {
    "customer_account_status": "account_status",
    "email_subscription_status": "email_subscription_status",
    "sms_subscription_status": "sms_subscription_status",
    "predicted_spend_tier": "predicted_spend_tier",
    "product_subscription_status": "product_subscription_status",
    "rfm_group": "rfm_group",
    "customer_language": "language",
}


def told(value: Any) -> Any:
    """A field that was not told is missing."""
    return None if value.__class__.__name__ == "Unset" else value


def positive(  # noqa: PLR0911
    f: Filter, operator: Operator, person: Person, w: World
) -> bool:
    name, fact = f.attribute, person.fact
    if name in PLAIN:
        return compare(
            operator, told(getattr(fact, PLAIN[name])), [text(one) for one in f.operands]
        )
    if name == "customer_email_domain":
        email = told(fact.email)
        domain = email.rpartition("@")[2].lower() if email and "@" in email else None
        return compare(operator, domain or None, [text(one) for one in f.operands])
    if name in {"segment", "csv_list"}:
        return fact.customer_id in w.sets[name, text(f.operands[0])]
    if name in {"customer_added_date", "first_order_date", "last_order_date"}:
        return dated(operator, instant_of(name, person, w), f.operands, w)
    if name in FIGURES:
        return compare(operator, FIGURES[name](person, w), [number(one) for one in f.operands])
    if name in SCORES or name == "computed_rfm_group":
        return ranked(f, operator, person, w)
    if name in LISTS:
        return contains(name, operator, person, f.operands)
    return others(f, operator, person, w)


def instant_of(name: str, person: Person, w: World) -> Any:
    if name == "customer_added_date":
        return told(person.fact.added_at)
    orders = [order.processed_at for order in counted(person, w)]
    if not orders:
        return None
    return min(orders) if name == "first_order_date" else max(orders)


def counted(person: Person, w: World) -> list[OrderFact]:
    kept = [
        order
        for order in person.orders
        if not order.is_test
        and order.processed_at <= w.as_of
        and not (order.cancelled_at is not None and order.cancelled_at <= w.as_of)
    ]
    return sorted(kept, key=lambda order: (order.processed_at, order.order_id))


def refunded(order: OrderFact, w: World) -> int:
    return sum(refund.amount for refund in order.refunds if refund.refunded_at <= w.as_of)


def money(amount: int, w: World) -> Fraction:
    return Fraction(amount, 10**w.decimals)


def spent(person: Person, w: World) -> Fraction:
    orders = counted(person, w)
    return money(sum(order.total_amount - refunded(order, w) for order in orders), w)


def average(person: Person, w: World) -> Fraction | None:
    count = len(counted(person, w))
    return spent(person, w) / count if count else None


def days_since(person: Person, w: World, pick: Callable[[list[date]], date]) -> int | None:
    days = [w.day(order.processed_at) for order in counted(person, w)]
    return (w.today - pick(days)).days if days else None


def interval(person: Person, w: World) -> Fraction | None:
    days = [w.day(order.processed_at) for order in counted(person, w)]
    return Fraction((days[-1] - days[0]).days, len(days) - 1) if len(days) > 1 else None


FIGURES: dict[str, Callable[[Person, World], Any]] = {
    "amount_spent": spent,
    "number_of_orders": lambda person, w: len(counted(person, w)),
    "average_order_value": average,
    "refunded_amount": lambda person, w: money(
        sum(refunded(order, w) for order in counted(person, w)), w
    ),
    "days_since_first_order": lambda person, w: days_since(person, w, min),
    "days_since_last_order": lambda person, w: days_since(person, w, max),
    "average_days_between_orders": interval,
}


# -- RFM: scores by fifths of those who had ordered when the day began ---------------------------

SCORES: dict[str, Callable[[Person, World], Any]] = {
    "rfm_recency_score": lambda person, w: w.day(counted(person, w)[-1].processed_at),
    "rfm_frequency_score": lambda person, w: len(counted(person, w)),
    "rfm_monetary_score": spent,
}
#: Recency down, frequency and spend together across.
GROUPS = """
5 NEW         NEW             ACTIVE          CHAMPIONS CHAMPIONS
4 PROMISING   PROMISING       ACTIVE          LOYAL     LOYAL
3 ALMOST_LOST NEEDS_ATTENTION NEEDS_ATTENTION LOYAL     LOYAL
2 ALMOST_LOST ALMOST_LOST     AT_RISK         AT_RISK   PREVIOUSLY_LOYAL
1 DORMANT     DORMANT         AT_RISK         AT_RISK   PREVIOUSLY_LOYAL
"""


def this_morning(w: World) -> World:
    """The same world at the last instant of the day before."""
    start = datetime(w.today.year, w.today.month, w.today.day, tzinfo=w.zone).astimezone(UTC)
    while w.day(start - timedelta(seconds=1)) == w.today:
        start -= timedelta(seconds=1)
    while w.day(start) != w.today:
        start += timedelta(seconds=1)
    return replace(w, as_of=start - timedelta(microseconds=1))


def find_fifths(w: World) -> dict[str, list[Any]]:
    """The ends of the fifths of those who had ordered when the day began."""
    morning = this_morning(w)
    ordered = [one for one in w.people.values() if counted(one, morning)]
    found = {}
    for name, figure in SCORES.items():
        values = sorted(figure(one, morning) for one in ordered)
        found[name] = [values[ceil(k * len(values) / 5) - 1] for k in range(1, 5) if values]
    return found


def score(name: str, person: Person, w: World) -> int | None:
    """How many fifths of the shop's customers a customer is above, and one."""
    if not counted(person, w):
        return None
    if w.fifths is None:
        w.fifths = find_fifths(w)
    if not w.fifths[name]:
        return 5 if name == "rfm_recency_score" else 1
    own = SCORES[name](person, w)
    return 1 + len([end for end in w.fifths[name] if own > end])


def ranked(f: Filter, operator: Operator, person: Person, w: World) -> bool:
    if f.attribute != "computed_rfm_group":
        return compare(operator, score(f.attribute, person, w), [number(x) for x in f.operands])
    recency, often, much = (score(name, person, w) for name in SCORES)
    group = "PROSPECTS"
    if recency is not None and often is not None and much is not None:
        line = GROUPS.split("\n")[6 - recency].split()
        group = line[int(Fraction(often + much, 2) + Fraction(1, 2))]
    return compare(operator, group, [text(one) for one in f.operands])


def city(address: Any) -> str | None:
    if not address.city:
        return None
    region = address.region_code
    front = region if region else address.country_code
    plain = address.city.replace(" ", "")
    return f"{front}-{plain}" if front else plain


LISTS: dict[str, Callable[[CustomerFact], list[str | None]]] = {
    "customer_tags": lambda fact: list(told(fact.tags) or ()),
    "customer_countries": lambda fact: [one.country_code for one in told(fact.addresses) or ()],
    "customer_regions": lambda fact: [one.region_code for one in told(fact.addresses) or ()],
    "customer_cities": lambda fact: [city(one) for one in told(fact.addresses) or ()],
    "companies": lambda fact: list(told(fact.company_ids) or ()),
}


def contains(name: str, operator: Operator, person: Person, operands: Sequence[Literal]) -> bool:
    labels = [label for label in LISTS[name](person.fact) if label is not None]
    if operator is Operator.IS_NOT_NULL:
        return bool(labels)
    return text(operands[0]).casefold() in [label.casefold() for label in labels]


def others(f: Filter, operator: Operator, person: Person, w: World) -> bool:  # noqa: PLR0911
    match f.attribute:
        case "metafields":
            return metafield(f, operator, person, w)
        case "anniversary":
            return anniversary(f, operator, person, w)
        case "orders_placed":
            return placed(f, person, w)
        case "products_purchased":
            return purchased(f, person, w)
        case "products_purchased_in_order":
            return in_order(f, person, w)
        case "store_credit_accounts":
            return credit(f, person, w)
        case "customer_within_distance":
            return near(f, person)
    raise AssertionError(f.attribute)


# -- functions -------------------------------------------------------------------------------------


def gap(order: OrderFact, orders: list[OrderFact], w: World) -> int | None:
    at = orders.index(order)
    if at == 0:
        return None
    return (w.day(order.processed_at) - w.day(orders[at - 1].processed_at)).days


def totals_hold(f: Filter, sums: dict[str, int | Fraction]) -> bool:
    asked = [one for one in f.parameters if one.name in sums]
    return all(
        either(one.operator, sums[one.name], [number(x) for x in one.operands]) for one in asked
    )


def placed(f: Filter, person: Person, w: World) -> bool:
    orders = counted(person, w)
    rows = [order for order in orders if all(order_row(p, order, orders, w) for p in f.parameters)]
    sums = {
        "count": len(rows),
        "sum_amount": money(sum(order.total_amount - refunded(order, w) for order in rows), w),
    }
    if any(one.name in sums for one in f.parameters):
        return totals_hold(f, sums)
    return bool(rows)


def order_row(p: Parameter, order: OrderFact, orders: list[OrderFact], w: World) -> bool:  # noqa: PLR0911
    at = orders.index(order)
    match p.name:
        case "count" | "sum_amount":
            return True
        case "date":
            return dated_either(p.operator, order.processed_at, p.operands, w)
        case "number" | "number_from_last":
            value = at + 1 if p.name == "number" else len(orders) - at
            return either(p.operator, value, [number(one) for one in p.operands])
        case "amount":
            value = money(order.total_amount - refunded(order, w), w)
            return either(p.operator, value, [number(one) for one in p.operands])
        case "refunded_amount":
            value = money(refunded(order, w), w)
            return either(p.operator, value, [number(one) for one in p.operands])
        case "days_since_previous":
            found = gap(order, orders, w)
            return either(p.operator, found, [number(one) for one in p.operands])
        case "tag" | "discount_code":
            return among(p, order.tags if p.name == "tag" else order.discount_codes)
    column = "source_name" if p.name == "source" else p.name
    return either(p.operator, getattr(order, column), [text(one) for one in p.operands])


def among(p: Parameter, labels: Sequence[str]) -> bool:
    wanted = {text(one).casefold() for one in p.operands}
    found = any(label.casefold() in wanted for label in labels)
    return not found if p.operator in UNLIKE else found


def purchased(f: Filter, person: Person, w: World) -> bool:
    orders = counted(person, w)
    rows = [
        (order, line)
        for order in orders
        for line in order.lines
        if all(line_row(p, order, line, orders, w) for p in f.parameters)
    ]
    sums = {
        "count": len({order.order_id for order, _ in rows}),
        "sum_quantity": sum(line.quantity for _, line in rows),
        "sum_amount": money(sum(line.amount for _, line in rows), w),
    }
    if any(one.name in sums for one in f.parameters):
        return totals_hold(f, sums)
    return bool(rows)


def line_row(  # noqa: PLR0911
    p: Parameter, order: OrderFact, line: LineFact, orders: list[OrderFact], w: World
) -> bool:
    product = w.products.get(line.product_id or "")
    match p.name:
        case "count" | "sum_quantity" | "sum_amount":
            return True
        case "date" | "number" | "number_from_last":
            return order_row(p, order, orders, w)
        case "quantity":
            return either(p.operator, line.quantity, [number(one) for one in p.operands])
        case "amount":
            return either(p.operator, money(line.amount, w), [number(one) for one in p.operands])
        case "tag":
            return among(p, product.tags if product else ())
        case "collection_id":
            collections = told(product.collections) or () if product else ()
            return among(p, [one for one, _ in collections])
        case "product_type" | "category":
            value = None
            if product is not None:
                value = product.product_type if p.name == "product_type" else product.category_id
            return either(p.operator, value, [text(one) for one in p.operands])
    column = "product_id" if p.name == "id" else p.name
    return either(p.operator, getattr(line, column), [text(one) for one in p.operands])


def credit(f: Filter, person: Person, w: World) -> bool:
    def meets(account: Any, p: Parameter) -> bool:
        if p.name == "balance":
            balance = Fraction(Decimal(account.balance))
            return either(p.operator, balance, [number(one) for one in p.operands])
        if p.name == "currency":
            return either(p.operator, account.currency, [text(one) for one in p.operands])
        column = {"next_expiry_date": "next_expiry_at", "last_credit_date": "last_credit_at"}
        return dated_either(p.operator, getattr(account, column[p.name]), p.operands, w)

    accounts = told(person.fact.store_credit) or ()
    return any(all(meets(account, p) for p in f.parameters) for account in accounts)


def near(f: Filter, person: Person) -> bool:
    given = {one.name: one for one in f.parameters}
    point = given["coordinates"].operands[0]
    assert isinstance(point, Point)
    limit = given.get("distance_km") or given["distance_mi"]
    most = float(number(limit.operands[0])) * (1.609344 if limit.name == "distance_mi" else 1)
    found = False
    for one in told(person.fact.addresses) or ():
        if one.latitude is not None and one.longitude is not None:
            away = great_circle((float(point.latitude), float(point.longitude)), one)
            found = found or (away < most if limit.operator is Operator.LT else away <= most)
    return found


def in_order(f: Filter, person: Person, w: World) -> bool:
    """Try every line of every order with every line of every later one."""
    orders = counted(person, w)
    for at, first in enumerate(orders):
        for later in orders[at + 1 :]:
            days = (w.day(later.processed_at) - w.day(first.processed_at)).days
            for one in first.lines:
                for other in later.lines:
                    if all(pair_row(p, one, other, later, days, w) for p in f.parameters):
                        return True
    return False


def pair_row(  # noqa: PLR0911
    p: Parameter, one: LineFact, other: LineFact, later: OrderFact, days: int, w: World
) -> bool:
    if p.name == "within_days":
        return compare(p.operator, days, [number(x) for x in p.operands])
    if p.name == "date":
        return dated_either(p.operator, later.processed_at, p.operands, w)
    side, _, name = p.name.partition("_")
    line = one if side == "first" else other
    if name in {"id", "variant_id", "vendor"}:
        value = line.product_id if name == "id" else getattr(line, name)
        return compare(p.operator, value, [text(x) for x in p.operands])
    product = w.products.get(line.product_id or "")
    if product is None:
        return False
    if name == "tag":
        return among(p, told(product.tags) or ())
    if name == "collection_id":
        ids = [number for number, _ in told(product.collections) or ()]
        return any(text(x) in ids for x in p.operands)
    return compare(p.operator, told(product.product_type), [text(x) for x in p.operands])


def great_circle(point: tuple[float, float], address: Any) -> float:
    """By the law of cosines, where the engine uses the haversine."""
    a, b = radians(point[0]), radians(address.latitude)
    apart = radians(address.longitude - point[1])
    cosine = sin(a) * sin(b) + cos(a) * cos(b) * cos(apart)
    return 6371.0088 * acos(max(-1.0, min(1.0, cosine)))


# -- metafields ------------------------------------------------------------------------------------


def metafield(f: Filter, operator: Operator, person: Person, w: World) -> bool:  # noqa: PLR0911
    found = {one.key: one for one in told(person.fact.metafields) or ()}.get(f.key or "")
    if found is None:
        return False
    if operator is Operator.IS_NOT_NULL:
        return True
    literal = f.operands[0]
    if operator is Operator.CONTAINS:
        return listed(found.type, found.value, literal)
    if found.type.startswith("list."):
        return False
    if isinstance(literal, Boolean):
        return found.type == "boolean" and found.value == str(literal.value).lower()
    if isinstance(literal, Number):
        value = as_number(found.value) if found.type.startswith("number_") else None
        return compare(operator, value, [number(one) for one in f.operands])
    if isinstance(literal, Text):
        plain = found.type not in {
            "number_integer",
            "number_decimal",
            "boolean",
            "date",
            "date_time",
        }
        return compare(operator, found.value if plain else None, [literal.value])
    if found.type == "date":
        return calendar_day(operator, as_date(found.value), f.operands, w)
    if found.type == "date_time":
        return dated(operator, as_instant(found.value), f.operands, w)
    return False


def calendar_day(
    operator: Operator, day: date | None, operands: Sequence[Literal], w: World
) -> bool:
    """Compare a day that has no zone: with days as days, with moments as its midnight."""
    if day is None:
        return False
    if operator is Operator.BETWEEN:
        low, high = operands
        return calendar_day(Operator.GE, day, [low], w) and calendar_day(
            Operator.LE, day, [high], w
        )
    if isinstance(operands[0], Moment):
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001
        return compare(operator, midnight, [operands[0].value])
    return compare(operator, day, [on_day(operands[0], w)])


def as_number(value: str) -> Fraction | None:
    try:
        return Fraction(Decimal(value))
    except ArithmeticError:
        return None


def as_date(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def as_instant(value: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def listed(type_: str, value: str, literal: Literal) -> bool:
    if not type_.startswith("list."):
        return False
    try:
        elements = json.loads(value)
    except ValueError:
        return False
    if isinstance(literal, Number):
        wanted = number(literal)
        return type_.startswith("list.number_") and any(Fraction(one) == wanted for one in elements)
    return not type_.startswith("list.number_") and text(literal) in elements


def anniversary(f: Filter, operator: Operator, person: Person, w: World) -> bool:
    found = {one.key: one for one in told(person.fact.metafields) or ()}.get(f.key or "")
    day = None
    if found is not None and found.type == "date":
        day = as_date(found.value)
    elif found is not None and found.type == "date_time":
        instant = as_instant(found.value)
        day = None if instant is None else w.day(instant)
    if day is None or operator is Operator.IS_NOT_NULL:
        return day is not None
    first, last = on_day(f.operands[0], w), on_day(f.operands[-1], w)
    if not any(isinstance(one, RelativeDay) for one in f.operands):
        # The years are ignored: go from the first day on until the last one's month and day.
        end = first
        goal = (last.month, last.day)
        while (end.month, end.day) != goal:
            end += timedelta(days=1)
            if (
                goal == (2, 29)
                and (end.month, end.day) == (2, 28)
                and not calendar.isleap(end.year)
            ):
                break
        last = end
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        current = date.fromordinal(ordinal)
        month, of_month = day.month, day.day
        if (month, of_month) == (2, 29) and not calendar.isleap(current.year):
            of_month = 28
        if (current.month, current.day) == (month, of_month):
            return True
    return False
