"""The catalogue: one row for every attribute and function of the segment language.

A row says all that the parser's checker, both evaluators, the sentences, completion, the builder and
the reference pages need. A new filter is a new row over one of the shapes below, not new code.
What the rows mean: Shopify's segment query language reference; where ours differs, decision 0002.
"""

from __future__ import annotations

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
    """Shape *labels*: a set of texts or ids contains one. Compared without case where `fold` is set."""

    table: str
    column: str
    fold: bool = True


@dataclass(frozen=True, slots=True)
class Events:
    """Shape *events*: the customer's counted orders, or the lines of them, kept by row conditions."""

    of: str  # "orders" or "lines"


@dataclass(frozen=True, slots=True)
class Metafield:
    """The customer's metafield named by the filter's key, compared by its own type."""


@dataclass(frozen=True, slots=True)
class Annual:
    """The month and day of a date metafield, year ignored."""


@dataclass(frozen=True, slots=True)
class Distance:
    """Great-circle distance from a point to any of the customer's addresses."""


@dataclass(frozen=True, slots=True)
class StoreCredit:
    """The customer's store credit accounts, kept by conditions."""


@dataclass(frozen=True, slots=True)
class NamedSet:
    """Shape *named set*: members of a segment or list, by name. `of`: "segment" or "csv_list"."""

    of: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Shopify does not give this to apps; a query that uses it is refused with the reason."""

    reason: str


Source = Value | Labels | Events | Metafield | Annual | Distance | StoreCredit | NamedSet | Unavailable


class Role(StrEnum):
    """What a parameter of a function does."""

    ROW = "keeps rows"
    COUNT = "counts the kept rows"
    SUM = "adds up over the kept rows"
    OPTION = "belongs to the function as a whole"


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter of a function. `column` is the record field it looks at (for SUM: what it adds)."""

    name: str
    kind: Kind
    role: Role
    column: str
    operators: frozenset[Operator]
    #: Accepted in the previous form only (`since`, `until`, `count_at_least`): the operator it means.
    previous_only: Operator | None = None


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
