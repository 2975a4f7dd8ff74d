"""What a first visit to a page of the menu loads, in gzip as it is sent."""

from __future__ import annotations

import pytest

from tests.web.visitor import Visitor
from tests.web.world import World

KILOBYTE = 1024
#: Pages that load more than every page does: the editor its proposals, pages with plots the plots.
LARGER = {"/segments/new": 150, "/insights": 150}


def first_load(visitor: Visitor, address: str) -> int:
    """Return the bytes of a page with everything that its head and foot name."""
    page = visitor.ask("GET", address, accept_encoding="gzip")
    assert page.status == 200
    named = [one.get("href") for one in page.root.all("link") if one.get("rel") == "stylesheet"]
    named += [one.get("src") for one in page.root.all("script")]
    files = [visitor.ask("GET", one, accept_encoding="gzip") for one in named]
    assert all(one.headers["content-encoding"] == "gzip" for one in [page, *files])
    return sum(int(one.headers["content-length"]) for one in [page, *files])


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/segments",
        "/tags",
        "/tracking",
        "/settings",
        "/help",
        "/segments/new",
        "/insights",
    ],
)
def test_a_first_visit_stays_within_its_budget(world: World, visitor: Visitor, address: str):
    world.segment(f"Loaded by {address}", "number_of_orders >= 2")

    assert first_load(visitor, address) <= LARGER.get(address, 30) * KILOBYTE
