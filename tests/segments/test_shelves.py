"""Shelves: description, icon, several groups, featured, thirty days of trash."""

from __future__ import annotations

import pytest

from regulars import segments
from regulars.errors import InputError, NotFoundError
from regulars.segments import shelves


@pytest.fixture
def put(at_work):
    def call(segment_id, *names):
        with at_work.runtime.office.session() as session:
            row = segments.find_segment(session, at_work.shop, segment_id)
            shelves.put_into_groups(session, at_work.shop, row, names)
            return dict(shelves.groups_of(session, at_work.shop))

    return call


def test_a_segment_is_in_several_groups_and_empty_ones_go(at_work, put):
    first, second = at_work.all_segments({"A": "number_of_orders = 1", "B": "number_of_orders = 2"})

    put(second, "Spring")
    assert put(first, "Spring", "spring ", "VIPs") == {"Spring": [first, second], "VIPs": [first]}
    assert put(first, "ｖｉｐｓ") == {"Spring": [second], "VIPs": [first]}
    assert put(first) == {"Spring": [second]}


@pytest.mark.parametrize("icon", ["⭐", "👩‍💻", "A", "", "🇯🇵"])
def test_one_sign_is_an_icon(at_work, icon):
    row = at_work.row(at_work.segment("A", "number_of_orders = 1"))

    shelves.mark_segment(row, icon, at_work.clock())

    assert row.icon == icon


@pytest.mark.parametrize("icon", ["a word", "abcdefgh", "⭐⭐⭐⭐⭐"])
def test_more_than_a_sign_is_no_icon(at_work, icon):
    row = at_work.row(at_work.segment("A", "number_of_orders = 1"))

    with pytest.raises(InputError, match="one sign"):
        shelves.mark_segment(row, icon, at_work.clock())


def test_the_trash_is_emptied_after_thirty_days_and_numbers_are_not_given_again(at_work):
    first = at_work.segment("A", "number_of_orders = 1")
    with at_work.runtime.office.session() as session:
        row = segments.find_segment(session, at_work.shop, first)
        segments.delete_segment(session, at_work.shop, row, now=at_work.clock())

    def in_trash():
        with at_work.runtime.office.reading() as session:
            return [one.id for one in segments.list_segments(session, at_work.shop, in_trash=True)]

    at_work.later(days=29)
    assert in_trash() == [first]
    at_work.later(days=1)
    assert in_trash() == []
    with at_work.runtime.office.session() as session, pytest.raises(NotFoundError):
        segments.restore_segment(session, at_work.shop, first, now=at_work.clock())
    assert at_work.segment("A", "number_of_orders = 2") > first
