"""Random query trees that the checker accepts, made from the catalogue, for the property tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from regulars.language.catalogue import CATALOGUE, Attribute, Kind, ParameterRow
from regulars.language.literals import NAMED_DAYS
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

_INT64 = 2**63 - 1
_texts = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), include_characters="'\\\n\t%_"), max_size=12
)
_integers = st.integers(-_INT64 - 1, _INT64).map(lambda n: Number(Decimal(n)))
_decimals = st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(Number)
_ids = st.one_of(
    st.integers(0, 2**64 - 1).map(lambda n: Number(Decimal(n))),
    # The IDs of an imported file.
    st.sampled_from(["Green tea", "007", "a, b", "7'"]).map(Text),
)
_named = st.sampled_from(
    [RelativeDay(0, "d", "today"), RelativeDay(-1, "d", "yesterday")]
    + [RelativeDay(amount, unit, word) for word, (amount, unit) in NAMED_DAYS.items()]
)
_offsets = st.builds(RelativeDay, st.integers(-999, 999), st.sampled_from("dwmy"))
_plain_days = st.one_of(st.dates(date(1, 1, 1)).map(Day), _offsets, _named)
_moments = st.datetimes().map(lambda at: Moment(at.replace(microsecond=0)))
_degrees = st.decimals(-90, 90, places=4, allow_nan=False)

VALUES: dict[Kind, st.SearchStrategy[Literal]] = {
    Kind.TEXT: _texts.map(Text),
    Kind.TEXT_LIST: _texts.map(Text),
    Kind.NAME: _texts.map(lambda text: Text("n" + text)),
    Kind.INTEGER: _integers,
    Kind.DECIMAL: _decimals,
    Kind.MONEY: st.one_of(_decimals, st.integers(0, 10**6).map(lambda n: Number(Decimal(n)))),
    Kind.DAY: st.one_of(_plain_days, _moments),
    Kind.ANNIVERSARY: _plain_days,
    Kind.ID: _ids,
    Kind.ID_LIST: _ids,
    Kind.POINT: st.builds(Point, _degrees, _degrees),
}
_SPELLED = {
    "customer_countries": st.sampled_from(["JP", "us", "CA"]),
    "customer_regions": st.sampled_from(["JP-13", "US-CA"]),
    "customer_cities": st.sampled_from(["US-NY-NewYorkCity", "JP-13-渋谷区"]),
    "customer_language": st.sampled_from(["ja", "en-US", ""]),
    "customer_email_domain": st.sampled_from(["gmail.com", "例え.jp"]),
}
_METAFIELD_VALUES = {
    Operator.CONTAINS: st.one_of(VALUES[Kind.TEXT], _integers),
    Operator.EQ: st.one_of(
        VALUES[Kind.TEXT], _decimals, VALUES[Kind.DAY], st.builds(Boolean, st.booleans())
    ),
}
_METAFIELD_VALUES[Operator.NOT_CONTAINS] = _METAFIELD_VALUES[Operator.CONTAINS]
_METAFIELD_VALUES[Operator.NE] = _METAFIELD_VALUES[Operator.EQ]
_KEYS = st.sampled_from(["facts.birth_date", "app--1576377--loyalty.status", "custom.VIP_level"])


def _values_of(row: Attribute, operator: Operator) -> st.SearchStrategy[Literal]:
    if row.kind is Kind.ENUM:
        return st.sampled_from(row.values).map(Text)
    if row.kind is Kind.METAFIELD:
        return _METAFIELD_VALUES.get(operator, _decimals)
    if row.name in _SPELLED:
        return _SPELLED[row.name].map(Text)
    return VALUES[row.kind]


def _how_many(operator: Operator) -> tuple[int, int]:
    if operator in (Operator.IS_NULL, Operator.IS_NOT_NULL):
        return 0, 0
    if operator is Operator.BETWEEN:
        return 2, 2
    return (1, 4) if operator in (Operator.IN, Operator.NOT_IN) else (1, 1)


@st.composite
def _parameters(draw: Callable[..., object], row: Attribute) -> tuple[Parameter, ...]:
    rows = [known for known in row.parameters if known.previous_only is None]
    if row.name == "customer_within_distance":
        rows = [rows[0], draw(st.sampled_from(rows[1:]))]
    else:
        rows = draw(st.lists(st.sampled_from(rows), unique_by=lambda known: known.name, max_size=4))
    return tuple(draw(_parameter(known)) for known in rows)


@st.composite
def _parameter(draw: Callable[..., object], known: ParameterRow) -> Parameter:
    operator = draw(st.sampled_from(sorted(known.operators)))
    least, most = _how_many(operator)
    values = draw(st.lists(VALUES[known.kind], min_size=least, max_size=most))
    return Parameter(known.name, operator, tuple(values))


@st.composite
def filters(draw: Callable[..., object]) -> Filter:
    """One filter over any row of the catalogue."""
    row = draw(st.sampled_from(list(CATALOGUE.values())))
    operator = draw(st.sampled_from(sorted(row.operators)))
    key = draw(_KEYS) if row.kind in (Kind.METAFIELD, Kind.ANNIVERSARY) else None
    if operator in (Operator.MATCHES, Operator.NOT_MATCHES):
        return Filter(row.name, operator, (), draw(_parameters(row)), key)
    least, most = _how_many(operator)
    if most == 0:
        return Filter(row.name, operator, (), (), key)
    values = st.lists(_values_of(row, operator), min_size=least, max_size=most)
    return Filter(row.name, operator, tuple(draw(values)), (), key)


def _groups(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        several.map(And),
        several.map(Or),
        parts.map(Not),
        several.flatmap(
            lambda found: st.integers(1, len(found)).map(lambda count: AtLeast(count, found))
        ),
    )


#: Trees of any form; deeper ones are built by the limits' own tests.
trees: st.SearchStrategy[Node] = st.recursive(filters(), _groups, max_leaves=8)
