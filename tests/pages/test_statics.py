"""The pages of static segments: what each phase lets people do, and who is told beforehand."""

from __future__ import annotations

import io
from datetime import date

import orjson
import pytest

from regulars import static_segments
from tests.tags.browsing import open_browser

MANIFEST = {
    "name": "Spring guests",
    "created": "2024-04-01",
    "tags": [{"tag": "spring", "given": "2024-04-02", "customers": 2}],
}


RUNNING = {"name": "Winter", "starts": "2026-11-01", "ends": "2026-12-31", "status": "in progress"}


@pytest.fixture
def bring_in(world):
    def call(name: str, **changes: object) -> int:
        told = {**MANIFEST, "name": name, **changes}
        manifest = static_segments.read_manifest(orjson.dumps(told))
        static = static_segments.import_static(
            world.jobs.uploads(world.shop),
            io.BytesIO(b"email\nana@shop.example\nbo@shop.example\n"),
            manifest,
            file_name="guests.csv",
            author="operator",
            now=world.now,
        )
        return static.id

    return call


@pytest.fixture
def turn(world):
    def call(name: str, **days: date) -> None:
        told = {"read_only_on": None, "removed_on": None, **days}
        with world.runtime.office.session() as session:
            static_segments.set_phase(session, name, author="operator", now=world.now, **told)

    return call


def test_the_banner_is_told_to_shops_with_lists_once_a_day_is_announced(
    visitor, world, bring_in, turn
):
    turn("read-only", removed_on=date(2027, 4, 1))
    assert "Static segments will be removed" not in visitor.get("/segments").text
    bring_in("Autumn guests")

    assert "Act by Mar 31, 2027" in visitor.get("/segments").text
    assert "Static segments will be removed" in visitor.get("/news").text
    listed = visitor.get("/segments/static").text
    assert "On Apr 1, 2027 this page is removed." in listed
    assert "Act by" not in listed
    turn("read-only")
    assert "will be removed" not in visitor.get("/segments").text


def test_a_list_is_looked_at_deleted_or_converted_with_its_tags(visitor, world, bring_in):
    kept, gone = bring_in("Spring guests"), bring_in("Forgotten guests")
    assert "New static segment" not in visitor.get("/segments/static").text
    dialog = visitor.get(f"/segments/static/{gone}/delete")
    assert "The list of 2 customers is kept for 30 days" in dialog.text
    visitor.press(dialog, "Delete")
    assert visitor.get(f"/segments/static/{gone}").status == 404
    listed = visitor.get("/segments/static")
    assert "Deleted static segments" in listed.text
    back = visitor.press(listed, "Restore")
    assert (back.heading, "is back" in back.text) == ("Forgotten guests", True)
    visitor.press(visitor.get(f"/segments/static/{gone}/delete"), "Delete")

    made = visitor.press(visitor.get(f"/segments/static/{kept}/convert"), "Convert")
    world.work()

    assert made.heading == "Spring guests"
    tags = visitor.get(f"{made.url}?tab=tags").text
    assert "Tags of the static segment" in tags
    assert "spring2 customers" in tags
    refused = visitor.press(visitor.get(f"/segments/static/{kept}/delete"), "Delete")
    assert (refused.status, "customer segment already" in refused.text) == (409, True)


def test_its_running_tracking_is_listed_and_counts_its_frozen_customers(visitor, world, bring_in):
    bring_in("Winter guests", trackings=[RUNNING])
    world.order("Ana", 1234, order_id="new-1")
    listed = visitor.get("/tracking")

    assert "Static segment" in listed.text
    page = visitor.get(listed.link("Winter"))
    assert "A static segment, with its members frozen" in page.text
    assert "In progress, day 20 of 61" in page.text
    assert "Customers at start 2 " in page.text
    assert "¥1,234" in page.text


def test_an_open_phase_has_a_form_for_new_ones(world, turn):
    with open_browser(world) as browser:
        assert browser.send_file(
            "/segments/static", "email\nana@shop.example\n", name="New"
        ).is_error
        turn("open")
        assert "New static segment" in browser.get("/segments/static").text
        nameless = browser.send_file("/segments/static", "email\nana@shop.example\n", name="")
        assert "A segment needs a name." in nameless.text
        made = browser.send_file("/segments/static", "email\nana@shop.example\n", name="New")

        assert "New" in browser.get(made.headers["hx-redirect"]).text
    turn("read-only")
