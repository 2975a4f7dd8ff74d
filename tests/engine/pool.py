"""Random shops and random queries that hit them: dates on day edges, texts that need care."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from regulars.language.catalogue import (
    CATALOGUE,
    Attribute,
    Distance,
    Kind,
    Metafield,
    ParameterRow,
    Role,
    Unavailable,
)
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
    AddressFact,
    CustomerFact,
    Fact,
    LineFact,
    MetafieldFact,
    OrderFact,
    ProductFact,
    RefundFact,
    StoreCreditFact,
)

#: Ordinary zones, the two ends of the world, a half-hour change, and changes at midnight.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Asia/Tokyo",
        "America/New_York",
        "Europe/Berlin",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Africa/Cairo",
        "Asia/Kathmandu",
    )
]
TEXTS = ["VIP", "vip", "Straße", "STRASSE", "50%_off", "O'Brien", "", "ΣΑΣ", "\\", "ja", "ふじ"]
#: Days on which something happens: month ends, 29 February, clock changes, new year.
DAYS = [
    date(2018, 11, 4),
    date(2023, 2, 28),
    date(2023, 3, 12),
    date(2023, 4, 28),
    date(2023, 10, 29),
    date(2023, 12, 31),
    date(2024, 1, 1),
    date(2024, 1, 31),
    date(2024, 2, 28),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(2024, 3, 10),
    date(2024, 3, 31),
]
TOLD_AT = datetime(2018, 1, 1, tzinfo=UTC)


def edge(chance: random.Random) -> datetime:
    """An instant at, just before or just after a midnight of some zone, or at any time of a day."""
    day = chance.choice(DAYS)
    zone = chance.choice(ZONES)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    off = chance.choice([0, -1, 1, 3600, -3600, chance.randrange(86_400)])
    return midnight + timedelta(seconds=off)


def random_facts(seed: int, customers: int) -> list[Fact]:
    """Tell of a shop with this many customers; the same seed tells the same."""
    chance = random.Random(seed)
    facts: list[Fact] = [_product(chance, number) for number in range(1, 6)]
    for number in range(customers):
        facts.append(_customer(chance, f"c{number:03}"))
        count = chance.choice([0, 0, 1, 1, 2, 3, 5, 8])
        facts.extend(
            _order(chance, f"c{number:03}", f"{number:03}{index:02}") for index in range(count)
        )
    return facts


def _product(chance: random.Random, number: int) -> ProductFact:
    return ProductFact(
        product_id=str(number),
        updated_at=TOLD_AT,
        product_type=chance.choice([None, "Tea", "Ware"]),
        category_id=chance.choice([None, "fb-1", "hg-2"]),
        tags=tuple(dict.fromkeys(chance.choices(TEXTS[:4], k=chance.randrange(3)))),
        collections=tuple(
            (one, one) for one in dict.fromkeys(chance.choices("56", k=chance.randrange(3)))
        ),
    )


def _customer(chance: random.Random, name: str) -> CustomerFact:
    def some(*values: str) -> str | None:
        return chance.choice([None, *values])

    return CustomerFact(
        customer_id=name,
        updated_at=TOLD_AT,
        email=some("a@gmail.com", "b@Example.org", "odd"),
        language=some("ja", "en-US", ""),
        account_status=some("ENABLED", "DISABLED"),
        email_subscription_status=some("SUBSCRIBED", "PENDING"),
        sms_subscription_status=some("SUBSCRIBED", "UNSUBSCRIBED"),
        product_subscription_status=some("SUBSCRIBED", "PAUSED"),
        predicted_spend_tier=some("HIGH", "LOW"),
        rfm_group=some("LOYAL", "NEW"),
        added_at=chance.choice([None, edge(chance), edge(chance)]),
        tags=_tags(chance),
        addresses=tuple(_address(chance) for _ in range(chance.randrange(3))),
        company_ids=tuple(dict.fromkeys(chance.choices("78", k=chance.randrange(3)))),
        metafields=tuple(
            MetafieldFact(f"facts.{key}", *chance.choice(forms))
            for key, forms in METAFIELDS.items()
            if chance.random() < 0.7
        ),
        store_credit=tuple(
            StoreCreditFact(
                chance.choice(["0", "10.5", "100", "0.0001"]),
                chance.choice(["JPY", "USD"]),
                chance.choice([None, edge(chance)]),
                chance.choice([None, edge(chance)]),
            )
            for _ in range(chance.randrange(3))
        ),
    )


def _tags(chance: random.Random) -> tuple[str, ...]:
    """Shopify keeps a tag once whatever its case."""
    picked = chance.choices([text for text in TEXTS if text], k=chance.randrange(4))
    return tuple({text.casefold(): text for text in picked}.values())


def _address(chance: random.Random) -> AddressFact:
    country, region, city = chance.choice(
        [
            ("JP", "JP-13", "Chiyoda"),
            ("US", "US-NY", "New York City"),
            ("DE", None, "Gießen"),
            ("JP", None, None),
            (None, None, "Nowhere"),
        ]
    )
    latitude, longitude = chance.choice(
        [(None, None), (35.68, 139.76), (40.71, -74.0), (-21.1, -175.2)]
    )
    return AddressFact(country, region, city, None, latitude, longitude)


METAFIELDS: dict[str, list[tuple[str, str]]] = {
    "day": [
        ("date", "1990-03-01"),
        ("date", "2000-02-29"),
        ("date", "2024-02-28"),
        ("date", "2023-12-31"),
        ("date_time", "2024-02-29T14:59:59+00:00"),
        ("date_time", "2023-12-31T23:30:00-11:00"),
        ("date_time", "2024-01-01T00:00:00"),
        ("date", "2023-02-30"),
        ("single_line_text_field", "2024-02-28"),
    ],
    "any": [
        ("number_integer", "3"),
        ("number_decimal", "2.5"),
        ("number_decimal", "0.000000001"),
        ("number_integer", "many"),
        ("boolean", "true"),
        ("boolean", "false"),
        ("single_line_text_field", "VIP"),
        ("single_line_text_field", ""),
        ("list.single_line_text_field", '["VIP","50%_off",""]'),
        ("list.single_line_text_field", "broken ["),
        ("list.number_integer", "[1,3]"),
        ("list.number_decimal", "[2.5]"),
    ],
}


def _order(chance: random.Random, customer_id: str, order_id: str) -> OrderFact:
    processed_at = edge(chance)
    total = chance.choice([0, 1, 999, 1000, 1001, 5000, 123_456])
    refunds = [
        RefundFact(
            refund_id=f"{order_id}-{index}",
            refunded_at=max(processed_at, edge(chance)),
            amount=chance.choice([1, 500, total]),
        )
        for index in range(chance.choice([0, 0, 0, 1, 2]))
    ]

    def some(*values: str) -> str | None:
        return chance.choice([None, *values])

    return OrderFact(
        order_id=order_id,
        customer_id=customer_id,
        processed_at=processed_at,
        total_amount=total,
        updated_at=TOLD_AT,
        cancelled_at=max(processed_at, edge(chance)) if chance.random() < 0.15 else None,
        is_test=chance.random() < 0.1,
        source_name=some("web", "pos"),
        app_id=some("5", "6"),
        location_id=some("5", "6"),
        referrer=some("VIP"),
        utm_source=some("VIP", "vip"),
        utm_medium=some("VIP"),
        utm_campaign=some("50%_off"),
        tags=_tags(chance),
        discount_codes=_tags(chance),
        lines=tuple(
            LineFact(
                product_id=some("1", "2", "3", "4", "5", "99"),
                variant_id=some("5", "6"),
                vendor=some("VIP", "Uji"),
                quantity=chance.choice([0, 1, 2, 5]),
                amount=chance.choice([0, 500, 1000]),
            )
            for _ in range(chance.randrange(4))
        ),
        refunds=tuple(refunds),
    )


# -- queries ---------------------------------------------------------------------------------------

_whole = st.sampled_from([0, 1, 2, 3, 5, -1, 1.5]).map(lambda n: Number(Decimal(str(n))))
_amounts = st.sampled_from(
    ["0", "1", "9.99", "10", "10.001", "1000", "999", "50", "3333.33", "-5", str(2**63), "12.345"]
).map(lambda n: Number(Decimal(n)))
_ids = st.sampled_from(["1", "2", "5", "6", "7", "99", str(2**64 - 1)]).map(
    lambda n: Number(Decimal(n))
)
_texts = st.sampled_from(
    [*TEXTS, "web", "JP", "jp-13", "us-ny-newyorkcity", "DE-GIESSEN", "Tea", "fb-1", "gmail.com",
     "en-US", "USD", "\ud800", "a\x00b"]
).map(Text)  # fmt: skip
_days = st.one_of(
    st.sampled_from(DAYS).map(Day),
    st.builds(RelativeDay, st.integers(-40, 40), st.sampled_from("dw")),
    st.builds(RelativeDay, st.integers(-13, 13), st.just("m")),
    st.builds(RelativeDay, st.integers(-6, 2), st.just("y")),
    st.sampled_from([Day(date(1, 1, 1)), Day(date(9999, 12, 31))]),
)
_moments = st.builds(
    lambda day, seconds: Moment(
        datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)  # noqa: DTZ001
    ),
    st.sampled_from(DAYS),
    # Not in the small hours: a clock change makes such a time happen twice or never.
    st.sampled_from([0, 1, 43_200, 86_399, 30_600]),
)
_POOLS: dict[Kind, st.SearchStrategy[Literal]] = {
    Kind.TEXT: _texts,
    Kind.ENUM: _texts,
    Kind.TEXT_LIST: _texts,
    Kind.INTEGER: _whole,
    Kind.DECIMAL: st.one_of(_whole, _amounts),
    Kind.MONEY: _amounts,
    Kind.DAY: st.one_of(_days, _days, _moments),
    Kind.ANNIVERSARY: _days,
    Kind.ID: _ids,
    Kind.ID_LIST: _ids,
    Kind.NAME: st.sampled_from(["even", "none"]).map(Text),
}
SETS = {"even", "none"}


@st.composite
def operands(draw: st.DrawFn, kind: Kind, operator: Operator) -> tuple[Literal, ...]:
    if operator in {Operator.IS_NULL, Operator.IS_NOT_NULL}:
        return ()
    if operator in {Operator.IN, Operator.NOT_IN}:
        return tuple(draw(st.lists(_POOLS[kind], min_size=1, max_size=3)))
    first = draw(_POOLS[kind])
    return (first, draw(_POOLS[kind])) if operator is Operator.BETWEEN else (first,)


def _sorted(values: frozenset[Operator]) -> list[Operator]:
    return sorted(values)


@st.composite
def parameter(draw: st.DrawFn, row: ParameterRow) -> Parameter:
    operator = draw(st.sampled_from(_sorted(row.operators)))
    return Parameter(row.name, operator, draw(operands(row.kind, operator)))


@st.composite
def metafields(draw: st.DrawFn, row: Attribute) -> Filter:
    operator = draw(st.sampled_from(_sorted(row.operators)))
    pool = draw(
        st.sampled_from([_texts, _amounts, _days, _moments, st.builds(Boolean, st.booleans())])
    )
    if operator in {Operator.CONTAINS, Operator.NOT_CONTAINS}:
        pool = st.one_of(_texts, _whole)
    elif operator not in {Operator.EQ, Operator.NE}:
        pool = draw(st.sampled_from([_amounts, _whole, _days]))
    count = {Operator.IS_NULL: 0, Operator.IS_NOT_NULL: 0, Operator.BETWEEN: 2}.get(operator, 1)
    return Filter(
        row.name,
        operator,
        tuple(draw(pool) for _ in range(count)),
        key=draw(st.sampled_from(["facts.day", "facts.any", "facts.none"])),
    )


@st.composite
def distances(draw: st.DrawFn, row: Attribute) -> Filter:
    latitude, longitude = draw(st.sampled_from([("35.68", "139.7"), ("-21", "-175"), ("89", "0")]))
    limits = [one for one in row.parameters if one.name != "coordinates"]
    limit = draw(st.sampled_from(limits))
    operator = draw(st.sampled_from(_sorted(limit.operators)))
    away = Number(Decimal(draw(st.sampled_from(["1", "10.5", "3000", "9000", "20038"]))))
    point = Point(Decimal(latitude), Decimal(longitude))
    return Filter(
        row.name,
        draw(st.sampled_from([Operator.MATCHES, Operator.NOT_MATCHES])),
        parameters=(
            Parameter("coordinates", Operator.EQ, (point,)),
            Parameter(limit.name, operator, (away,)),
        ),
    )


@st.composite
def functions(draw: st.DrawFn, row: Attribute) -> Filter:
    operator = draw(st.sampled_from(_sorted(row.operators)))
    if operator in {Operator.IS_NULL, Operator.IS_NOT_NULL}:
        return Filter(row.name, operator)
    known = [
        one for one in row.parameters if one.previous_only is None and one.role is not Role.OPTION
    ]
    chosen = draw(st.lists(st.sampled_from(known), max_size=3, unique_by=lambda one: one.name))
    return Filter(row.name, operator, parameters=tuple(draw(parameter(one)) for one in chosen))


@st.composite
def filters(draw: st.DrawFn, row: Attribute) -> Filter:
    if isinstance(row.source, Distance):
        return draw(distances(row))
    if isinstance(row.source, Metafield):
        return draw(metafields(row))
    if row.kind is Kind.FUNCTION:
        return draw(functions(row))
    operator = draw(st.sampled_from(_sorted(row.operators)))
    if row.kind is Kind.ENUM:
        values = tuple(draw(st.sampled_from([*row.values, ""]).map(Text)) for _ in range(1))
        return Filter(row.name, operator, values)
    key = "facts.day" if row.kind is Kind.ANNIVERSARY else None
    return Filter(row.name, operator, draw(operands(row.kind, operator)), key=key)


ROWS = [row for row in CATALOGUE.values() if not isinstance(row.source, Unavailable)]


def trees(leaves: int = 4) -> st.SearchStrategy[Node]:
    """Random queries over every row of the catalogue that can be evaluated."""
    # Functions have many parameters, and so deserve more draws.
    weighted = [row for row in ROWS for _ in range(4 if row.kind is Kind.FUNCTION else 1)]
    leaf: st.SearchStrategy[Node] = st.sampled_from(weighted).flatmap(filters)

    def grow(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        several = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            st.builds(Not, parts),
            st.builds(And, several),
            st.builds(Or, several),
            st.builds(
                lambda count, inner: AtLeast(min(count, len(inner)), inner),
                st.integers(1, 3),
                several,
            ),
        )

    return st.recursive(leaf, grow, max_leaves=leaves)
