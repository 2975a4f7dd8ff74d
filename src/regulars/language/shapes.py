"""What a row of the catalogue is made of: kinds of values, shapes of sources, roles, sentences.

Plain frozen data without a single row in it; the rows are in `attributes`, `functions` and
`extensions`. The docstrings here are the definition that both evaluators follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from regulars.language.tree import Operator


class Kind(StrEnum):
    """What an attribute's value is, and so which literals it is compared with."""

    TEXT = "text"
    ENUM = "enum"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    DAY = "day"
    ID = "id"
    TEXT_LIST = "list of texts"
    ID_LIST = "list of ids"
    METAFIELD = "metafield"
    FUNCTION = "function"
    ANNIVERSARY = "anniversary"
    POINT = "point"
    NAME = "name of a set"


@dataclass(frozen=True, slots=True)
class Value:
    """Shape *value*: one column of `customers` compared.

    `rollup` names the kept sum the value comes from; for a past instant it is computed again from
    the order rows: "order_count", "spent_amount", "first_order_at", "last_order_at".
    """

    column: str
    rollup: bool = False


@dataclass(frozen=True, slots=True)
class Labels:
    """Shape *labels*: a set of texts or ids contains one; any letter case where `fold` is set."""

    table: str
    column: str
    fold: bool = True


@dataclass(frozen=True, slots=True)
class Events:
    """Shape *events*: the customer's counted orders, or the lines of them, kept by row conditions.

    Counted: not a test, not cancelled until the instant, processed until the instant. A row is kept
    when every ROW parameter holds for it. Without COUNT and SUM parameters the filter is true when
    at least one row is kept; with them, when each holds over the kept rows (0 when none is kept).
    NOT MATCHES is the exact complement; IS NULL means NOT MATCHES ().

    A parameter's `column` is a field of `OrderRecord` or `LineRecord`, or of the line's order, or:

    * `net_amount` (orders): `total_amount` less the refunds made until the instant;
    * `refunded_amount` (orders): the refunds made until the instant;
    * `number`: 1 for the customer's first counted order, by `processed_at`, then `order_id`;
      for lines, the number of their order. `number_from_last`: the same from the other end;
    * `days_since_previous` (orders): shop-local days between this order and the counted order
      before it; missing for the first;
    * `tag_keys`, `discount_code_keys` (orders), `product_tag_keys`, `collection_ids` (lines) are
      sets: `=` is true when the set contains the value, `!=` when it does not, `IN` when it
      contains one of the values. Keys are folded: see `folded`;
    * `order_id` with the role COUNT: the number of different orders among the kept rows.

    With `in_order` the rows are pairs of lines, the second from a later order than the first (by
    `processed_at`, then `order_id`): `first.` and `then.` lead to the columns of each,
    `days_between` are the shop-local days from the first order to the later one.
    """

    of: str  # "orders" or "lines"
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class Metafield:
    """The customer's metafield named by the filter's key, compared by its own type.

    A value whose type does not fit the literal (a text compared with a number) counts as missing.
    Lists are compared by CONTAINS; texts keep their letter case, as Shopify's do.
    """


@dataclass(frozen=True, slots=True)
class Annual:
    """The month and day of a date metafield, year ignored.

    29 February counts as 28 February in a common year. A range that crosses new year wraps.
    """


@dataclass(frozen=True, slots=True)
class Distance:
    """Great-circle distance from a point to any of the customer's addresses with coordinates.

    `distance_km` and `distance_mi` are the largest distance: `=` and `<=` include it, `<` does not.
    """


@dataclass(frozen=True, slots=True)
class StoreCredit:
    """The customer's store credit accounts; true when one account meets every condition.

    `balance` is compared in the account's own currency.
    """


@dataclass(frozen=True, slots=True)
class NamedSet:
    """Shape *named set*: members of a segment or list, by name. `of`: "segment" or "csv_list".

    `=` is membership at the instant, `!=` its complement. A name that does not exist, and a circle
    of segments, is found by the segments room, which knows the names.
    """

    of: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Shape *value* again, where the value is worked out from the counted orders at the instant.

    Orders are those of `Events`; days are the shop's. `name` is one of:

    * `average_order_value`: sum of `net_amount` ÷ number of orders, not rounded; missing without
      an order;
    * `refunded_amount`: sum of the orders' refunds until the instant; 0 without one, never missing;
    * `days_since_first_order`, `days_since_last_order`: days from the day of that order to the day
      of the instant (0 on the same day); missing without an order;
    * `average_days_between_orders`: (day of the last order − day of the first) ÷ (orders − 1), not
      rounded; missing with fewer than two orders.

    `moves` says that the figure changes by time alone, and so at the shop's midnight.
    """

    name: str
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Rank:
    """Shape *rank*: where the customer stands among all who had ordered when the day began.

    Scores go from 1 to 5. Customers of the shop with a counted order before the shop's midnight are
    put in order by the day of their last order, by how many they placed, by what they spent (less
    refunds); a threshold stands at the customer who ends each fifth (the one at ⌈k × n ÷ 5⌉ of n,
    k from 1 to 4). A score is 1 and one more for each threshold that the customer's own value, at
    the instant, lies above; equal values have equal scores. Before anybody had ordered, recency
    scores 5 and the others 1. Orders that we may not read do not count here.

    `of` is "recency", "frequency", "monetary", or "group": what `rfm` makes of the three. Scores
    are missing without a counted order; the group is PROSPECTS then.
    """

    of: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Shopify does not give this to apps; a query that uses it is refused with the reason.

    `reason` is a whole sentence, shown as it is (and translated as one).
    """

    reason: str


