"""Static segments: brought in whole or not at all, kept as they are, converted in one step."""

from __future__ import annotations

import io
from datetime import date

import orjson
import pytest
from sqlalchemy import select

from regulars import static_segments
from regulars.engine import unknown_past
from regulars.engine.days import MICROSECOND, day_start
from regulars.errors import ConflictError, NotFoundError, UploadError
from regulars.language import parse
from regulars.office.models.statics import StaticSegment, StaticTag
from regulars.office.models.trackings import RevenueTracking
from regulars.office.models.uploads import CsvList, Upload
from regulars.segments import list_segments
from regulars.segments.exporting import list_rows
from regulars.spreadsheet import csv_bytes

MANIFEST = {
    "name": "Spring guests",
    "created": "2024-04-01",
    "source": "csv",
    "tags": [{"tag": "spring", "given": "2024-04-02", "customers": 2}],
    "trackings": [
        {"name": "Spring", "starts": "2026-02-01", "ends": "2026-03-31", "status": "in progress"}
    ],
}
FILE = "email\nana@shop.example\nbo@shop.example\neve@shop.example\n"


def bring_in(uploading, content=FILE, **changes):
    manifest = static_segments.read_manifest(orjson.dumps({**MANIFEST, **changes}))
    return static_segments.import_static(
        uploading.parts,
        io.BytesIO(content.encode()),
        manifest,
        file_name="spring.csv",
        author="operator",
        now=uploading.now,
    )


def convert(uploading, static, name=""):
    at_work = uploading.at_work
    made = static_segments.convert(
        uploading.parts,
        static.id,
        author="ana",
        now=uploading.now,
        name=name,
        later=lambda session, one: at_work.jobs.refresh_segment_later(
            session, at_work.shop, one.id, "created"
        ),
    )
    at_work.jobs.run_until_idle()
    return made


def detail(uploading, static):
    with uploading.parts.office.reading() as session:
        found = static_segments.find_static(session, uploading.at_work.shop, static.id)
        return static_segments.detail_of(session, found)


def trackings(uploading):
    with uploading.parts.office.reading() as session:
        return session.scalars(select(RevenueTracking)).all()


def test_a_list_comes_in_with_its_tags_and_trackings(uploading):
    static = bring_in(uploading)
    found = detail(uploading, static)

    assert (static.name, static.created_on) == ("Spring guests", date(2024, 4, 1))
    assert static.counts["matched"] == 2
    assert static.counts["not_found"] == 1
    assert [(one.tag, one.customer_count) for one in found.tags] == [("spring", 2)]
    assert [(one.name, one.status) for one in found.trackings] == [("Spring", "in_progress")]
    assert len(static_segments.customers_of(uploading.parts, static)) == 2


def test_its_customers_stay_whoever_appears(uploading):
    static = bring_in(uploading)

    uploading.at_work.told(uploading.at_work.customer("eve", email="eve@shop.example"))

    assert len(static_segments.customers_of(uploading.parts, static)) == 2


def test_it_is_no_customer_segment(uploading):
    bring_in(uploading)

    with uploading.parts.office.reading() as session:
        assert list_segments(session, uploading.at_work.shop) == []


def test_converting_keeps_name_tags_and_trackings(uploading):
    static = bring_in(uploading)
    _, segment = convert(uploading, static)
    found = detail(uploading, static)

    assert uploading.segment("Spring guests").kind == "csv"
    assert uploading.members("Spring guests") == {"ana", "bo"}
    assert found.static.segment_id == segment.id
    assert [one.tag for one in found.tags] == ["spring"]
    (tracking,) = trackings(uploading)
    assert (tracking.segment_id, tracking.segment_name) == (segment.id, "Spring guests")
    with uploading.parts.office.reading() as session:
        told = static_segments.made_into(session, segment)
    assert told is not None
    assert told.trackings[0].tracking_id == tracking.id


def test_after_converting_it_follows_files_and_customers(uploading):
    convert(uploading, bring_in(uploading))

    uploading.at_work.told(uploading.at_work.customer("eve", email="eve@shop.example"))
    uploading.change("Spring guests", "Customer ID\nbo\n", "remove")

    assert uploading.members("Spring guests") == {"ana", "eve"}


