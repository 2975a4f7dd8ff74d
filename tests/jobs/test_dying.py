"""Death at every named point of applying, a full disk, two appliers, a clock set back: one end."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from regulars.jobs.inbox import Inbox, _next_batch
from regulars.office.models.inbox import InboxEvent
from regulars.office.shops import find_shop
from regulars.warehouse.dump import dump_facts
from tests.jobs.at_work import AtWork, open_shop
from tests.jobs.dying import DISK_FULL, POINTS, QUERIES, opened, take_in

DEATHS = [*POINTS, DISK_FULL]


def facts_of(at_work: AtWork) -> str:
    with at_work.runtime.warehouse(at_work.shop).reader() as cursor:
        return "".join(dump_facts(cursor))


def end_of(at_work: AtWork) -> tuple[str, list[set[str]]]:
    """Return what has to be the same: facts byte by byte, and members, who are the log's too."""
    found = []
    for segment_id in range(1, len(QUERIES) + 1):
        found.append(at_work.members(segment_id))
        replayed: set[str] = set()
        for entry, _cause in at_work.logged(segment_id):
            is_join, customer = entry[0] == "+", entry[1:]
            assert is_join is (customer not in replayed)
            replayed ^= {customer}
        assert replayed == found[-1]
    return facts_of(at_work), found


@pytest.fixture(scope="module")
def in_order(tmp_path_factory):
    """What is there when the webhooks come in order, are applied one by one, and nobody dies."""
    at_work = open_shop(tmp_path_factory.mktemp("order") / "home")
    at_work.all_segments(QUERIES)
    take_in(at_work, lambda _: at_work.jobs.run_until_idle())
    yield end_of(at_work)
    at_work.runtime.close()


@pytest.fixture(scope="module")
def homes(tmp_path_factory) -> Path:
    """Homes in each of which somebody died."""
    base = tmp_path_factory.mktemp("deaths")
    ready = open_shop(base / "home")
    ready.all_segments(QUERIES)
    ready.runtime.close()
    command = [sys.executable, "-m", "tests.jobs.dying", str(base), *DEATHS]
    subprocess.run(command, check=True, capture_output=True)
    return base


@pytest.mark.parametrize("point", DEATHS)
def test_after_a_death_the_end_is_that_of_the_order_of_events(homes, in_order, point):
    home = homes / str(DEATHS.index(point))
    acknowledged = (home / "acknowledged").read_text().split()
    at_work = opened(home)
    with at_work.runtime.office.reading() as session:
        kept = {row.event_id for row in session.query(InboxEvent)}

    assert set(acknowledged) <= kept
    # Shopify sends again what was not acknowledged; what was is sent again by mistake.
    take_in(at_work, lambda _: None)
    at_work.later(minutes=2)

    assert end_of(at_work) == in_order
    with at_work.runtime.office.reading() as session:
        states = {row.state for row in session.query(InboxEvent)}
        assert states == {"applied"}
        assert max(row.attempt_count for row in session.query(InboxEvent)) == 0
    at_work.runtime.close()


def test_a_full_disk_stops_the_applying(homes):
    """Else the case above would prove nothing."""
    assert (homes / str(DEATHS.index(DISK_FULL)) / "left").read_text() == "6"


def test_two_appliers_at_once_count_nothing_twice(at_work, in_order):
    at_work.all_segments(QUERIES)
    take_in(at_work, lambda _: None)
    appliers = [Inbox(at_work.runtime, lambda: None) for _ in range(2)]
    threads = [threading.Thread(target=one.apply_all) for one in appliers]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert end_of(at_work) == in_order


def test_an_applier_that_slept_over_another_ones_work_changes_nothing(at_work, in_order):
    at_work.all_segments(QUERIES)
    take_in(at_work, lambda _: None)
    with at_work.runtime.office.reading() as session:
        held = _next_batch(session, at_work.shop.id, at_work.clock())
    at_work.jobs.run_until_idle()
    before = end_of(at_work)

    assert Inbox(at_work.runtime, lambda: None)._try(at_work.shop, held[:3], at_work.clock())

    assert end_of(at_work) == before
    assert before == in_order


def test_a_clock_set_back_loses_nothing_and_the_log_stays_in_order(at_work, in_order):
    at_work.all_segments(QUERIES)

    def step(name: str) -> None:
        at_work.jobs.run_until_idle()
        if name == "e2":
            at_work.clock.instant -= timedelta(hours=2)

    take_in(at_work, step)
    log = at_work.runtime.warehouse(at_work.shop).log_entries(limit=100)
    instants = [one.at for one in reversed(log)]

    assert end_of(at_work) == in_order
    assert instants == sorted(instants)


def test_a_clock_set_back_over_midnight_keeps_to_the_day_that_began(at_work):
    quiet = at_work.segment("Quiet", "last_order_date < -1d")
    at_work.told(at_work.order(1, "11", 100, 1), at_work.order(2, "12", 100, 1))
    assert at_work.members(quiet) == set()
    at_work.later(days=1)
    assert at_work.members(quiet) == {"11", "12"}

    # The clock says yesterday again; what is told now is judged by the day that began.
    at_work.clock.instant -= timedelta(days=1)
    shop = opened_shop(at_work)
    at_work.shop = shop
    at_work.told(at_work.customer("11", note="changed"))

    assert at_work.members(quiet) == {"11", "12"}


def opened_shop(at_work: AtWork):
    with at_work.runtime.office.reading() as session:
        return find_shop(session, "basic")


def test_a_day_that_was_never_reached_is_changed_back(at_work):
    at_work.later(days=9)
    at_work.clock.instant -= timedelta(days=8)

    at_work.jobs.run_until_idle()

    today = at_work.clock().astimezone(at_work.shop.zone).date()
    assert opened_shop(at_work).day_changed_on == today
