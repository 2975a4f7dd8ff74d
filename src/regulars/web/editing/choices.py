"""What the builder offers: attributes in groups, and the operators of each kind in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regulars.language import CATALOGUE
from regulars.language.catalogue import Attribute, Kind, Unavailable
from regulars.language.tree import Operator
from regulars.web.editing.rows import BEFORE_DAYS, IN_LAST_DAYS
from regulars.web.i18n import N_, Localizer

#: Group → the attributes that stand first in it; every other attribute follows by its source.
GROUPS: Mapping[str, Sequence[str]] = {
    N_("Orders"): (
        "number_of_orders",
        "amount_spent",
        "last_order_date",
        "first_order_date",
        "orders_placed",
        "average_order_value",
        "refunded_amount",
        "days_since_last_order",
        "days_since_first_order",
        "average_days_between_orders",
        "computed_rfm_group",
        "rfm_recency_score",
        "rfm_frequency_score",
        "rfm_monetary_score",
        "abandoned_checkout_date",
    ),
    N_("Products"): ("products_purchased",),
    N_("Customer"): (
        "customer_tags",
        "customer_added_date",
        "customer_language",
        "customer_account_status",
        "customer_email_domain",
        "created_by_app_id",
    ),
    N_("Location"): ("customer_countries", "customer_regions", "customer_cities"),
    N_("Marketing"): (
        "email_subscription_status",
        "sms_subscription_status",
        "product_subscription_status",
    ),
    N_("Segments and lists"): ("segment", "csv_list"),
    N_("More"): (),
}

_ORDERED_WORDS = {
    Operator.EQ: N_("is exactly"),
    Operator.NE: N_("is not"),
    Operator.GE: N_("is at least"),
    Operator.GT: N_("is more than"),
    Operator.LE: N_("is at most"),
    Operator.LT: N_("is less than"),
    Operator.BETWEEN: N_("is between"),
}
_DAY_WORDS = {
    Operator.EQ: N_("is on"),
    Operator.NE: N_("is not on"),
    Operator.GE: N_("is on or after"),
    Operator.GT: N_("is after"),
    Operator.LE: N_("is on or before"),
    Operator.LT: N_("is before"),
    Operator.BETWEEN: N_("is between"),
}
_OTHER_WORDS = {
    Operator.EQ: N_("is"),
    Operator.NE: N_("is not"),
    Operator.CONTAINS: N_("contains"),
    Operator.NOT_CONTAINS: N_("does not contain"),
    Operator.IN: N_("is one of"),
    Operator.NOT_IN: N_("is none of"),
    Operator.IS_NULL: N_("has no value"),
    Operator.IS_NOT_NULL: N_("has a value"),
    Operator.MATCHES: N_("yes"),
    Operator.NOT_MATCHES: N_("no"),
}
_RELATIVE_WORDS = {
    IN_LAST_DAYS: N_("is in the last … days"),
    BEFORE_DAYS: N_("is more than … days ago"),
}
_NUMBERS = {Kind.INTEGER, Kind.DECIMAL, Kind.MONEY}

#: Kinds that the builder shows as text: their filters have a shape of their own.
AS_TEXT = {Kind.METAFIELD, Kind.ANNIVERSARY, Kind.POINT}

# The order in which operators are offered: the most used first.
_ORDER = [*_ORDERED_WORDS, Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.IN, Operator.NOT_IN]
_ORDER += [Operator.MATCHES, Operator.NOT_MATCHES, Operator.IS_NOT_NULL, Operator.IS_NULL]


def attribute_choices(language: str) -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """Return (group, ((name, label), …)) of everything that can be asked about."""
    listed = {name for names in GROUPS.values() for name in names}
    rest = [name for name, row in CATALOGUE.items() if name not in listed and _offered(row)]
    groups = []
    for group, names in GROUPS.items():
        chosen = [name for name in names if name in CATALOGUE and _offered(CATALOGUE[name])]
        if group == "More":
            chosen = rest
        if chosen:
            groups.append((group, [(name, label(CATALOGUE[name], language)) for name in chosen]))
    return groups


def label(row: Attribute, language: str) -> str:
    """Return an attribute's name for people."""
    return row.label_ja if language == "ja" else row.label_en


def operator_choices(
    kind: Kind, operators: frozenset[Operator], say: Localizer, row: Attribute | None = None
) -> Sequence[tuple[str, str]]:
    """Return (value, words) of the operators that fit; days get two ways to count from today."""
    choices = []
    if kind is Kind.DAY:
        choices = [(value, say(words)) for value, words in _RELATIVE_WORDS.items()]
    for operator in _ORDER:
        if operator in operators and not (kind is Kind.FUNCTION and "NULL" in operator.value):
            choices.append((operator.value, _words(kind, operator, say, row)))
    return choices


def _words(kind: Kind, operator: Operator, say: Localizer, row: Attribute | None) -> str:
    if row is not None and kind is Kind.FUNCTION:
        saying = row.say_ja if say.language == "ja" else row.say_en
        spoken = saying.yes if operator is Operator.MATCHES else saying.no
        if spoken and "{" not in spoken:
            return spoken
    table: Mapping[Operator, str] = _OTHER_WORDS
    if kind is Kind.DAY:
        table = {**_OTHER_WORDS, **_DAY_WORDS}
    elif kind in _NUMBERS:
        table = {**_OTHER_WORDS, **_ORDERED_WORDS}
    return say(table.get(operator, operator.value))


def default_operator(kind: Kind, operators: frozenset[Operator]) -> str:
    """Return the operator that a fresh row starts with."""
    if kind is Kind.DAY:
        return IN_LAST_DAYS
    preferred = [Operator.GE] if kind in _NUMBERS else []
    preferred += [Operator.EQ, Operator.CONTAINS, Operator.MATCHES, *_ORDER]
    return next(operator.value for operator in preferred if operator in operators)


def _offered(row: Attribute) -> bool:
    return not isinstance(row.source, Unavailable)
