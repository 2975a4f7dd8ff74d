"""What a first visit to a page of the menu loads, in gzip, in a shop with lists in use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.ordinary import live_a_month
from tests.web.visitor import Visitor
from tests.web.world import open_world

KILOBYTE = 1024
#: Pages that load more than every page does: the editor its proposals, pages with plots the plots.
LARGER = {"/segments/new": 150, "/insights": 150}
#: The lists, and the rows that each of them shows in this shop.
ROWS = {"/segments": 40, "/tags": 30, "/tracking": 30}


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The owner of a shop with lists of an ordinary length."""
    with open_world(tmp_path_factory.mktemp("lived")) as world:
        live_a_month(world)
        found = Visitor(world.app)
        found.sign_in(world.sign_in_token())
        yield found


def first_load(visitor: Visitor, address: str) -> int:
    """Return the bytes of a page with everything that its head and foot name."""
    page = visitor.ask("GET", address, accept_encoding="gzip")
    assert page.status == 200
    assert sum(one.get("id") != "" for one in page.root.all("tr")) == ROWS.get(address, 0)
    named = [one.get("href") for one in page.root.all("link") if one.get("rel") == "stylesheet"]
    named += [one.get("src") for one in page.root.all("script")]
    files = [visitor.ask("GET", one, accept_encoding="gzip") for one in named]
    assert all(one.headers["content-encoding"] == "gzip" for one in [page, *files])
    return sum(int(one.headers["content-length"]) for one in [page, *files])


@pytest.mark.parametrize("language", ["en", "ja"])
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
def test_a_first_visit_stays_within_its_budget(visitor: Visitor, address: str, language: str):
    visitor.post("/language", {"language": language, "next": address})

    assert first_load(visitor, address) <= LARGER.get(address, 30) * KILOBYTE
