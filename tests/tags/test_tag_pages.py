"""Tags through the pages: dialog, preview, history, job page, removal, both languages."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from regulars.clock import SettableClock
from regulars.office import Shop
from regulars.office.models.statics import StaticSegment, StaticTag
from regulars.office.models.tags import TagAssignment, TagEvent
from regulars.runtime.shopify import app_uninstalled
from regulars.tags import Worker, tasks
from tests.tags.browsing import open_browser
from tests.tags.pretend_tags import PretendTags
from tests.web.world import NOW, open_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with open_world(tmp_path_factory.mktemp("home"), SettableClock(NOW)) as world:
        with world.runtime.office.session() as session:
            row = session.get_one(Shop, world.shop.id)
            row.domain = "demo.myshopify.com"
            world.shop.domain = row.domain
        world.spenders = world.segment("Spenders", "amount_spent >= 30000")
        world.shopify = PretendTags(
            world.runtime.clock, tags={"ana": ["vip"], "cleo": [], "c037": [], "c039": []}
        )
        yield world


@pytest.fixture(scope="module")
def browser(world):
    with open_browser(world) as browser:
        yield browser


def work(world) -> None:
    Worker(world.runtime.office, world.shop.id, world.shopify, world.runtime.clock).run()


def test_the_preview_counts_while_the_tag_is_typed(world, browser):
    address = f"/segments/{world.spenders}/assign-tag/preview"
    fragment = {"HX-Request": "true"}

    nobody = browser.get(address, params={"tag": "new one"}, headers=fragment).text
    somebody = browser.get(address, params={"tag": "VIP"}, headers=fragment).text
    wrong = browser.get(address, params={"tag": "a,b"}, headers=fragment).text

    count = len(world.runtime.memberships(world.shop).members(world.spenders))
    assert f"{count} will get it." in nobody
    assert f"{count - 1} will get it." in somebody
    assert "1 already has it and will keep it on removal." in somebody
    assert "has a comma" in wrong


@pytest.mark.parametrize("tag", ["", "a,b", "x" * 41])
def test_a_tag_that_cannot_be_used_is_refused_in_the_dialog(world, browser, tag):
    answer = browser.post(f"/segments/{world.spenders}/assign-tag", tag=tag)

    assert answer.status_code == 422
    assert "field-problem" in answer.text
    assert "<dialog" in answer.text


@pytest.mark.parametrize("tag", ["🎉 loyal", "ＶＩＰ", "Ｌｏｙａｌ 顧客"])
def test_signs_of_every_kind_make_a_tag_of_their_own(world, browser, tag):
    address = browser.post(f"/segments/{world.spenders}/assign-tag", tag=tag).headers["HX-Redirect"]
    work(world)

    assert tag in browser.get(address).text
    assert tag in world.shopify.tags["cleo"]
    browser.post(f"{address}/removal")
    work(world)
    assert tag not in world.shopify.tags["cleo"]


def test_nobody_is_tagged_through_an_empty_segment(world, browser):
    empty = world.segment("Nobody", "amount_spent >= 99999999")

    answer = browser.post(f"/segments/{empty}/assign-tag", tag="vip")

    assert answer.status_code == 422
    assert "has no customers at the moment" in answer.text


def test_what_happened_is_told_and_a_removal_undone_on_the_page(world, browser):
    address = browser.post(f"/segments/{world.spenders}/assign-tag", tag="Twice").headers[
        "HX-Redirect"
    ]
    work(world)
    browser.post(f"{address}/removal")
    work(world)
    removed = browser.get(address).text
    assert "Undo removal" in removed
    assert "Removal is over" in removed

    browser.post(f"{address}/removal/undo")
    work(world)

    assert "Removal undone" in browser.get(address).text
    assert "Twice" in world.shopify.tags["cleo"]
    browser.post(f"{address}/removal")
    work(world)


def test_the_whole_way_from_the_dialog_to_the_removal(world, browser):
    count = len(world.runtime.memberships(world.shop).members(world.spenders))
    answer = browser.post(f"/segments/{world.spenders}/assign-tag", tag=" VIP ")
    address = answer.headers["HX-Redirect"]
    assert "Waiting" in browser.get("/tags").text

    work(world)
    listed, job = browser.get("/tags").text, browser.get(address).text
    assert "Assigned" in listed
    assert f"Remove tag “VIP” from {count} customers" in listed
    assert "Had it before and keep it" in job

    dialog = browser.get(f"{address}/remove", headers={"HX-Request": "true"}).text
    assert "1 customer had it before and keeps it." in dialog
    browser.post(f"{address}/removal")
    work(world)

    assert "Removed" in browser.get("/tags").text
    assert world.shopify.tags["ana"] == ["vip"]
    assert world.shopify.tags["cleo"] == []
    again = browser.post(f"{address}/removal")
    assert again.status_code == 409
    assert "removed already" in again.text


def test_the_history_can_be_searched_and_downloaded(world, browser):
    address = browser.post(f"/segments/{world.spenders}/assign-tag", tag="Findable").headers[
        "HX-Redirect"
    ]
    work(world)

    assert "Findable" in browser.get("/tags", params={"q": "findab"}).text
    assert "Findable" not in browser.get("/tags", params={"q": "else"}).text
    assert "Findable" not in browser.get("/tags", params={"status": "failed"}).text
    lines = browser.get(f"{address}/outcome.csv").text.splitlines()
    assert lines[0].endswith("customer_id,outcome,problem,changed_at")
    assert any(line.startswith("ana,given,,2026-") for line in lines)


def test_the_history_can_be_narrowed_by_kind_and_day(world, browser):
    browser.post(f"/segments/{world.spenders}/assign-tag", tag="Dated")
    today = world.now.astimezone(world.shop.zone).date()

    def has(**asked):
        return "Dated" in browser.get("/tags", params=asked).text.split('id="tag-rows"')[1]

    assert has(kind="once", since=today.isoformat(), until=today.isoformat())
    assert not has(kind="rule")
    assert not has(until=(today - timedelta(days=1)).isoformat())
    assert has(since="no day")


def test_a_rule_is_made_changed_and_switched_off_on_the_pages(world, browser):
    address = browser.post(
        f"/segments/{world.spenders}/assign-tag", tag="Synced", mode="sync", grace_days="2"
    ).headers["HX-Redirect"]
    world.jobs.bring_up_to_date()
    work(world)
    assert "Synced" in world.shopify.tags["cleo"]
    assert "In sync" in browser.get(address).text
    assert "Kept in sync" in browser.get("/tags", params={"kind": "rule"}).text
    assert "Synced" in browser.get("/tags/plan").text
    assert "Synced" in browser.get(f"/segments/{world.spenders}?tab=tags").text

    wrong = browser.post(f"{address}/edit", tag="a,b", grace_days="many")
    assert wrong.status_code == 422
    assert "is not a number" in wrong.text
    browser.post(f"{address}/edit", tag="Kept", grace_days="0")
    world.jobs.bring_up_to_date()
    work(world)
    assert "Kept" in world.shopify.tags["cleo"]
    assert "Synced" not in world.shopify.tags["cleo"]

    assert "Leave the tags" in browser.get(f"{address}/off").text
    browser.post(f"{address}/off", tags="take")
    work(world)
    assert "Kept" not in world.shopify.tags["cleo"]
    assert "Switch on" in browser.get(address).text
    assert browser.post(f"{address}/off").status_code == 409


def test_part_of_the_segment_can_be_left_out_for_comparison(world, browser):
    address = browser.post(
        f"/segments/{world.spenders}/assign-tag", tag="Compared", holdout="50"
    ).headers["HX-Redirect"]
    work(world)

    lines = browser.get(f"{address}/outcome.csv").text.splitlines()[1:]
    members = len(world.runtime.memberships(world.shop).members(world.spenders))
    out = [line for line in lines if ",held_out," in line]
    assert len(lines) == members
    assert all("Compared" not in world.shopify.tags.get(line.split(",")[0], ()) for line in out)


def test_tags_of_static_segments_are_listed_with_the_reason(world, browser):
    with world.runtime.office.session() as session:
        segment = StaticSegment(
            shop_id=world.shop.id,
            name="Old buyers",
            name_key="old buyers",
            created_on=date(2024, 5, 1),
            source="csv",
            list_id=1,
            counts={},
            imported_at=world.now,
            imported_by="Owner",
        )
        session.add(segment)
        session.flush()
        session.add(
            StaticTag(
                shop_id=world.shop.id,
                static_segment_id=segment.id,
                tag="old-vip",
                given_on=date(2024, 5, 2),
                customer_count=7,
            )
        )

    page = browser.get("/tags").text

    assert "old-vip" in page
    assert "cannot take it off by itself" in page


def test_pausing_resuming_and_cancelling(world, browser):
    address = browser.post(f"/segments/{world.spenders}/assign-tag", tag="Later").headers[
        "HX-Redirect"
    ]
    browser.post(f"{address}/pause")
    work(world)
    assert "Paused" in browser.get(address).text
    assert world.shopify.tags["cleo"].count("Later") == 0

    browser.post(f"{address}/resume")
    browser.post(f"{address}/cancellation")
    work(world)

    assert "Cancelled" in browser.get(address).text
    assert world.shopify.tags["cleo"].count("Later") == 0
    assert browser.post(f"{address}/pause").status_code == 409


def test_a_shop_of_files_is_told_that_it_cannot_tag(tmp_path):
    with open_world(tmp_path, SettableClock(NOW)) as world:
        segment = world.segment("All", "amount_spent >= 0")
        with open_browser(world) as browser:
            answer = browser.post(f"/segments/{segment}/assign-tag", tag="vip")

    assert answer.status_code == 422
    assert "not connected to Shopify" in answer.text


def test_pages_speak_japanese(world, browser):
    browser.cookies.set("regulars_language", "ja")
    listed = browser.get("/tags").text
    dialog = browser.get(f"/segments/{world.spenders}/assign-tag").text
    browser.cookies.delete("regulars_language")

    assert "顧客タグ履歴" in listed
    assert "タグ名" in dialog


def test_why_work_stands_still_is_told_in_the_readers_language(world, browser):
    address = browser.post(f"/segments/{world.spenders}/assign-tag", tag="Halted").headers[
        "HX-Redirect"
    ]
    number = int(address.rpartition("/")[2])
    browser.cookies.set("regulars_language", "ja")
    with world.runtime.office.session() as session:
        tasks.excuse_all(session, world.shop.id, app_uninstalled(), world.now)
    told = browser.get(address).text
    with world.runtime.office.session() as session:
        # As an earlier version wrote it.
        session.get_one(TagAssignment, number).reason = None
        session.scalars(select(TagEvent).where(TagEvent.kind == "stood_still")).one().reason = None
    told_before = browser.get(address).text
    browser.cookies.delete("regulars_language")

    assert told.count("このストアからアプリがアンインストールされました。") == 2
    assert "The app was" not in told
    assert told_before.count('<span lang="en">The app was uninstalled from this shop.</span>') == 2
    browser.post(f"{address}/cancellation")
