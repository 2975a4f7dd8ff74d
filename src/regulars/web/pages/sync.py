"""Loading: how far the copy of the shop's customers and orders is, and what was compared when."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from fastapi import APIRouter
from sqlalchemy import func, select
from starlette.responses import Response

from regulars.jobs import comparing, proving
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.jobs import Job
from regulars.web.api.shapes import NAMED, job_out
from regulars.web.deps import SignedIn, Visit
from regulars.web.figures import universe_of
from regulars.web.i18n import N_

router = APIRouter(prefix="/sync")

JOB_NAMES = {
    "backfill": N_("Loading everything"),
    "catch_up": N_("Looking for changes"),
    "compare": N_("Comparing with Shopify"),
}
STATES = {
    "waiting": N_("waiting"),
    "running": N_("running"),
    "succeeded": N_("done"),
    "failed": N_("will be tried again"),
    "given_up": N_("given up"),
}
TONES = {"running": "busy", "succeeded": "good", "failed": "warn", "given_up": "bad"}


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show the page, or its live part when that changed."""
    values = _values(visit)
    if visit.is_fragment:
        if visit.request.query_params.get("seen") == values["seen"]:
            return Response(status_code=204)
        return visit.page("sync/state.html", **values)
    return visit.page("sync/show.html", **values)


@router.post("/catch-up")
def catch_up(visit: SignedIn) -> Response:
    """Look for changes at Shopify now."""
    with visit.office() as session:
        visit.jobs.catch_up_later(session, visit.shop)
    return visit.go("/sync", visit.say("Looking for changes."))


@router.post("/backfill")
def backfill(visit: SignedIn) -> Response:
    """Fetch everything again."""
    with visit.office() as session:
        visit.jobs.backfill_later(session, visit.shop)
    return visit.go("/sync", visit.say("Everything is being loaded again."))


@router.post("/compare")
def compare(visit: SignedIn) -> Response:
    """Compare everything, and delete what Shopify no longer lists where that was accepted."""
    accept = visit.field("accept") == "yes"
    with visit.office() as session:
        visit.jobs.compare_later(session, visit.shop, accept_deletions=accept)
    return visit.go("/sync", visit.say("Everything is being compared."))


@router.post("/replay")
def replay(visit: SignedIn) -> Response:
    """Try the parked messages again."""
    visit.jobs.inbox.replay(visit.shop)
    return visit.go("/sync", visit.say("The parked messages are tried again."))


def _compared(last: Job | None) -> dict[str, Any] | None:
    """Return what the newest comparison found; None while there is none that came to its end."""
    result = job_out(last).result if last is not None and last.state == "succeeded" else None
    return result if result and "differing" in result else None


def _values(visit: Visit) -> dict[str, Any]:
    shop = visit.shop
    with visit.runtime.office.reading() as session:
        jobs = session.scalars(
            select(Job)
            .where(Job.shop_id == shop.id, Job.kind.in_(JOB_NAMES))
            .order_by(Job.id.desc())
            .limit(10)
        ).all()
        last = comparing.last_comparison(session, shop)
        proof = proving.last_proof(session, shop)
        waiting = session.scalar(
            select(func.count())
            .select_from(InboxEvent)
            .where(InboxEvent.shop_id == shop.id, InboxEvent.state == "waiting")
        )
    compared = _compared(last)
    if compared and compared[NAMED]:
        visit.note_look()
    values: dict[str, Any] = {
        "jobs": jobs,
        "waiting": waiting or 0,
        "proof": job_out(proof).result if proof else None,
        "proved_at": proof.finished_at if proof else None,
        "parked": visit.jobs.inbox.parked(shop),
        "compared": compared,
        "compared_at": last.finished_at if last else None,
        "stopped": last if last is not None and last.state == "given_up" else None,
        "everybody": len(universe_of(visit.runtime, shop)),
        "job_names": JOB_NAMES,
        "states": STATES,
        "tones": TONES,
    }
    told = [values["waiting"], values["everybody"], str(shop.loaded_at), str(shop.caught_up_at)]
    told += [len(values["parked"]), str(values["proof"]), str(values["compared_at"])]
    told += [(job.id, job.state, job.progress, job.note) for job in jobs]
    values["seen"] = sha256(repr(told).encode()).hexdigest()[:16]
    return values
