"""What each kind of job does: the table from a job's kind to its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import update

from regulars import segments
from regulars.jobs import live
from regulars.jobs.run import JobRun, Work
from regulars.office.models.shops import Shop
from regulars.segments import Changes

# Shopify's clock and ours differ, and a change may be visible a little after it was made.
OVERLAP = timedelta(minutes=5)


def refresh_segment(run: JobRun) -> None:
    """Evaluate one segment and those made of it."""
    segment_id, cause = int(str(run.arguments["segment_id"])), str(run.arguments["cause"])
    runtime = run.runtime
    changes = segments.refresh(
        runtime.office,
        runtime.warehouse(run.shop),
        runtime.memberships(run.shop),
        run.shop,
        [segment_id],
        cause=cause,
        now=runtime.clock(),
    )
    live.tell(runtime, run.shop, changes)


def refresh_all(run: JobRun) -> None:
    """Evaluate every segment: the facts were loaded anew."""
    _refresh(run, lambda *parts, now: segments.refresh_all(*parts, cause="loaded", now=now))


def refresh_products(run: JobRun) -> None:
    """Evaluate the segments that look at products."""
    _refresh(run, segments.refresh_products)


def day_change(run: JobRun) -> None:
    """Evaluate the segments that mention time, for the shop's present day."""
    today = run.runtime.clock().astimezone(run.shop.zone).date()
    _refresh(run, segments.refresh_day)
    _set(run, day_changed_on=today)
    run.runtime.news.publish(run.shop.id, "day", on=today.isoformat())


def _refresh(run: JobRun, function: Callable[..., Changes]) -> None:
    runtime, shop = run.runtime, run.shop
    changes = function(
        runtime.office,
        runtime.warehouse(shop),
        runtime.memberships(shop),
        shop,
        now=runtime.clock(),
    )
    live.tell(runtime, shop, changes)


def _set(run: JobRun, **values: object) -> None:
    with run.runtime.office.session() as session:
        session.execute(update(Shop).where(Shop.id == run.shop.id).values(**values))


#: Each kind of job.
WORKS: Mapping[str, Work] = {
    "refresh_segment": refresh_segment,
    "refresh_all": refresh_all,
    "refresh_products": refresh_products,
    "day_change": day_change,
}
