"""Rows → what the template draws: every field with its name, id, choices and kind of control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from regulars.language import CATALOGUE
from regulars.language.catalogue import Attribute, Kind, ParameterRow
from regulars.language.tree import Operator
from regulars.web.editing.choices import label, operator_choices
from regulars.web.editing.offers import is_offered
from regulars.web.editing.rows import BEFORE_DAYS, IN_LAST_DAYS, Condition, Detail, Group
from regulars.web.i18n import N_, Localizer

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class ValueView:
    """The control for the values of one comparison."""

    #: "none", "one", "two" (between), "choice" (of `choices`).
    shape: str
    first: str
    second: str
    unit: str = ""
    choices: Choices = ()
    placeholder: str = ""
    numeric: bool = False
    #: (attribute, parameter) whose values in the shop are offered while one writes; else empty.
    offered: tuple[str, str] | None = None


@dataclass(frozen=True)
class DetailView:
    """One condition inside a function."""

    number: int
    name: str
    names: Choices
    operator: str
    operators: Choices
    value: ValueView


@dataclass(frozen=True)
class ConditionView:
    """One condition."""

    path: str
    label: str
    attribute: str
    text: str | None
    operator: str = ""
    operators: Choices = ()
    value: ValueView = ValueView("none", "", "")
    details: Sequence[DetailView] = ()
    takes_details: bool = False
    meaning: str = ""


@dataclass(frozen=True)
class GroupView:
    """One group."""

    path: str
    joiner: str
    negated: bool
    depth: int
    parts: Sequence[ConditionView | GroupView] = field(default=())


def view_of(root: Group, say: Localizer) -> GroupView:
    """Return everything there is to draw."""
    return _group(root, "r", say)


def _group(group: Group, path: str, say: Localizer) -> GroupView:
    parts = [
        _group(part, f"{path}.{number}", say)
        if isinstance(part, Group)
        else _condition(part, f"{path}.{number}", say)
        for number, part in enumerate(group.parts)
    ]
    return GroupView(path, group.joiner, group.negated, path.count("."), parts)


def _condition(row: Condition, path: str, say: Localizer) -> ConditionView:
    known = CATALOGUE.get(row.attribute)
    if row.text is not None or known is None:
        return ConditionView(path, "", "", row.text if row.text is not None else row.attribute)
    japanese = say.language == "ja"
    return ConditionView(
        path,
        label(known, say.language),
        known.name,
        None,
        row.operator,
        operator_choices(known.kind, known.operators, say, known),
        _with_offers(_value(known.kind, row, known, say), known.name, None),
        [_detail(known, one, number, say) for number, one in enumerate(row.details)],
        known.kind is Kind.FUNCTION,
        known.meaning_ja if japanese else known.meaning_en,
    )


def _detail(row: Attribute, one: Detail, number: int, say: Localizer) -> DetailView:
    parameter = row.parameter(one.name)
    kind = parameter.kind if parameter else Kind.TEXT
    operators = parameter.operators if parameter else frozenset({Operator.EQ})
    return DetailView(
        number,
        one.name,
        parameter_choices(row, say),
        one.operator,
        operator_choices(kind, operators, say),
        _with_offers(_value(kind, one, parameter, say), row.name, one.name),
    )


def parameter_choices(row: Attribute, say: Localizer) -> Choices:
    """Return (name, words) of a function's parameters; previous-form names are only read."""
    return [
        (one.name, say(PARAMETER_NAMES.get(one.name, one.name)))
        for one in row.parameters
        if one.previous_only is None
    ]


#: What parameters are called; a name that is missing here is shown as it is written.
PARAMETER_NAMES = {
    "id": N_("product ID"),
    "tag": N_("tag"),
    "category": N_("category ID"),
    "date": N_("date"),
    "quantity": N_("pieces in one order"),
    "sum_quantity": N_("pieces in total"),
    "count": N_("number of orders"),
    "variant_id": N_("variant ID"),
    "product_type": N_("product type"),
    "vendor": N_("vendor"),
    "collection_id": N_("collection ID"),
    "amount": N_("amount of one order"),
    "sum_amount": N_("amount in total"),
    "number": N_("which order, from the first"),
    "number_from_last": N_("which order, from the last"),
    "app_id": N_("app ID"),
    "location_id": N_("location ID"),
    "source": N_("sales channel"),
    "discount_code": N_("discount code"),
    "days_since_previous": N_("days since the order before"),
    "refunded_amount": N_("refunded amount"),
    "referrer": N_("referrer"),
    "utm_source": N_("UTM source"),
    "utm_medium": N_("UTM medium"),
    "utm_campaign": N_("UTM campaign"),
    "activity_id": N_("activity ID"),
    "collection": N_("collection ID"),
    "balance": N_("balance"),
    "coordinates": N_("coordinates"),
    "distance_km": N_("distance in km"),
    "distance_mi": N_("distance in miles"),
}


def _value(
    kind: Kind, one: Condition | Detail, row: Attribute | ParameterRow | None, say: Localizer
) -> ValueView:
    operator, first, second = one.operator, one.first, one.second
    if operator in {"IS NULL", "IS NOT NULL", "MATCHES", "NOT MATCHES"}:
        return ValueView("none", "", "")
    if kind is Kind.ENUM and isinstance(row, Attribute) and row.values:
        return ValueView("choice", first, "", choices=_values(row, first, say))
    shape = "two" if operator == "BETWEEN" else "one"
    if operator in {IN_LAST_DAYS, BEFORE_DAYS}:
        return ValueView(shape, first, "", unit=say("days"), numeric=True)
    numeric = kind in {Kind.INTEGER, Kind.DECIMAL, Kind.MONEY}
    placeholder = "2026-12-31" if kind is Kind.DAY else ""
    return ValueView(
        shape, first, second, _unit(kind, row, say), placeholder=placeholder, numeric=numeric
    )


def _with_offers(view: ValueView, attribute: str, parameter: str | None) -> ValueView:
    if view.shape != "one" or not is_offered(attribute, parameter):
        return view
    return replace(view, offered=(attribute, parameter or ""))


def _values(row: Attribute, chosen: str, say: Localizer) -> Choices:
    column = 1 if say.language == "ja" else 0
    choices = [(one, row.value_names.get(one, (one, one))[column]) for one in row.values]
    return choices if chosen in row.values else [(chosen, chosen or "–"), *choices]


def _unit(kind: Kind, row: Attribute | ParameterRow | None, say: Localizer) -> str:
    if kind is Kind.MONEY:
        return say.currency
    if row is None or row.unit is None:
        return ""
    return row.unit.ja if say.language == "ja" else row.unit.many
