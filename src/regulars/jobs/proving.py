"""Proving: every hour some segments of each shop are worked out from nothing and compared.

The result is kept with the job and shown; a difference is told to everybody who listens, logged as
an error, and stays on the pages until a later proof of the same segments finds everything right.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.clock import is_over
from regulars.jobs import queue
from regulars.jobs.run import JobRun
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.segments import day_of, proof

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
#: So many segments at a time: two hundred are through in half a day.
SAMPLE = 20
#: How long a proof waits for work that is about to change members.
SETTLING = timedelta(seconds=5)
#: Work whose members are due but not there yet.
UNSETTLED = ("day_change", "refresh_all", "refresh_products", "refresh_segment")


def prove(run: JobRun) -> timedelta | None:
    """Compare the next segments, or all where that was asked for."""
    runtime, shop = run.runtime, run.shop
    if not _is_settled(run):
        return SETTLING
    with runtime.office.reading() as session:
        last = last_proof(session, shop)
    before = _result(last)
    everything = bool(run.arguments.get("everything"))
    found = proof.verify(
        runtime.office,
        runtime.warehouse(shop),
        runtime.memberships(shop),
        shop,
        now=runtime.clock(),
        most=None if everything else SAMPLE,
        after=int(str(before.get("last_id", 0))),
    )
    wrong = [one for one in found if not one.is_right]
    looked_at = {one.segment_id for one in found}
    still = [one for one in _listed(before) if one["segment_id"] not in looked_at]
    if wrong:
        names = ", ".join(one.name for one in wrong)
        log.error("kept members of %s differ from the rule: %s", shop.name, names)
        runtime.news.publish(shop.id, "proof", wrong=len(wrong))
    result = {
        "at": runtime.clock().isoformat(),
        "segments": len(found),
        "members": sum(one.members for one in found),
        "last_id": found[-1].segment_id if found else 0,
        "wrong": [*still, *(asdict(one) for one in wrong)],
        "unanswered": [one.name for one in found if one.problem],
    }
    run.report(1.0, "Compared", {"result": result})
    return None


def last_proof(session: Session, shop: Shop) -> Job | None:
    """Return the newest proof of a shop that came to an end."""
    found = select(Job).where(Job.shop_id == shop.id, Job.kind == "prove", Job.state == "succeeded")
    return session.scalar(found.order_by(Job.id.desc()).limit(1))


def found_wrong(session: Session, shop: Shop) -> list[dict[str, object]]:
    """Return what proofs found wrong in a shop and have not found right since."""
    return _listed(_result(last_proof(session, shop)))


def enqueue_due(session: Session, shop: Shop, now: datetime) -> None:
    """Enqueue the next proof once an hour has passed."""
    newest = queue.last_asked(session, "prove", shop_id=shop.id)
    if is_over(newest or shop.created_at, EVERY, now):
        queue.enqueue(session, shop_id=shop.id, kind="prove", now=now)


def _is_settled(run: JobRun) -> bool:
    """Whether the kept members are those of today, with no evaluation still to come."""
    is_open = select(Job.id).where(
        Job.shop_id == run.shop.id,
        Job.kind.in_(UNSETTLED),
        Job.state.in_(("waiting", "failed", "running")),
    )
    with run.runtime.office.reading() as session:
        shop = session.get_one(Shop, run.shop.id)
        has_day = shop.day_changed_on == day_of(shop, run.runtime.clock())
        return has_day and session.scalar(is_open.limit(1)) is None


def _result(job: Job | None) -> dict[str, object]:
    found = (job.cursor or {}).get("result") if job else None
    return found if isinstance(found, dict) else {}


def _listed(result: dict[str, object]) -> list[dict[str, object]]:
    wrong = result.get("wrong")
    return wrong if isinstance(wrong, list) else []
