"""Every route, asked by everybody who should not see it: not one byte of another shop comes back.

The other shop's names hold a word that is nowhere else. A new route is walked by itself.
"""

from __future__ import annotations

import re

import pytest

from regulars.office import audit, create_shop, find_shop
from regulars.segments import create_segment
from regulars.web import api as api_room
from regulars.web import pages as page_room
from regulars.web import team
from tests.web.test_pages_and_api import routes
from tests.web.test_team import api
from tests.web.visitor import Visitor

CANARY = "zqforeignqz"
#: Numbers that exist in the other shop, tried wherever a number stands in an address.
NUMBERS = (1, 2)


@pytest.fixture(scope="module")
def stage(world):
    """The world, another shop full of canaries, a member and a key of the first shop."""
    with world.runtime.office.session("Owner") as session:
        other = create_shop(session, name=CANARY, title=CANARY, now=world.now)
        other.loaded_at = world.now
        for number in range(2):
            create_segment(
                session,
                other,
                name=f"{CANARY} {number}",
                query="number_of_orders >= 0",
                author=CANARY,
                now=world.now,
            )
        act = team.Act("Owner", world.now)
        _row, key = team.make_key(session, act, world.shop, name="mine", scope="write")
        own = [world.shop.id]
        invited, _ = team.invite(session, act, login="bo@shop.example", role="member", shop_ids=own)
        team.accept(session, invited, name="Bo", password="many words in a row", now=world.now)
    member = Visitor(world.app)
    fields = {"login": "bo@shop.example", "password": "many words in a row", "next": "/"}
    member.post("/sign-in", fields)
    assert member.get("/").heading == "Home"
    return world, member, key


def filled(path: str, number: int) -> str:
    """Fill an address with the other shop's name and numbers."""
    text = path.replace("{shop}", CANARY).replace("{segment}", f"{CANARY} 0")
    return re.sub(r"\{[^}]+\}", str(number), text)


def paths(package: object) -> list[tuple[str, str]]:
    found = routes(package)
    return [(method, filled(path, number)) for method, path in found for number in NUMBERS]


def test_no_page_shows_a_member_anything_of_another_shop(stage):
    _world, member, _key = stage
    shown = []
    for method, path in paths(page_room):
        if method == "GET" and path != "/help/stream":
            page = member.ask("GET", f"{path}?shop=other&shop_id=2&segment=1&segment=2")
            shown += [path] if CANARY in page.body.replace(path, "") else []

    assert shown == []


def test_no_route_of_the_api_tells_a_key_anything_of_another_shop(stage):
    world, _member, key = stage
    walked = 0
    for method, path in paths(api_room):
        told = api(world, key, method, path, **({"json": {}} if method != "GET" else {}))
        walked += 1
        assert told.status_code < 500, f"{method} {path}"
        if f"/shops/{CANARY}" in path:
            assert told.status_code in {403, 404, 422}, f"{method} {path}: {told.status_code}"
        said = told.text.replace(f'\\"{CANARY}\\"', "")
        assert CANARY not in said.replace(path, ""), f"{method} {path}"

    assert walked > 150


def test_without_a_key_or_session_nothing_is_told(stage):
    world, _member, _key = stage
    for method, path in paths(api_room):
        told = api(world, "wrong", method, path)
        assert told.status_code == 401, f"{method} {path}: {told.status_code}"
    stranger = Visitor(world.app)
    for method, path in paths(page_room):
        if method == "GET":
            assert CANARY not in stranger.ask("GET", path).body.replace(path, ""), path


def test_nothing_changed_in_the_other_shop(stage):
    """What was asked for above is not in its log: only how it was made."""
    world, _member, _key = stage
    with world.runtime.office.reading() as session:
        other = find_shop(session, CANARY)
        acts = {one.act for one in audit.list_entries(session, shop_ids=[other.id])}

    assert acts == {"shop_added", "segment_made"}