def test_a_converted_list_is_known_since_it_was_made_in_the_earlier_system(uploading):
    static = bring_in(uploading)
    made_on = day_start(static.created_on, uploading.at_work.shop.zone)
    convert(uploading, static)

    runtime, shop = uploading.at_work.runtime, uploading.at_work.shop
    tree = parse("csv_list = 'Spring guests'")
    told = [
        unknown_past(tree, runtime.context(shop, at)) for at in (made_on, made_on - MICROSECOND)
    ]
    assert told == [(), ("csv_list",)]


def test_converting_twice_is_refused(uploading):
    static = bring_in(uploading)
    convert(uploading, static)

    with pytest.raises(ConflictError, match="customer segment already"):
        convert(uploading, static)


def test_a_taken_name_is_refused_and_another_one_taken(uploading):
    static = bring_in(uploading)
    uploading.make("Spring guests", "Customer ID\ndee\n")

    with pytest.raises(ConflictError, match="already a segment"):
        convert(uploading, static)
    convert(uploading, static, "Guests of spring")

    assert uploading.members("Guests of spring") == {"ana", "bo"}
    assert uploading.members("Spring guests") == {"dee"}


def test_the_export_says_what_the_file_said(uploading):
    static = bring_in(uploading)
    told = b"".join(csv_bytes(list_rows(uploading.parts.warehouse, static.list_id))).decode(
        "utf-8-sig"
    )

    assert told.splitlines() == ["Customer ID,Email,Phone", "ana,,", "bo,,", ",eve@shop.example,"]


def test_nothing_is_left_of_a_file_that_cannot_be_read(uploading):
    with pytest.raises(UploadError):
        bring_in(uploading, "email\n\x00\n")

    with uploading.parts.office.reading() as session:
        assert session.scalars(select(StaticSegment)).all() == []
        assert session.scalars(select(CsvList)).all() == []
        assert session.scalars(select(Upload)).all() == []
    assert list(uploading.parts.folder.iterdir()) == []


def test_all_that_is_wrong_with_a_manifest_is_told(uploading):
    wrong = {
        "name": "",
        "created": "spring",
        "source": "magic",
        "tags": [{"tag": "x", "given": "2024-13-01", "customers": -1}],
        "trackings": [
            {"name": "y", "starts": "2024-02-01", "ends": "2024-01-01", "status": "lost"}
        ],
    }
    with pytest.raises(UploadError) as raised:
        static_segments.read_manifest(orjson.dumps(wrong))

    fields = {problem.field for problem in raised.value.problems}
    assert fields == {
        "name",
        "created",
        "source",
        "tags[0].given",
        "tags[0].customers",
        "trackings[0].status",
        "trackings[0].ends",
    }


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"tags": 3}', b"\xff\xfe"])
def test_what_is_no_manifest_is_refused(content):
    with pytest.raises(UploadError):
        static_segments.read_manifest(content)


def set_phase(uploading, name, **days):
    told = {"read_only_on": None, "removed_on": None, **days}
    with uploading.parts.office.session() as session:
        static_segments.set_phase(session, name, author="operator", now=uploading.now, **told)


def phase_on(uploading, day):
    with uploading.parts.office.reading() as session:
        return static_segments.phase_at(session, day).name


def test_read_only_is_where_it_begins(uploading):
    assert phase_on(uploading, date(2026, 3, 1)) == "read-only"


def test_announced_days_take_effect_by_themselves(uploading):
    days = {"read_only_on": date(2026, 4, 1), "removed_on": date(2026, 6, 1)}
    set_phase(uploading, "open", **days)

    told = [phase_on(uploading, date(2026, month, 1)) for month in (3, 4, 5, 6)]
    assert told == ["open", "read-only", "read-only", "removed"]