Source = (
    Value
    | Labels
    | Events
    | Metafield
    | Annual
    | Distance
    | StoreCredit
    | NamedSet
    | Figure
    | Rank
    | Unavailable
)


class Role(StrEnum):
    """What a parameter of a function does."""

    ROW = "keeps rows"
    COUNT = "counts the kept rows"
    SUM = "adds up over the kept rows"
    OPTION = "belongs to the function as a whole"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts: "order", "orders", "回"."""

    one: str
    many: str
    ja: str


@dataclass(frozen=True, slots=True)
class Saying:
    """How a filter reads as a sentence. `{value}` takes the compared value, in words.

    `no` is for !=, NOT CONTAINS and NOT MATCHES; where it is empty the value itself is negated
    ("anything but …"). `missing` and `present` are for the null tests.
    """

    yes: str
    no: str = ""
    missing: str = ""
    present: str = ""


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter of a function.

    `column` is the record field it looks at; with the role SUM, what it adds up.
    """

    name: str
    kind: Kind
    role: Role
    column: str
    operators: frozenset[Operator]
    #: The operator meant by a name of the previous form only: `since`, `until`, `count_at_least`.
    previous_only: Operator | None = None
    #: The name in the tree, where `previous_only` is set (`since` means `date >=`).
    means: str = ""
    #: The part of the sentence, `{value}` inside: "tagged {value}" / "商品タグが{value}の".
    say_en: str = ""
    say_ja: str = ""
    unit: Unit | None = None
    #: Of an id: what it stands for, "product" or "collection", where such things have titles; and
    #: the part of the sentence where the title is known.
    id_of: str = ""
    titled_en: str = ""
    titled_ja: str = ""
    #: Texts compared without letter case (tags, discount codes): see `folded`.
    fold: bool = False
    in_shopify: bool = True
    #: One line for the reference page, in both languages.
    meaning_en: str = ""
    meaning_ja: str = ""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row: a name of the language and all that is known about it."""

    name: str
    kind: Kind
    operators: frozenset[Operator]
    source: Source
    label_en: str
    label_ja: str
    meaning_en: str
    meaning_ja: str
    example: str
    values: tuple[str, ...] = ()
    parameters: tuple[ParameterRow, ...] = ()
    #: Whether Shopify itself knows this name; others cannot be written to Shopify.
    in_shopify: bool = True
    #: Whether the value on a past day is known. False for what Shopify only tells as of now.
    past_known: bool = False
    notes: tuple[str, ...] = field(default=())
    say_en: Saying = Saying("")
    say_ja: Saying = Saying("")
    unit: Unit | None = None
    #: Names of the values for sentences and lists: value → (English, Japanese).
    value_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: What stands before a value that has no name, in (English, Japanese): "the region ".
    value_word: tuple[str, str] = ("", "")
    #: Comparisons with a sentence of their own: "= SUBSCRIBED" → (English, Japanese).
    special: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: Counts and sums are 0 where there is nothing, never missing.
    never_missing: bool = False
    #: Words that a reader may try instead; used for suggestions.
    also: tuple[str, ...] = ()

    def parameter(self, name: str) -> ParameterRow | None:
        """Return the parameter of this name, or None."""
        return next((row for row in self.parameters if row.name == name), None)

    @property
    def can_be_missing(self) -> bool:
        """Whether a customer may have no value, so that the rule for missing values matters."""
        return not self.never_missing

    @property
    def is_function(self) -> bool:
        """Whether the name is used with MATCHES."""
        return self.kind is Kind.FUNCTION


def folded(text: str) -> str:
    """Return the key under which texts that differ in letter case alone are equal.

    Spaces count, as in Shopify. The warehouse writes its `_key` columns with the same rule.
    """
    return text.casefold()


EQUALITY = frozenset({Operator.EQ, Operator.NE})
ORDERED = EQUALITY | {Operator.GT, Operator.GE, Operator.LT, Operator.LE, Operator.BETWEEN}
NULL_TESTS = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})
CONTAINMENT = frozenset({Operator.CONTAINS, Operator.NOT_CONTAINS})
CHOICE = EQUALITY | {Operator.IN, Operator.NOT_IN}
FUNCTION = NULL_TESTS | {Operator.MATCHES, Operator.NOT_MATCHES}
