"""A long job of one shop does not hold up another: two pretend Shopifys, one thread, one clock."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from regulars.clock import SettableClock
from regulars.jobs import Jobs, queue, works
from regulars.office import create_shop
from regulars.office.models.tags import TagAssignment
from tests.jobs.at_work import open_shop
from tests.tags.test_on_the_simulator import Desk

#: Far beyond what any of this takes; only a failure waits so long.
DEADLINE_SECONDS = 30


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


@pytest.fixture
def loading(tmp_path, monkeypatch):
    """Jobs whose loads go on until they are let go, with three shops."""
    at_work = open_shop(tmp_path)
    go_on, begun, tagged = threading.Event(), threading.Semaphore(0), threading.Event()

    def load(_run):
        begun.release()
        go_on.wait(DEADLINE_SECONDS)

    table = {**works.WORKS, "backfill": load, "work_tags": lambda _run: tagged.set()}
    monkeypatch.setattr(works, "WORKS", table)
    jobs = Jobs(at_work.runtime)
    with at_work.runtime.office.session() as session:
        shops = [
            create_shop(session, name=name, now=at_work.clock()) for name in ("one", "two", "three")
        ]
    jobs.start()
    yield at_work, jobs, shops, begun, tagged
    go_on.set()
    jobs.stop()
    at_work.runtime.close()


def test_loads_that_hold_every_slot_do_not_delay_the_tags_of_another_shop(loading):
    at_work, jobs, (one, two, three), begun, tagged = loading
    with at_work.runtime.office.session() as session:
        jobs.backfill_later(session, one)
        jobs.backfill_later(session, two)
    for _ in range(2):
        assert begun.acquire(timeout=DEADLINE_SECONDS)

    with at_work.runtime.office.session() as session:
        jobs.work_tags_later(session, three)

    # Both loads are still under way: they end only after this test.
    assert tagged.wait(DEADLINE_SECONDS)
