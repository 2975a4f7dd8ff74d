"""What each kind of job does: the table from a job's kind to its function."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, update

from regulars import importing, segments, shopify, static_segments, tags
from regulars.jobs import (
    alarms,
    comparing,
    keeping,
    live,
    measuring,
    notices,
    privacy,
    proving,
    starting,
    tagging,
    telling,
)
from regulars.jobs.run import JobRun, Work
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.shops import Shop
from regulars.runtime import Runtime
from regulars.segments import Changes, shelves
from regulars.shopify.backfilling import KINDS
from regulars.warehouse.facts import Fact

log = logging.getLogger(__name__)

# Far beyond any retry, so that a late duplicate is still known.
EVENTS_KEPT = timedelta(days=7)


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
    if cause == "created":
        starting.follow_first_count(runtime, run.shop, segment_id)
    if cause in {"created", "restored"}:
        with runtime.office.session() as session:
            was_in_trash = cause == "restored"
            arguments: dict[str, object] = {"segment_id": segment_id, "was_in_trash": was_in_trash}
            key = str(segment_id)
            run.jobs.later(session, "back_fill_metrics", run.shop, key=key, arguments=arguments)


def refresh_all(run: JobRun) -> None:
    """Evaluate every segment: the facts were loaded anew."""
    _refresh(run, lambda *parts, now: segments.refresh_all(*parts, cause="loaded", now=now))


def refresh_products(run: JobRun) -> None:
    """Evaluate the segments that look at products."""
    _refresh(run, segments.refresh_products)


def day_change(run: JobRun) -> None:
    """Evaluate the segments that mention time, for the shop's present day."""
    today = run.runtime.clock().astimezone(run.shop.zone).date()
    # First the days that ended, by who belonged then; then the new one.
    measuring.close_days(run)
    _refresh(run, segments.refresh_day)
    _forget_old_events(run)
    with run.runtime.office.session() as session:
        notices.forget_old(session, run.runtime.clock())
        shelves.empty_trash(session, run.shop, run.runtime.clock())
    parts = upload_parts(run.runtime, run.shop)
    segments.uploads.forget_unfinished(parts, run.runtime.clock())
    static_segments.empty_trash(parts, run.runtime.clock())
    _set(run, day_changed_on=today)
    run.runtime.news.publish(run.shop.id, "day", on=today.isoformat())


def backfill(run: JobRun) -> None:
    """Copy the whole shop, or compare our copy with it where there is one already."""
    runtime, shop = run.runtime, run.shop
    if shop.loaded_at is not None:
        compare(run)
        return
    client, warehouse, at = runtime.shopify(shop), runtime.warehouse(shop), runtime.clock()
    subscribe(run)
    done = shopify.backfill(client, warehouse, shop, lambda step: _tell_step(run, step), at)
    _taken_over(run, done)


def compare(run: JobRun) -> None:
    """Look at the whole shop again: repair what differs, and tell how much that was."""
    runtime, shop = run.runtime, run.shop
    client, warehouse, at = runtime.shopify(shop), runtime.warehouse(shop), runtime.clock()
    subscribe(run)
    done = shopify.compare(
        client,
        warehouse,
        shop,
        lambda step: _tell_step(run, step),
        at,
        allow=comparing.check_of(run.arguments),
    )
    if done.deleted:
        live.apply_facts(runtime, shop, done.deleted, now=runtime.clock())
    loads = done.loaded.values()
    _taken_over(
        run,
        done,
        deleted_customers=sum(loaded.missing for loaded in loads),
        deleted_orders=len(done.deleted),
        differing=sum(loaded.differing for loaded in loads),
        differences=[asdict(one) for loaded in loads for one in loaded.differences],
    )


def follow_zone(run: JobRun, time_zone: str) -> None:
    """Take over the shop's time zone where it has another one now; its day is changed anew."""
    if time_zone != run.shop.time_zone:
        log.warning("%s is in %s now, not in %s", run.shop.name, time_zone, run.shop.time_zone)
        run.shop.time_zone = time_zone
        _set(run, time_zone=time_zone, day_changed_on=None)


def _taken_over(run: JobRun, done: shopify.Backfilled, **told: object) -> None:
    follow_zone(run, done.info.time_zone)
    run.report(0.97, "Evaluating segments")
    refresh_all(run)
    counts: dict[str, int] = {str(kind): loaded.rows for kind, loaded in done.loaded.items()}
    _set(run, loaded_at=run.runtime.clock(), caught_up_at=done.since)
    result = {**counts, **told, "without_access": list(done.unreadable)}
    run.report(1.0, "Loaded", {"result": result})


def _tell_step(run: JobRun, step: shopify.Step) -> None:
    """Three kinds, each collected, fetched and loaded, share the way up to the evaluation."""
    phases = ("collecting", "fetching", "loading", "loaded")
    of_kind = (phases.index(step.phase) + (step.share or 0.0)) / len(phases)
    progress = 0.95 * (KINDS.index(step.kind) + min(of_kind, 1.0)) / len(KINDS)
    run.report(progress, f"{step.phase.capitalize()} {step.kind}")


def subscribe(run: JobRun) -> None:
    """See that Shopify tells us of changes; done again with every look for missed ones."""
    settings = run.runtime.settings
    # Shopify sends to https only; the pretend one on this machine is not that strict.
    if not settings.address.startswith("https://") and not settings.simulator_url:
        return
    done = shopify.subscribe(run.runtime.shopify(run.shop), f"{settings.address}/webhooks/shopify")
    for topic, reason in done.refused.items():
        log.warning("%s does not send %s: %s", run.shop.name, topic, reason)


