"""The shop's day begins at its own midnight: on days of 23 hours, after a sleep, in a new zone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from regulars.clock import SettableClock
from regulars.jobs import works
from regulars.jobs.run import JobRun
from regulars.office import Shop
from regulars.office.models.jobs import Job
from tests.jobs.at_work import open_shop

#: In New York the clocks went forward in the night to 8 March 2026, and back on 1 November.
DAYS = [
    (datetime(2026, 3, 8, 4, 59, tzinfo=UTC), date(2026, 3, 7)),
    (datetime(2026, 3, 8, 5, 0, tzinfo=UTC), date(2026, 3, 8)),
    (datetime(2026, 3, 9, 3, 59, tzinfo=UTC), date(2026, 3, 8)),
    (datetime(2026, 3, 9, 4, 0, tzinfo=UTC), date(2026, 3, 9)),
    # Asleep for months.
    (datetime(2026, 11, 2, 4, 59, tzinfo=UTC), date(2026, 11, 1)),
    (datetime(2026, 11, 2, 5, 0, tzinfo=UTC), date(2026, 11, 2)),
]


@pytest.fixture
def new_york(tmp_path):
    clock = SettableClock(datetime(2026, 3, 7, 12, tzinfo=UTC))
    opened = open_shop(tmp_path / "home", clock=clock, time_zone="America/New_York")
    yield opened
    opened.runtime.close()


def changed_on(at_work) -> date | None:
    with at_work.runtime.office.reading() as session:
        return session.get_one(Shop, at_work.shop.id).day_changed_on


def test_days_begin_at_midnight_where_clocks_change_and_after_a_sleep(new_york):
    quiet = new_york.segment("Quiet", "last_order_date < -1d")
    new_york.told(new_york.order(1, "ana", 100))
    for now, day in DAYS:
        new_york.clock.instant = now
        new_york.jobs.run_until_idle()

        assert changed_on(new_york) == day
        # Ordered on the 7th: longer ago than yesterday from the 9th on.
        assert new_york.members(quiet) == ({"ana"} if day >= date(2026, 3, 9) else set())


def test_a_new_time_zone_is_followed_and_its_day_begun(new_york):
    quiet = new_york.segment("Quiet", "last_order_date < -1d")
    new_york.told(new_york.order(1, "ana", 100))
    new_york.clock.instant = datetime(2026, 3, 8, 16, tzinfo=UTC)
    new_york.jobs.run_until_idle()
    assert (changed_on(new_york), new_york.members(quiet)) == (date(2026, 3, 8), set())

    # There it is one in the morning of the 9th.
    job = Job(id=0, shop_id=new_york.shop.id, kind="compare")
    works.follow_zone(JobRun(new_york.runtime, new_york.jobs, job, new_york.shop), "Asia/Tokyo")
    new_york.jobs.run_until_idle()

    assert (changed_on(new_york), new_york.members(quiet)) == (date(2026, 3, 9), {"ana"})
