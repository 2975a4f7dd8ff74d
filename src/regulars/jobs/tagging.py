"""What tags ask of the jobs: follow segments that changed, check for drift every night."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars import tags
from regulars.clock import is_over
from regulars.errors import ShopifyError
from regulars.jobs import merging, queue
from regulars.jobs.run import JobRun
from regulars.office import Shop
from regulars.office.models.tags import TagRule
from regulars.tags import drift, following, lease, tasks
from regulars.tags.bulks import BULK_PAUSE
from regulars.tags.segment_side import SegmentMembers
from regulars.tags.shopify_side import ShopifyTags

if TYPE_CHECKING:
    from regulars.jobs.jobs import Jobs

#: Between two checks for drift, and from which hour of the shop's day on.
DRIFT_PAUSE = timedelta(hours=20)
DRIFT_HOUR = 3


def listen(jobs: Jobs) -> None:
    """Have rules followed whenever a segment's members may have changed."""
    jobs.start_on({"segments"}, "follow_tag_rules", following.has_rules)


def enqueue_due(session: Session, shop: Shop, now: datetime) -> None:
    """Enqueue what a shop's tags ask for by time alone; asking twice adds nothing."""
    if following.grace_is_over(session, shop.id, now):
        queue.enqueue(session, shop_id=shop.id, kind="follow_tag_rules", now=now)
    if shop.kind != "shopify" or shop.disconnected_at is not None:
        return
    if tags.has_open_work(session, shop.id) and not queue.is_running(
        session, shop.id, ("work_tags",)
    ):
        queue.enqueue(session, shop_id=shop.id, kind="work_tags", now=now)
    if now.astimezone(shop.zone).hour >= DRIFT_HOUR and drift.has_live_tags(session, shop.id):
        last = drift.last_check(session, shop.id)
        is_old = is_over(last.checked_at if last else None, DRIFT_PAUSE, now)
        if is_old and not queue.is_running(session, shop.id, ("check_tag_drift",)):
            queue.enqueue(session, shop_id=shop.id, kind="check_tag_drift", now=now)


def follow_tag_rules(run: JobRun) -> None:
    """Turn what changed in segments into tag work."""
    runtime, shop = run.runtime, run.shop
    is_open = following.follow_rules(
        runtime.office,
        shop,
        SegmentMembers(runtime.warehouse(shop), runtime.memberships(shop)),
        runtime.clock(),
    )
    runtime.news.publish(shop.id, "tags")
    if is_open:
        with runtime.office.session() as session:
            run.jobs.work_tags_later(session, shop)


def port_of(run: JobRun) -> ShopifyTags:
    """Return the shop's tags at Shopify; where it cannot be asked, open work is told why."""
    runtime, shop = run.runtime, run.shop
    try:
        client = runtime.shopify(shop)
    except ShopifyError as error:
        with runtime.office.session() as session:
            tasks.excuse_all(session, shop.id, error, runtime.clock())
        raise
    return ShopifyTags(client, alive=run.report)


def check_tag_drift(run: JobRun) -> timedelta | None:
    """Compare our ledger with the tags at Shopify, and act on the rules' policies."""
    runtime, shop = run.runtime, run.shop
    port = port_of(run)
    if run.cursor is None:
        started_at = runtime.clock()
        gid = port.start_reading()
        run.report(note="Reading tags", cursor={"gid": gid, "at": started_at.isoformat()})
        return BULK_PAUSE
    gid = str(run.cursor["gid"])
    if not port.is_read(gid):
        return BULK_PAUSE
    merging.follow_missed(runtime, shop, runtime.clock())
    drift.check_drift(
        runtime.office,
        shop.id,
        port.readings(gid),
        read_at=datetime.fromisoformat(str(run.cursor["at"])),
        now=runtime.clock(),
    )
    with runtime.office.session() as session:
        run.jobs.later(session, "follow_tag_rules", shop)
    runtime.news.publish(shop.id, "tags")
    return None


def start(session: Session, now: datetime) -> None:
    """Take up what an earlier process left: its leases, and rules of which news was missed."""
    lease.free_all(session)
    for shop_id in session.scalars(select(TagRule.shop_id).where(TagRule.is_on).distinct()):
        queue.enqueue(session, shop_id=shop_id, kind="follow_tag_rules", now=now)
