"""The four steps as a signed-in person takes them, and what is left after stopping midway."""

from __future__ import annotations

import re

import pytest

from regulars.segments import find_segment
from tests.tags.browsing import Browser, open_browser
from tests.web.world import World, open_world


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def browser(world: World):
    with open_browser(world) as opened:
        yield opened


def give(browser: Browser, content: str, **fields: str) -> str:
    """Give a file and return the upload's address."""
    answer = browser.send_file("/segments/upload", content, **fields)
    assert answer.status_code == 204, answer.text
    return re.sub(r"/file$", "", answer.headers["hx-redirect"])


def test_a_file_goes_through_four_steps(world, browser):
    address = give(browser, "E-mail,Note\nana@shop.example,x\nnobody@shop.example,y\nzzz,z\n")
    assert "ana@shop.example" in browser.get(f"{address}/file").text
    columns = browser.get(f"{address}/columns").text
    assert re.search(r'<option value="email" selected>', columns)
    browser.post(f"{address}/columns", **{"column-0": "email", "column-1": ""})
    world.work()
    check = browser.get(f"{address}/check").text
    assert "Continue with 1 customer" in check
    assert "This is not an e-mail address." in check
    saved = browser.post(f"{address}/save", name="Guests")

    segment_id = int(saved.headers["hx-redirect"].rpartition("/")[2])
    members = world.runtime.memberships(world.shop).members(segment_id)
    assert len(members) == 1
    assert "Guests" in browser.get(f"/segments/{segment_id}/uploads").text


def test_a_reload_goes_on_where_it_was(world, browser):
    address = give(browser, "email\nana@shop.example\n")

    assert browser.get(address).headers["location"].endswith("/file")
    browser.post(f"{address}/columns", **{"column-0": "email"})
    world.work()
    assert browser.get(address).headers["location"].endswith("/check")
    assert "guests.csv" in browser.get("/segments/upload").text


def test_what_is_wrong_stands_on_the_page_and_nothing_is_made(world, browser):
    address = give(browser, "email\nana@shop.example\n")

    refused = browser.post(f"{address}/columns", **{"column-0": ""})
    assert refused.status_code == 422
    assert "Choose at least one column" in refused.text
    browser.post(f"{address}/columns", **{"column-0": "email"})
    world.work()
    unnamed = browser.post(f"{address}/save", name=" ")
    assert unnamed.status_code == 422
    assert "A segment needs a name." in unnamed.text


def test_the_problem_rows_come_as_a_safe_file(world, browser):
    address = give(browser, "email\n=cmd()\n")
    browser.post(f"{address}/columns", **{"column-0": "email"})
    world.work()

    assert "'=cmd()" in browser.get(f"{address}/rows.csv").text


def test_the_last_upload_is_taken_back(world, browser):
    address = give(browser, "email\nana@shop.example\n")
    browser.post(f"{address}/columns", **{"column-0": "email"})
    world.work()
    browser.post(f"{address}/save", name="Guests")
    with world.runtime.office.reading() as session:
        segment = find_segment(session, world.shop, "Guests")
    again = give(browser, "email\nbo@shop.example\n", segment=str(segment.id))
    browser.post(f"{again}/columns", **{"column-0": "email"})
    world.work()
    assert "What happens to the list?" in browser.get(f"{again}/save").text
    browser.post(f"{again}/save", mode="add")
    assert len(world.runtime.memberships(world.shop).members(segment.id)) == 2

    browser.post(f"/segments/{segment.id}/uploads/undo")

    assert len(world.runtime.memberships(world.shop).members(segment.id)) == 1


def test_the_link_to_static_segments_stands_under_the_list(browser):
    assert "Static segments (being phased out)" in browser.get("/segments").text
    assert "No static segments" in browser.get("/segments/static").text
