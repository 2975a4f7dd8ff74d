"""The segments that a shop keeps at Shopify itself: listed, made and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from regulars.shopify.answers import InputRefused
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
        found += [_own(one) for one in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def write_segment(client: ShopifyClient, name: str, query: str) -> OwnSegment:
    """Make a segment at Shopify; raises InputRefused where name or query is not taken there."""
    variables = {"name": name, "query": query}
    answer = client.run("segment_create", variables, patience_seconds=PATIENCE_SECONDS)
    return _own(answer["segmentCreate"]["segment"])


def change_segment(client: ShopifyClient, gid: str, name: str, query: str) -> OwnSegment | None:
    """Change a segment at Shopify; None where it is not there any more.

    Raises InputRefused where name or query is not taken there.
    """
    variables = {"id": gid, "name": name, "query": query}
    try:
        answer = client.run("segment_update", variables, patience_seconds=PATIENCE_SECONDS)
    except InputRefused as refused:
        if any(one.field == ("id",) for one in refused.refusals):
            return None
        raise
    return _own(answer["segmentUpdate"]["segment"])


def _own(told: Mapping[str, str]) -> OwnSegment:
    return OwnSegment(told["id"], told["name"], told["query"])
