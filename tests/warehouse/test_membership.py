"""The membership log: intervals that never overlap and never go backwards."""

from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from pyroaring import BitMap

from regulars.warehouse import Applied, LogEntry, Warehouse, membership
from regulars.warehouse.membership import NewMembers

START = datetime(2024, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def log(warehouse: Warehouse, *entries: LogEntry) -> int:
    with warehouse.transaction(changes_facts=False):
        return warehouse.log(entries)


def joins(customer_no: int, on: int) -> LogEntry:
    return LogEntry(1, customer_no, day(on), True, "order", 1)


def leaves(customer_no: int, on: int) -> LogEntry:
    return LogEntry(1, customer_no, day(on), False, "day change", 1)


def intervals(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with warehouse.reader() as cursor:
        return cursor.execute(
            "SELECT customer_no, joined_at, left_at FROM membership_intervals ORDER BY ALL"
        ).fetchall()


def test_members_follow_the_log(warehouse: Warehouse) -> None:
    log(warehouse, joins(1, 1), joins(2, 2), leaves(1, 3), joins(1, 5))

    assert warehouse.current_members(1) == BitMap([1, 2])
    assert warehouse.members_at(1, day(2)) == BitMap([1, 2])
    assert warehouse.members_at(1, day(4)) == BitMap([2])
    assert warehouse.members_at(1, day(0)) == BitMap()
    assert warehouse.members_ever(1, day(1), day(2)) == BitMap([1])


def test_a_join_of_a_member_and_a_leave_from_outside_are_left_out(warehouse: Warehouse) -> None:
    written = log(warehouse, joins(1, 1), joins(1, 2), leaves(2, 2), leaves(1, 3), leaves(1, 4))

    naive = [tuple(None if v is None else v for v in row) for row in intervals(warehouse)]

    assert written == 2
    assert naive == [(1, day(1).replace(tzinfo=None), day(3).replace(tzinfo=None))]


def test_an_entry_older_than_the_last_one_is_dated_like_it(warehouse: Warehouse) -> None:
    log(warehouse, joins(1, 5))
    log(warehouse, leaves(1, 2), joins(2, 3))

    for _, joined_at, left_at in intervals(warehouse):
        assert joined_at == day(5).replace(tzinfo=None)
        assert left_at is None or left_at >= joined_at


@pytest.mark.parametrize("at_once", [0, 100])
def test_whole_sets_are_logged_by_their_differences(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(membership, "ROWS_AT_ONCE", at_once)
    log(warehouse, joins(1, 1), joins(2, 1), LogEntry(3, 1, day(5), True, "x", 1))
    news = [
        NewMembers(1, BitMap([2, 3]), "rule edited", 2),
        NewMembers(2, BitMap([4]), "rule edited", 7),
        NewMembers(3, BitMap([1]), "rule edited", 1),
        NewMembers(3, BitMap(), "part_changed", 1),
        NewMembers(2, BitMap([4, 5]), "part_changed", 8),
    ]
    with warehouse.transaction(changes_facts=False) as cursor:
        warehouse.log_members(cursor, news, at=day(2))

    written = [tuple(one)[1:] for one in warehouse.log_entries(since=day(2))]
    assert written == [
        (2, 5, day(2), True, "part_changed", 8),
        (3, 1, day(5), False, "part_changed", 1),
        (2, 4, day(2), True, "rule edited", 7),
        (1, 1, day(2), False, "rule edited", 2),
        (1, 3, day(2), True, "rule edited", 2),
        (3, 1, day(5), True, "x", 1),
    ]
    assert warehouse.current_members(1) == BitMap([2, 3])
    assert warehouse.members_at(1, day(1)) == BitMap([1, 2])


def test_the_log_is_read_in_pages_newest_first(warehouse: Warehouse) -> None:
    log(warehouse, joins(1, 1), joins(2, 2), leaves(1, 3), LogEntry(9, 1, day(4), True, "x", 1))

    first = warehouse.log_entries(segment_id=1, limit=2)
    rest = warehouse.log_entries(segment_id=1, limit=2, before=first[-1].key)

    assert [(e.customer_no, e.joined, e.at) for e in (*first, *rest)] == [
        (1, False, day(3)),
        (2, True, day(2)),
        (1, True, day(1)),
    ]
    assert len(warehouse.log_entries(customer_nos=[1], since=day(2))) == 2
    assert [e.at for e in warehouse.log_entries(since=day(2), until=day(3))] == [day(3), day(2)]
    assert [e.segment_id for e in warehouse.log_entries(cause="x")] == [9]
    assert warehouse.log_entries(customer_nos=[]) == []


def test_a_rolled_back_entry_is_forgotten(warehouse: Warehouse) -> None:
    log(warehouse, joins(1, 1))

    def log_and_stop(cursor: duckdb.DuckDBPyConnection, _: Applied) -> None:
        warehouse.log([leaves(1, 2), joins(2, 2)])
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        warehouse.apply([], at=day(2), then=log_and_stop)

    assert warehouse.current_members(1) == BitMap([1])
    assert log(warehouse, joins(1, 3)) == 0


def test_the_log_is_read_again_from_the_file(warehouse: Warehouse) -> None:
    log(warehouse, joins(1, 1), joins(2, 2), leaves(1, 3))
    with warehouse.reader() as cursor:
        counts = cursor.execute("SELECT count(*) FROM membership_log").fetchall()

    assert counts == [(3,)]
    assert warehouse.members_at(1, day(9)) == warehouse.current_members(1)
