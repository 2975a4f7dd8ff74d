"""Who belonged at the start of a tracking whose segment was not counted yet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from regulars import segments, tracking
from regulars.web.trackings import counted
from tests.jobs.at_work import open_shop


def test_a_segment_first_counted_after_midnight_has_its_members_at_the_start(tmp_path: Path):
    """The order after midnight makes bo a member who joined; ana belonged when the day began."""
    at_work = open_shop(tmp_path / "home")
    shop = at_work.shop
    at_work.told(at_work.order(1, "ana"), at_work.customer("bo"))
    today = at_work.clock().astimezone(shop.zone).date()
    with at_work.runtime.office.session() as session:
        row = segments.create_segment(
            session, shop, name="Buyers", query="number_of_orders >= 1", author="ana",
            now=at_work.clock(),
        )  # fmt: skip
        made = tracking.create_tracking(
            session, shop, row, starts_on=today + timedelta(days=1),
            ends_on=today + timedelta(days=7), author="ana", now=at_work.clock(),
        )  # fmt: skip
        at_work.jobs.refresh_segment_later(session, shop, row.id, "created")
        tracking_id = made.id
    # Nobody works until noon of the tracking's first day.
    at_work.clock.instant += timedelta(days=1)
    at_work.told(at_work.order(2, "bo", 300))
    at_work.clock.instant += timedelta(minutes=5)
    at_work.jobs.run_until_idle()
    with at_work.runtime.office.reading() as session:
        made = tracking.find_tracking(session, shop, tracking_id)
    [one] = counted(at_work.runtime, shop, [made], at_work.clock())
    at_work.runtime.close()

    assert one.figures.customers_at_start == 1
    assert one.figures.customers_now == 2
