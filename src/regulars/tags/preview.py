"""What assigning a tag would do, from our copy of the shop: who gets it, who has it, how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyroaring import BitMap

from regulars.tags.names import TAGS_PER_CUSTOMER_MAX, tag_key
from regulars.tags.pricing import seconds_for
from regulars.tags.work import BULK_CUSTOMERS_MIN
from regulars.warehouse.membership import bitmap_of


@dataclass(frozen=True, slots=True)
class Preview:
    """The audience in three parts that add up to `targeted`."""

    targeted: int
    will_get: int
    have_it: int
    #: At Shopify's limit of tags per customer, so they cannot get another.
    at_limit: int

    def seconds(self, points_per_second: float) -> float | None:
        """Return how long it takes at the shop's rate; None when Shopify works it in bulk."""
        if self.targeted > BULK_CUSTOMERS_MIN:
            return None
        return seconds_for(self.targeted, self.will_get, points_per_second)


def preview(cursor: Any, members: BitMap, tag: str) -> Preview:
    """Count over a warehouse cursor what giving `tag` to these customers would do."""
    # Who has this tag, in any case.
    have = bitmap_of(
        cursor.execute(
            "SELECT DISTINCT customer_no FROM customer_tags WHERE tag_key = $1", [tag_key(tag)]
        )
    )
    # Who has as many tags as there can be.
    full = bitmap_of(
        cursor.execute(
            "SELECT customer_no FROM customer_tags GROUP BY customer_no HAVING count(*) >= $1",
            [TAGS_PER_CUSTOMER_MAX],
        )
    )
    having = len(members & have)
    limited = len((members & full) - have)
    return Preview(len(members), len(members) - having - limited, having, limited)


def known_tags(cursor: Any, most: int = 200) -> list[str]:
    """Return the shop's customer tags, the most used first."""
    rows = cursor.execute(
        "SELECT any_value(tag) FROM customer_tags GROUP BY tag_key ORDER BY count(*) DESC, tag_key"
        " LIMIT $1",
        [most],
    ).fetchall()
    return [tag for (tag,) in rows]
