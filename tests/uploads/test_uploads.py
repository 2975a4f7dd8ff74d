"""Uploads end to end: the ledger adds up, lists follow files and customers."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import date

from regulars.engine import unknown_past
from regulars.language import parse
from regulars.segments import find_segment, rename_segment
from regulars.segments.uploads.reading import Reading, write_keys
from regulars.warehouse.facts import (
    CustomerDeleted,
    CustomerRedacted,
    CustomersMerged,
)
from regulars.warehouse.lists import ListRows
from regulars.warehouse.metrics import read_days
from tests.jobs.at_work import reopen
from tests.uploads.files import Uploading


def test_every_row_has_one_outcome(uploading):
    upload = uploading.check(
        "email\n ANA@shop.example \nbo@shop.example\nana@shop.example\nnobody@shop.example\n"
        "twins@shop.example\nnot an address\n\n"
    )

    expected = {"matched": 2, "duplicate": 1, "not_found": 1, "ambiguous": 1, "invalid": 1}
    assert expected == upload.counts


def test_rows_that_are_alike_are_found_however_the_file_is_parted(uploading):
    content = (
        "email\nana@shop.example\nx@shop.example\nbo@shop.example\nANA@shop.example\n"
        "no address\nx@shop.example\nno address\ntwins@shop.example\nana@shop.example\n"
        "twins@shop.example\n"
    )
    whole = uploading.check(content)
    seen, again = {}, {}
    for part_rows in (1, 2, 3, 10):
        parted = replace(uploading.parts, part_rows=part_rows)
        upload = uploading.check(content, parts=parted)
        seen[part_rows] = upload.counts
        with parted.warehouse.reader() as cursor:
            rows = ListRows(cursor).checked_page(upload.id, outcome="duplicate")
        again[part_rows] = [row.line for row in rows]

    expected = {"matched": 2, "duplicate": 4, "not_found": 1, "ambiguous": 1, "invalid": 2}
    assert expected == whole.counts
    assert seen == dict.fromkeys((1, 2, 3, 10), expected)
    # The first of those that are alike counts.
    assert again == {part_rows: [5, 7, 10, 11] for part_rows in (1, 2, 3, 10)}
    assert list(uploading.parts.incoming.glob("upload-*")) == []


def test_reading_a_file_takes_the_memory_of_a_row_not_of_the_file(tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("email\n" + "".join(f"c{one}@shop.example\n" for one in range(40_000)))
    tracemalloc.start()
    parts = write_keys(
        path,
        lambda number: tmp_path / f"part{number}.csv",
        Reading(("email",), True, "81"),
        encoding="",
        progress=lambda _done, _whole: None,
        part_rows=15_000,
    )
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rows = [len((tmp_path / f"part{one}.csv").read_text().splitlines()) for one in range(parts)]

    assert rows == [15_000, 15_000, 10_000]
    # Forty thousand rows of keys would take more than twenty megabytes.
    assert taken < 5 * 1024**2


def test_a_file_becomes_a_segment(uploading):
    segment = uploading.make("Guests", "email\nana@shop.example\nnobody@shop.example\n")

    assert (segment.kind, segment.query) == ("csv", "csv_list = 'Guests'")
    assert uploading.members("Guests") == {"ana"}
    assert uploading.at_work.logged(segment.id) == [("+ana", "created")]


def test_a_customer_who_appears_later_joins(uploading):
    segment = uploading.make("Guests", "email\nana@shop.example\nEve@shop.example\n")

    uploading.at_work.told(uploading.at_work.customer("eve", email="eve@Shop.example"))

    assert uploading.members("Guests") == {"ana", "eve"}
    assert uploading.at_work.logged(segment.id)[-1] == ("+eve", "awaited")


def test_a_customer_who_appears_in_a_full_load_joins(uploading):
    segment = uploading.make("Guests", "email\neve@shop.example\n")
    at_work = uploading.at_work
    eve = at_work.customer("eve", email="eve@shop.example")
    at_work.runtime.warehouse(at_work.shop).apply([eve], at=at_work.clock())
    with at_work.runtime.office.session() as session:
        at_work.jobs.later(session, "refresh_all", at_work.shop)
    at_work.jobs.run_until_idle()

    assert at_work.logged(segment.id) == [("+eve", "awaited")]


def test_what_waits_still_waits_after_a_restart(uploading):
    uploading.make("Guests", "phone\n080-0000-0001\n")
    again = Uploading(reopen(uploading.at_work))
    try:
        again.at_work.told(again.at_work.customer("eve", phone="+818000000001"))

        assert again.members("Guests") == {"eve"}
    finally:
        again.at_work.runtime.close()


def test_a_change_that_is_rolled_back_leaves_the_list_as_it_was(uploading):
    uploading.make("Guests", "email\neve@shop.example\n")
    at_work = uploading.at_work
    memberships = at_work.runtime.memberships(at_work.shop)
    warehouse = at_work.runtime.warehouse(at_work.shop)
    eve = at_work.customer("eve", email="eve@shop.example")

    class Stopped(Exception):
        pass

    try:
        with memberships.changing(at_work.shop, at_work.clock()) as changing:

            def then(cursor, applied):
                changing.follow(cursor, applied.customer_nos, {})
                raise Stopped

            warehouse.apply([eve], at=at_work.clock(), then=then)
    except Stopped:
        pass

    assert len(memberships.lists.members("Guests")) == 0
    at_work.told(eve)
    assert uploading.members("Guests") == {"eve"}


def test_an_email_of_two_customers_waits_until_it_is_one_persons(uploading):
    uploading.make("Guests", "email\ntwins@shop.example\n")
    assert uploading.members("Guests") == set()

    uploading.at_work.told(CustomersMerged(kept_id="cleo", removed_id="dee", at=uploading.now))

    assert uploading.members("Guests") == {"cleo"}


def test_a_merged_customer_stays_on_the_list_as_the_other(uploading):
    uploading.make("Guests", "Customer ID\nbo\n")

    uploading.at_work.told(CustomersMerged(kept_id="ana", removed_id="bo", at=uploading.now))

    assert uploading.members("Guests") == {"ana"}


def test_a_deleted_customer_leaves_and_a_redacted_one_is_forgotten(uploading):
    uploading.make("Guests", "Customer ID\nana\nbo\n")

    uploading.at_work.told(CustomerDeleted(customer_id="ana", at=uploading.now))
    uploading.at_work.told(CustomerRedacted(customer_id="bo", at=uploading.now))

    assert uploading.members("Guests") == set()
    with uploading.parts.warehouse.reader() as cursor:
        left = cursor.execute(
            "SELECT customer_id FROM list_rows JOIN customers USING (customer_no)"
        ).fetchall()
    assert left == [("ana",)]


def test_replacing_adding_and_removing_do_what_was_shown_first(uploading):
    uploading.make("Guests", "Customer ID\nana\nbo\neve\n")
    upload = uploading.check("Customer ID\nbo\ncleo\nfay\n", segment=uploading.segment("Guests"))
    shown = uploading.effects(upload)

    told = {mode: (one.joined, one.left) for mode, one in shown.items()}
    assert told == {"replace": (1, 1), "add": (1, 0), "remove": (0, 1)}
    waiting = {mode: (one.waiting_added, one.waiting_removed) for mode, one in shown.items()}
    assert waiting == {"replace": (1, 1), "add": (1, 0), "remove": (0, 0)}

    uploading.apply(upload, mode="replace")
    assert uploading.members("Guests") == {"bo", "cleo"}
    uploading.change("Guests", "Customer ID\nana\ndee\n", "add")
    assert uploading.members("Guests") == {"ana", "bo", "cleo", "dee"}
    uploading.change("Guests", "Customer ID\nana\ncleo\n", "remove")
    assert uploading.members("Guests") == {"bo", "dee"}


def test_the_last_upload_can_be_taken_back(uploading):
    uploading.make("Guests", "email\nana@shop.example\nwait@shop.example\n")
    uploading.change("Guests", "email\nbo@shop.example\neve@shop.example\n", "replace")
    uploading.at_work.told(uploading.at_work.customer("eve", email="eve@shop.example"))
    assert uploading.members("Guests") == {"bo", "eve"}

    uploading.undo("Guests")

    assert uploading.members("Guests") == {"ana"}
    uploading.at_work.told(uploading.at_work.customer("will", email="wait@shop.example"))
    assert uploading.members("Guests") == {"ana", "will"}


def test_renaming_a_csv_segment_renames_its_list(uploading):
    segment = uploading.make("Guests", "Customer ID\nana\nwait\n")
    listed = uploading.at_work.segment("Listed", "csv_list = 'guests' AND number_of_orders = 0")
    at_work = uploading.at_work
    with uploading.parts.office.session() as session:
        row = find_segment(session, at_work.shop, segment.id)
        rename_segment(session, at_work.shop, row, name="Guests of 'May'", now=uploading.now)
    at_work.jobs.follow_definitions(at_work.shop)

    assert uploading.segment("Guests of 'May'").query == "csv_list = 'Guests of \\'May\\''"
    assert "Guests of" in at_work.row(listed).query
    at_work.told(at_work.customer("wait"))
    uploading.change("Guests of 'May'", "Customer ID\nbo\n", "add")
    assert at_work.members(listed) == uploading.members("Guests of 'May'") == {"ana", "bo", "wait"}
    again = Uploading(reopen(at_work))
    try:
        assert again.members("Guests of 'May'") == {"ana", "bo", "wait"}
        assert again.make("Guests", "Customer ID\ncleo\n").query == "csv_list = 'Guests'"
    finally:
        again.at_work.runtime.close()


def test_a_list_shared_by_a_duplicate_keeps_its_name_when_the_duplicate_is_renamed(uploading):
    uploading.make("Guests", "Customer ID\nana\n")
    at_work = uploading.at_work
    copy = at_work.segment("Copy", "csv_list = 'Guests'")
    with uploading.parts.office.session() as session:
        row = find_segment(session, at_work.shop, copy)
        rename_segment(session, at_work.shop, row, name="Second", now=uploading.now)
    at_work.jobs.follow_definitions(at_work.shop)

    assert uploading.segment("Second").query == "csv_list = 'Guests'"
    assert uploading.members("Second") == {"ana"}


def test_a_new_day_forgets_uploads_that_nobody_went_on_with(uploading):
    old = uploading.check("Customer ID\nbo\n")
    file = uploading.parts.file(old)
    assert file.exists()

    uploading.at_work.later(days=8)

    assert uploading.again(old).state == "discarded"
    assert not file.exists()


def test_what_is_made_of_a_csv_segment_follows_an_upload(uploading):
    uploading.make("Guests", "Customer ID\nana\n")
    others = uploading.at_work.segment("Others", "segment != 'Guests'")
    listed = uploading.at_work.segment("Listed", "csv_list = 'Guests' AND number_of_orders = 0")

    uploading.change("Guests", "Customer ID\nbo\n", "add")

    assert uploading.at_work.members(others) == {"cleo", "dee"}
    assert uploading.at_work.members(listed) == {"ana", "bo"}


def test_a_past_day_looks_at_the_list_as_it_was_then(uploading):
    """Uploads, a customer who was waited for, a merge and an undo are all seen at their time."""
    at_work = uploading.at_work
    uploading.make("Guests", "Customer ID\nana\nwait\n")
    without = at_work.segment("Others", "NOT segment = 'Guests'")
    instants = [at_work.clock()]
    for happens in (
        lambda: uploading.change("Guests", "Customer ID\nbo\n", "add"),
        lambda: at_work.told(at_work.customer("wait")),
        lambda: uploading.change("Guests", "Customer ID\ncleo\n", "replace"),
        lambda: uploading.undo("Guests"),
    ):
        at_work.later(days=1)
        happens()
        instants.append(at_work.clock())

    assert [past(at_work, "csv_list = 'Guests'", at) for at in instants] == [
        ({"ana"}, ()),
        ({"ana", "bo"}, ()),
        ({"ana", "bo", "wait"}, ()),
        ({"cleo"}, ()),
        ({"ana", "bo", "wait"}, ()),
    ]
    assert past(at_work, "segment = 'Others'", instants[3])[0] == {"ana", "bo", "dee", "wait"}
    at_work.told(CustomersMerged(kept_id="dee", removed_id="bo", at=at_work.clock()))
    at_work.told(CustomerRedacted("wait", at_work.clock()))
    assert past(at_work, "csv_list = 'Guests'", instants[2]) == ({"ana", "dee"}, ())
    assert at_work.members(without) == {"cleo"}


def test_before_a_list_was_made_its_first_customers_stand_for_it_and_that_is_said(uploading):
    at_work = uploading.at_work
    before = at_work.clock()
    at_work.later(days=1)
    uploading.make("Guests", "Customer ID\nana\n")
    at_work.segment("Others", "NOT csv_list = 'Guests'")
    at_work.later(days=1)
    uploading.change("Guests", "Customer ID\nbo\n", "add")

    assert past(at_work, "csv_list = 'Guests'", before) == ({"ana"}, ("csv_list",))
    assert past(at_work, "segment = 'Others'", before)[1] == ("segment",)
    assert past(at_work, "segment = 'Others'", at_work.clock())[1] == ()


def test_metrics_mark_the_days_before_a_list_was_made_only(uploading):
    at_work = uploading.at_work
    at_work.told(at_work.order(1, "ana", days_ago=3), at_work.order(2, "bo", days_ago=3))
    uploading.make("Guests", "Customer ID\nana\n")
    at_work.later(days=2)
    uploading.change("Guests", "Customer ID\nbo\n", "add")
    later = at_work.segment("Buyers", "csv_list = 'Guests' AND number_of_orders > 0")

    with at_work.runtime.warehouse(at_work.shop).reader() as cursor:
        days = read_days(cursor, later, date.min)

    assert [(one.sums.customer_count, one.is_past_known) for one in days] == [
        *[(1, False)] * 3,
        *[(1, True)] * 2,
    ]


def past(at_work, query, instant):
    """Return whom a query finds at an instant, and what of it is not known."""
    context = at_work.runtime.context(at_work.shop, instant)
    found = at_work.runtime.evaluator(at_work.shop).members(parse(query), context)
    ids = at_work.runtime.warehouse(at_work.shop).customer_ids(found)
    return set(ids.values()), unknown_past(parse(query), context)