def test_only_an_open_phase_lets_new_ones_be_made(uploading):
    told = {"file_name": "a.csv", "author": "ana", "now": uploading.now}

    def make():
        source = io.BytesIO(FILE.encode())
        return static_segments.create_static(uploading.parts, source, "Autumn", **told)

    with pytest.raises(ConflictError, match="as a customer segment"):
        make()
    set_phase(uploading, "open")

    assert make().created_on == date(2026, 3, 1)
    with pytest.raises(ConflictError, match="brought in already"):
        make()


def test_a_deleted_list_keeps_tags_and_trackings_and_frees_its_name(uploading):
    static = bring_in(uploading)
    set_phase(uploading, "read-only", removed_on=date(2026, 2, 1))

    static_segments.delete_static(uploading.parts, static.id, author="ana", now=uploading.now)

    with uploading.parts.office.reading() as session:
        shop = uploading.at_work.shop
        assert static_segments.list_statics(session, shop) == []
        assert [one.tag for one in session.scalars(select(StaticTag))] == ["spring"]
    assert len(trackings(uploading)) == 1
    # Nothing is left to convert, so the announced removal takes effect.
    assert phase_on(uploading, date(2026, 3, 1)) == "removed"
    set_phase(uploading, "read-only")
    bring_in(uploading)


def test_a_deleted_list_comes_back_within_thirty_days_whole(uploading):
    static = bring_in(uploading)
    at_work = uploading.at_work
    static_segments.delete_static(uploading.parts, static.id, author="ana", now=uploading.now)
    again = bring_in(uploading)
    at_work.later(days=29)

    with uploading.parts.office.session() as session:
        back = static_segments.restore_static(session, at_work.shop, static.id)

    assert back.name == "Spring guests (2)"
    assert len(static_segments.customers_of(uploading.parts, back)) == 2
    assert [one.tag for one in detail(uploading, back).tags] == ["spring"]
    convert(uploading, back)
    assert uploading.members("Spring guests (2)") == {"ana", "bo"}
    static_segments.delete_static(uploading.parts, again.id, author="ana", now=uploading.now)
    at_work.later(days=30)
    with (
        uploading.parts.office.session() as session,
        pytest.raises(NotFoundError, match="in the trash"),
    ):
        static_segments.restore_static(session, at_work.shop, again.id)


def test_a_converted_list_cannot_be_deleted(uploading):
    static = bring_in(uploading)
    convert(uploading, static)

    with pytest.raises(ConflictError, match="customer segment already"):
        static_segments.delete_static(uploading.parts, static.id, author="ana", now=uploading.now)
    assert uploading.members("Spring guests") == {"ana", "bo"}


def announced(uploading, day=date(2026, 3, 2)):
    with uploading.parts.office.reading() as session:
        return static_segments.announced_days(session, uploading.at_work.shop, day)


def test_days_are_announced_only_while_there_is_something_to_convert(uploading):
    days = {"read_only_on": date(2026, 4, 1), "removed_on": date(2026, 6, 1)}
    set_phase(uploading, "open", **days)
    assert announced(uploading) == {}
    static = bring_in(uploading)

    told_on = date(2026, 3, 1)
    assert announced(uploading) == {
        "statics-read-only": (told_on, date(2026, 3, 31)),
        "statics-removed": (told_on, date(2026, 5, 31)),
    }
    assert list(announced(uploading, date(2026, 4, 1))) == ["statics-removed"]
    set_phase(uploading, "read-only")
    assert announced(uploading) == {}
    set_phase(uploading, "open", **days)
    convert(uploading, static)
    assert announced(uploading) == {}


def test_nothing_is_removed_while_a_list_is_not_converted(uploading):
    static = bring_in(uploading)
    set_phase(uploading, "read-only", removed_on=date(2026, 2, 1))
    assert phase_on(uploading, date(2026, 3, 1)) == "read-only"
    with pytest.raises(ConflictError, match="Spring guests"):
        set_phase(uploading, "removed")

    convert(uploading, static)

    assert phase_on(uploading, date(2026, 3, 1)) == "removed"
    set_phase(uploading, "removed")
    with pytest.raises(ConflictError, match="removed"):
        bring_in(uploading, name="Another")