def import_files(run: JobRun) -> None:
    """Bring CSV files into a shop."""
    runtime, shop = run.runtime, run.shop
    folder = runtime.settings.home_folder / "imports"
    folder.mkdir(exist_ok=True)
    customers = run.arguments.get("customers")

    def tell(rows: int, done: int, whole: int) -> None:
        run.report(0.95 * done / whole if whole else None, f"{rows} rows read")

    report = importing.import_files(
        runtime.warehouse(shop),
        orders=Path(str(run.arguments["orders"])),
        customers=Path(str(customers)) if customers else None,
        currency=shop.currency,
        zone=shop.zone,
        rejects=folder / f"{shop.name}-{run.job.id}.csv",
        at=runtime.clock(),
        progress=tell,
    )
    run.report(0.97, "Evaluating segments")
    refresh_all(run)
    _set(run, loaded_at=runtime.clock())
    run.report(1.0, "Read", {"result": _told(report)})


def _told(report: importing.ImportReport) -> dict[str, object]:
    files = {"orders": report.orders, "customers": report.customers}
    told: dict[str, object] = {
        kind: {
            "rows": file.rows,
            "kept_rows": file.kept_rows,
            "rejected_rows": file.rejected_rows,
            "kind": file.kind,
            "encoding": file.encoding,
        }
        for kind, file in files.items()
        if file is not None
    }
    return told | {
        "order_count": report.order_count,
        "new_customer_count": report.new_customer_count,
        "rejects": str(report.rejects) if report.rejects else None,
    }


def check_upload(run: JobRun) -> None:
    """Find out whom the rows of an uploaded file stand for."""
    parts = upload_parts(run.runtime, run.shop)

    def tell(done: int, whole: int) -> None:
        run.report(0.8 * done / whole if whole else None, "Reading the rows")

    segments.uploads.run_check(parts, int(str(run.arguments["upload_id"])), tell)


def upload_parts(runtime: Runtime, shop: Shop) -> segments.uploads.Parts:
    """Return what uploads of a shop work with."""
    return segments.uploads.Parts(
        runtime.office,
        runtime.warehouse(shop),
        runtime.memberships(shop),
        shop,
        runtime.settings.home_folder / "uploads",
    )


def catch_up(run: JobRun) -> None:
    """Fetch and apply everything that changed at Shopify since the last look."""
    runtime, shop = run.runtime, run.shop
    at = runtime.clock()
    since = shop.caught_up_at or shop.loaded_at or shop.created_at
    subscribe(run)
    count = 0
    for facts in batched(shopify.catch_up(runtime.shopify(shop), shop, since, at)):
        live.apply_facts(runtime, shop, facts, now=runtime.clock())
        count += len(facts)
        run.report(note=f"{count} changes fetched")
    _set(run, caught_up_at=at)


def read_again(run: JobRun) -> None:
    """Read objects of Shopify as they are now; the arguments are kinds by global id."""
    objects = [(str(kind), gid) for gid, kind in sorted(run.arguments.items())]
    facts = shopify.read_again(run.runtime.shopify(run.shop), run.shop, objects)
    for batch in batched(facts):
        live.apply_facts(run.runtime, run.shop, batch, now=run.runtime.clock())


def work_tags(run: JobRun) -> timedelta | None:
    """Carry out waiting tag assignments and removals."""
    runtime, shop = run.runtime, run.shop
    worker = tags.Worker(
        runtime.office,
        shop.id,
        tagging.port_of(run),
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


def _forget_old_events(run: JobRun) -> None:
    """Forget events that nobody sends again: Shopify tries for four hours."""
    before = run.runtime.clock() - EVENTS_KEPT
    with run.runtime.office.session() as session:
        old = (InboxEvent.shop_id == run.shop.id, InboxEvent.applied_at < before)
        session.execute(delete(InboxEvent).where(*old))
    run.runtime.warehouse(run.shop).forget_events(before)


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
    "backfill": backfill,
    "catch_up": catch_up,
    "compare": compare,
    "back_fill_metrics": measuring.back_fill_metrics,
    "prove": proving.prove,
    "import_files": import_files,
    "check_upload": check_upload,
    "read_again": read_again,
    "work_tags": work_tags,
    "follow_tag_rules": tagging.follow_tag_rules,
    "check_tag_drift": tagging.check_tag_drift,
    "tell_of_messages": notices.tell_of_messages,
    "tell_of_alarms": alarms.tell_of_alarms,
    "redact_customer": privacy.redact_customer,
    "erase_shop": privacy.erase_shop,
    "make_backup": keeping.make_backup,
    "tell_outside": telling.tell_outside,
    "deliver_outside": telling.deliver_outside,
}

#: The kinds that hold a shop's facts for long.
LOADING = ("backfill", "compare", "import_files")

#: The kinds whose one try may take minutes. Short work of other shops, like tags, goes on beside
#: them in threads that they never get.
LONG = (*LOADING, "refresh_all", "back_fill_metrics", "prove", "catch_up", "check_upload")

#: The kinds that ask nobody outside, and so are done before a command reads memberships.
AT_HOME = (
    "refresh_segment",
    "refresh_all",
    "refresh_products",
    "day_change",
    "check_upload",
    "follow_tag_rules",
)
