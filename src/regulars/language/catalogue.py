"""The catalogue: one row for every attribute and function of the segment language.

A row says all that the checker, both evaluators, the sentences, completion, the builder and the
reference pages need. A new filter is a new row over one of the shapes, not new code.
What the rows mean: Shopify's segment query language reference; where ours differs, decision 0002.
"""

from __future__ import annotations

from regulars.language.attributes import ATTRIBUTES
from regulars.language.extensions import EXTENSIONS
from regulars.language.functions import FUNCTIONS
from regulars.language.sequences import SEQUENCES
from regulars.language.shapes import (
    Annual,
    Attribute,
    Distance,
    Events,
    Figure,
    Kind,
    Labels,
    Metafield,
    NamedSet,
    ParameterRow,
    Rank,
    Role,
    Saying,
    Source,
    StoreCredit,
    Unavailable,
    Unit,
    Value,
    folded,
)

__all__ = [
    "CATALOGUE",
    "SYNONYMS",
    "Annual",
    "Attribute",
    "Distance",
    "Events",
    "Figure",
    "Kind",
    "Labels",
    "Metafield",
    "NamedSet",
    "ParameterRow",
    "Rank",
    "Role",
    "Saying",
    "Source",
    "StoreCredit",
    "Unavailable",
    "Unit",
    "Value",
    "folded",
]

#: Every name of the language and its row, in the order of the reference page.
CATALOGUE: dict[str, Attribute] = {
    row.name: row for row in (*ATTRIBUTES, *FUNCTIONS, *EXTENSIONS, *SEQUENCES)
}

#: Other spellings of the same thing that are read (never written).
SYNONYMS: dict[str, str] = {
    "storefront_event.product_viewed": "storefront.product_viewed",
    "storefront_event.collection_viewed": "storefront.collection_viewed",
}
