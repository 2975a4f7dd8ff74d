"""The segments that a shop keeps at Shopify itself: listed, and new ones made."""

from __future__ import annotations

from dataclasses import dataclass

from regulars.shopify.client import ShopifyClient

PAGE = 100
# Somebody is waiting at a screen, so points are not waited for long.
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class OwnSegment:
    """A segment as Shopify keeps it."""

    gid: str
    name: str
    query: str


def read_segments(client: ShopifyClient) -> list[OwnSegment]:
    """Return all segments of the shop, oldest first."""
    found: list[OwnSegment] = []
    after: str | None = None
    while True:
        variables = {"first": PAGE, "after": after}
        page = client.run("segment_list", variables, patience_seconds=PATIENCE_SECONDS)["segments"]
        found += [OwnSegment(one["id"], one["name"], one["query"]) for one in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def write_segment(client: ShopifyClient, name: str, query: str) -> OwnSegment:
    """Make a segment at Shopify; raises InputRefused where name or query is not taken there."""
    variables = {"name": name, "query": query}
    answer = client.run("segment_create", variables, patience_seconds=PATIENCE_SECONDS)
    made = answer["segmentCreate"]["segment"]
    return OwnSegment(made["id"], made["name"], made["query"])
