"""What each kind of job does: the table from a job's kind to its function."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import update

from regulars import segments, shopify, tags
from regulars.jobs import live
from regulars.jobs.run import JobRun, Work
from regulars.office.models.shops import Shop
from regulars.segments import Changes
from regulars.tags.shopify_side import ShopifyTags
from regulars.warehouse.facts import Fact


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


def catch_up(run: JobRun) -> None:
    """Fetch and apply everything that changed at Shopify since the last look."""
    runtime, shop = run.runtime, run.shop
    at = runtime.clock()
    since = shop.caught_up_at or shop.loaded_at or shop.created_at
    count = 0
    for facts in batched(shopify.catch_up(runtime.shopify(shop), shop, since, at)):
        live.apply_facts(runtime, shop, facts, now=runtime.clock())
        count += len(facts)
        run.report(note=f"{count} changes fetched")
    _set(run, caught_up_at=at)


def read_again(run: JobRun) -> None:
    """Read one object of Shopify as it is now."""
    objects = [(str(run.arguments["kind"]), str(run.arguments["gid"]))]
    facts = shopify.read_again(run.runtime.shopify(run.shop), run.shop, objects)
    live.apply_facts(run.runtime, run.shop, facts, now=run.runtime.clock())


def work_tags(run: JobRun) -> timedelta | None:
    """Carry out waiting tag assignments and removals."""
    runtime, shop = run.runtime, run.shop
    worker = tags.Worker(
        runtime.office,
        shop.id,
        ShopifyTags(runtime.shopify(shop), alive=run.report),
        runtime.clock,
        changed=lambda one: _tags_changed(run, one),
    )
    return worker.run()


def _tags_changed(run: JobRun, assignment_id: int) -> None:
    run.runtime.news.publish(run.shop.id, "tags", assignment_id=assignment_id)
    run.report()


def batched(facts: Iterable[Fact], most: int = 500) -> Iterator[Sequence[Fact]]:
    """Yield the facts in lists of at most `most`."""
    waiting = iter(facts)
    while batch := list(itertools.islice(waiting, most)):
        yield batch


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
    "catch_up": catch_up,
    "read_again": read_again,
    "work_tags": work_tags,
}

#: The kinds that ask nobody outside, and so are done before a command reads memberships.
AT_HOME = ("refresh_segment", "refresh_all", "refresh_products", "day_change")
