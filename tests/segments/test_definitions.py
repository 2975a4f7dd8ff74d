"""Definitions: names, references, cycles, versions, the trash."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regulars import segments, tracking
from regulars.errors import ConflictError, InputError, NotFoundError, QueryError
from regulars.office.models.tags import TagAssignment
from regulars.segments.definitions import renamed_query
from regulars.segments.names import name_key
from regulars.segments.shelves import empty_trash


@pytest.fixture
def make(at_work):
    def create(name, query="number_of_orders >= 1"):
        with at_work.runtime.office.session() as session:
            return segments.create_segment(
                session, at_work.shop, name=name, query=query, author="ana", now=at_work.clock()
            ).id

    return create


@pytest.fixture
def change(at_work):
    """Call a function of the room on a segment, in a session of its own."""

    def call(function, segment_id, **values):
        with at_work.runtime.office.session() as session:
            row = segments.find_segment(session, at_work.shop, segment_id)
            return function(session, at_work.shop, row, **values)

    return call


@pytest.mark.parametrize("other", ["VIP", "vip", "ＶＩＰ", "  Vip  "])
def test_a_name_is_given_once_whatever_its_case_and_width(make, other):
    make("VIP")

    with pytest.raises(ConflictError) as raised:
        make(other)

    assert raised.value.code == "segment_name_taken"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "segment_name_empty"),
        ("   ", "segment_name_empty"),
        ("x" * 121, "segment_name_long"),
        ("a\x00b", "segment_name_signs"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(make, name, code):
    with pytest.raises(InputError) as raised:
        make(name)

    assert raised.value.code == code


def test_an_unknown_segment_is_marked_and_the_nearest_offered(make):
    make("Regulars")

    with pytest.raises(QueryError) as raised:
        make("Others", "number_of_orders >= 1 AND segment = 'Regulers'")

    (problem,) = raised.value.problems
    assert problem.code == "unknown_segment"
    assert 'Did you mean "Regulars"?' in problem.message
    assert (problem.line, problem.column, problem.length) == (1, 26, len("segment = 'Regulers'"))


def test_a_segment_is_never_offered_in_place_of_its_own_part(make):
    with pytest.raises(QueryError) as raised:
        make("Guests who buy", "segment = 'Guests'")

    assert raised.value.problems[0].message == 'There is no segment "Guests" in this shop.'


def test_an_id_that_no_shop_at_shopify_can_have_is_refused_there(make, at_work):
    query = "products_purchased MATCHES (id = 'Green tea')"
    assert make("Imported", query)

    at_work.shop.kind = "shopify"
    with pytest.raises(QueryError) as refusal:
        make("At Shopify", query)

    (found,) = refusal.value.problems
    assert (found.code, found.line, found.column, found.length) == ("id_not_shopify", 1, 33, 11)


def test_a_segment_cannot_be_made_of_itself(make):
    with pytest.raises(QueryError) as raised:
        make("VIP", "segment = 'vip'")

    assert str(raised.value) == "A segment cannot be made of itself: VIP → VIP."


def test_a_cycle_is_refused_with_its_path(make, change, at_work):
    first = make("A")
    make("B", "segment = 'A'")
    make("C", "segment = 'B' OR number_of_orders = 3")

    with pytest.raises(QueryError) as raised:
        change(
            segments.edit_segment,
            first,
            query="NOT segment = 'C'",
            author="bo",
            now=at_work.clock(),
        )

    assert str(raised.value) == "A segment cannot be made of itself: A → C → B → A."


def test_a_segment_that_others_name_is_not_deleted_and_they_are_named(make, change, at_work):
    used = make("A")
    make("B", "segment = 'A'")
    with at_work.runtime.office.session() as session:
        row = segments.find_segment(session, at_work.shop, used)
        today = at_work.clock().astimezone(at_work.shop.zone).date()
        tracking.create_tracking(
            session,
            at_work.shop,
            row,
            starts_on=today,
            ends_on=today,
            name="spring sale",
            author="ana",
            now=at_work.clock(),
        )
        session.add(tag_work(at_work, row, "vip", "assigning"))
        session.add(tag_work(at_work, row, "done", "assigned"))

    with pytest.raises(ConflictError) as raised:
        change(segments.delete_segment, used, now=at_work.clock())

    assert str(raised.value).endswith(': "B".')


def test_a_tracking_goes_on_with_the_rule_of_its_deleted_segment(make, change, at_work):
    """Decision 0021."""
    part, used = make("Part"), make("A", "segment = 'Part'")
    today = at_work.clock().astimezone(at_work.shop.zone).date()
    with at_work.runtime.office.session() as session:
        row = segments.find_segment(session, at_work.shop, used)
        tracking.create_tracking(
            session,
            at_work.shop,
            row,
            starts_on=today,
            ends_on=today + timedelta(days=60),
            author="ana",
            now=at_work.clock(),
        )
    change(segments.delete_segment, used, now=at_work.clock())

    with pytest.raises(ConflictError):
        change(segments.delete_segment, part, now=at_work.clock())
    with at_work.runtime.office.session() as session:
        empty_trash(session, at_work.shop, at_work.clock() + timedelta(days=31))
        followed = {one.segment_id for one in segments.definitions(session, at_work.shop)}
        empty_trash(session, at_work.shop, at_work.clock() + timedelta(days=62))
        later = {one.segment_id for one in segments.definitions(session, at_work.shop)}
    assert (followed, later) == ({part, used}, {part})


def test_what_is_over_does_not_keep_a_segment(make, change, at_work):
    used = make("A")
    with at_work.runtime.office.session() as session:
        row = segments.find_segment(session, at_work.shop, used)
        session.add(tag_work(at_work, row, "done", "removed"))

    change(segments.delete_segment, used, now=at_work.clock())

    with at_work.runtime.office.reading() as session:
        assert [one.name for one in segments.list_segments(session, at_work.shop)] == []


def tag_work(at_work, segment, tag, status):
    return TagAssignment(
        shop_id=at_work.shop.id,
        segment_id=segment.id,
        segment_name=segment.name,
        tag=tag,
        tag_key=tag,
        status=status,
        targeted_count=1,
        author="ana",
        created_at=at_work.clock(),
    )


def test_a_deleted_segment_frees_its_name_and_comes_back_under_another(make, change, at_work):
    deleted = make("VIP")
    change(segments.delete_segment, deleted, now=at_work.clock())
    make("vip")

    with at_work.runtime.office.session() as session:
        back = segments.restore_segment(session, at_work.shop, deleted, now=at_work.clock())

    assert back.name == "VIP (2)"


def test_renaming_rewrites_the_queries_that_name_the_segment(make, change, at_work):
    first = make("VIP")
    second = make("Others", "number_of_orders = 2  AND segment != 'vip'")

    change(segments.rename_segment, first, name="Ana's best", now=at_work.clock())

    row = at_work.row(second)
    assert row.query == r"number_of_orders = 2  AND segment != 'Ana\'s best'"
    assert row.version == 1


def test_what_is_brought_back_after_a_rename_means_the_same_segment(make, change, at_work):
    """Earlier versions and the trash follow, also where another segment has the old name now."""
    now = at_work.clock()
    first, edited = make("VIP"), make("Others", "segment != 'VIP'")
    change(segments.edit_segment, edited, query="number_of_orders = 2", author="bo", now=now)
    thrown = make("Thrown", "segment = 'VIP'")
    change(segments.delete_segment, thrown, now=now)

    change(segments.rename_segment, first, name="Best", now=now)
    make("VIP", "number_of_orders = 9")

    change(segments.restore_version, edited, version=1, author="bo", now=now)
    assert at_work.row(edited).query == "segment != 'Best'"
    with at_work.runtime.office.session() as session:
        back = segments.restore_segment(session, at_work.shop, thrown, now=now)
    assert back.query == "segment = 'Best'"


def test_only_the_named_segment_is_rewritten():
    query = "segment = 'VIP' OR (segment = 'VIPs' AND NOT segment = 'ｖｉｐ')"

    rewritten = renamed_query(query, name_key("VIP"), "Best")

    assert rewritten == "segment = 'Best' OR (segment = 'VIPs' AND NOT segment = 'Best')"


def test_an_edit_of_an_outdated_version_is_refused(make, change, at_work):
    made = make("VIP")
    now = at_work.clock()
    change(segments.edit_segment, made, query="number_of_orders = 2", author="bo", now=now)

    with pytest.raises(ConflictError) as raised:
        change(
            segments.edit_segment,
            made,
            query="number_of_orders = 3",
            author="cleo",
            now=now,
            expected_version=1,
        )

    assert raised.value.code == "segment_changed"


def test_an_earlier_version_comes_back_as_the_newest(make, change, at_work):
    made = make("VIP", "number_of_orders = 1")
    now = at_work.clock()
    change(segments.edit_segment, made, query="number_of_orders = 2", author="bo", now=now)

    change(segments.restore_version, made, version=1, author="cleo", now=now)

    with at_work.runtime.office.reading() as session:
        row = segments.find_segment(session, at_work.shop, made)
        versions = segments.list_versions(session, row)
    assert [(one.version, one.query, one.author) for one in versions] == [
        (3, "number_of_orders = 1", "cleo"),
        (2, "number_of_orders = 2", "bo"),
        (1, "number_of_orders = 1", "ana"),
    ]


def test_copies_are_numbered(make, change, at_work):
    made = make("VIP")
    now = at_work.clock()

    names = [
        change(segments.duplicate_segment, made, author="ana", now=now).name for _copy in range(2)
    ]

    assert names == ["VIP (2)", "VIP (3)"]


def test_a_segment_is_found_by_number_and_by_name(make, at_work):
    made = make("VIP")

    with at_work.runtime.office.reading() as session:
        found = [segments.find_segment(session, at_work.shop, key) for key in (made, "vip")]
        with pytest.raises(NotFoundError):
            segments.find_segment(session, at_work.shop, "9" * 30)

    assert [one.id for one in found] == [made, made]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("number_of_orders = 1", "query"),
        ("segment = 'A' AND NOT segment = 'B'", "combination"),
        ("segment = 'A' AND number_of_orders = 1", "query"),
    ],
)
def test_what_is_made_of_segments_alone_is_a_combination(make, at_work, query, kind):
    make("A")
    make("B")

    assert at_work.row(make("C", query)).kind == kind
