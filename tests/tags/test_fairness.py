"""A long job of one shop does not hold up another: two pretend Shopifys, one thread, one clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regulars.clock import SettableClock
from regulars.jobs import queue
from regulars.office.models.tags import TagAssignment
from tests.tags.test_on_the_simulator import Desk


@pytest.fixture
def long_and_short(tmp_path):
    """Two shops whose pretend Shopifys share one clock."""
    for name in ("long", "short"):
        (tmp_path / name).mkdir()
    long, short = Desk(tmp_path / "long"), Desk(tmp_path / "short")
    clock = SettableClock(long.now)
    for desk in (long, short):
        desk.place.time.instant = clock()
    yield long, short
    long.office.close()
    short.office.close()


def turn(desk: Desk):
    """Give a shop one turn; return how long it took on the clock and when it wants the next."""
    from regulars.tags import Worker
    from regulars.tags.shopify_side import ShopifyTags

    began_at = desk.place.time()
    port = ShopifyTags(desk.place.client, calls_at_once=1)
    pause = Worker(desk.office, desk.shop.id, port, desk.place.time).run()
    return desk.place.time() - began_at, pause


def test_a_long_job_delays_another_shop_by_less_than_two_seconds(long_and_short):
    long, short = long_and_short
    ids = [str(long.place.shop.create_customer(first_name=f"C{n}").id) for n in range(600)]
    long.ids |= {one: one for one in ids}
    long.assign("Long", *ids)
    # The bucket that was full at the start is spent, so that the long job has to wait for points.
    _spent, _ = turn(long)
    short.place.time.instant = long.place.time()
    assigned_at = short.place.time()
    given = short.assign("Short", "ana", "bo")

    # The worst case: the one thread has begun a turn of the long job.
    worst, pause = turn(long)
    short.place.time.instant = long.place.time()
    turn(short)

    assert pause is not None
    assert worst <= timedelta(seconds=2)
    assert short.place.time() - assigned_at <= timedelta(seconds=2)
    with short.office.reading() as session:
        assert session.get_one(TagAssignment, given).status == "assigned"


def test_jobs_that_go_on_stand_behind_those_that_wait(long_and_short):
    long, _short = long_and_short
    now = long.now
    with long.office.session() as session:
        first = queue.enqueue(session, shop_id=long.shop.id, kind="work_tags", now=now)
        other = queue.enqueue(
            session, shop_id=None, kind="work_tags", now=now + timedelta(milliseconds=1)
        )
        later = now + timedelta(seconds=1)
        taken = queue.take(session, later)
        assert taken is not None
        assert taken.id == first.id
        queue.postpone(session, taken, later)
        session.flush()
        following = queue.take(session, later)

    assert following is not None
    assert following.id == other.id
