"""/shops/{shop}/live: how well the copy follows Shopify, parked webhooks, comparisons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, select

from regulars.errors import InputError, problem
from regulars.jobs import comparing, proving
from regulars.office import Shop
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.jobs import Job
from regulars.web.api.shapes import Asked, JobOut, job_of, job_out
from regulars.web.deps import ApiCall, ApiCaller

router = APIRouter(prefix="/shops/{shop}/live", tags=["live"])


class ParkedOut(BaseModel):
    """One webhook that could not be applied; its content stays private."""

    id: int
    topic: str
    received_at: datetime
    attempt_count: int
    #: The kind of failure; texts may hold personal data.
    problem: str | None


class ShopComparisonOut(BaseModel):
    """The newest comparison with Shopify."""

    state: str
    started_at: datetime
    finished_at: datetime | None
    #: Why it needs attention; None where it does not.
    problem: str | None
    result: dict[str, Any] | None


class ProofOut(BaseModel):
    """The newest comparison of kept members with an evaluation from nothing."""

    at: datetime
    #: How many segments were compared, and how many members they have together.
    segments: int
    members: int
    #: What was found wrong and has not been found right since.
    wrong: list[dict[str, Any]]
    #: Segments that cannot be evaluated at the moment.
    unanswered: list[str]


class LiveOut(BaseModel):
    """Where the copy of a shop stands."""

    caught_up_at: datetime | None
    waiting_count: int
    parked: list[ParkedOut]
    comparison: ShopComparisonOut | None
    proof: ProofOut | None


class CompareIn(Asked):
    """How to compare."""

    #: Delete also where it is a large part of what is stored.
    accept_deletions: bool = False


class ReplayedOut(BaseModel):
    """How many parked webhooks are tried again."""

    count: int


@router.get("")
def show(call: ApiCaller, shop: str) -> LiveOut:
    """Tell how well the copy follows Shopify."""
    return live_out(call, call.shop(shop))


def live_out(call: ApiCall, shop: Shop) -> LiveOut:
    """Read what is told of one shop."""
    waiting = select(func.count()).where(
        InboxEvent.shop_id == shop.id, InboxEvent.state == "waiting"
    )
    with call.runtime.office.reading() as session:
        waiting_count = session.scalar(waiting) or 0
        last = comparing.last_comparison(session, shop)
        proof = proving.last_proof(session, shop)
    return LiveOut(
        caught_up_at=shop.caught_up_at,
        waiting_count=waiting_count,
        parked=[
            ParkedOut.model_validate(one, from_attributes=True)
            for one in call.jobs.inbox.parked(shop)
        ],
        comparison=_comparison_out(call, shop, last) if last else None,
        proof=ProofOut.model_validate(job_out(proof).result) if proof else None,
    )


@router.post("/comparisons", status_code=202)
def compare(call: ApiCaller, shop: str, asked: CompareIn) -> JobOut:
    """Compare the whole shop with Shopify and repair what differs; the answer is a job."""
    found = call.shop(shop)
    if found.kind != "shopify" or found.loaded_at is None:
        template = 'The shop "{shop}" has no copy of Shopify yet that could be compared.'
        raise InputError(problem("nothing_to_compare", template, shop=found.name))
    with call.office() as session:
        job = call.jobs.compare_later(session, found, accept_deletions=asked.accept_deletions)
    return job_out(job)


@router.post("/proofs", status_code=202)
def prove(call: ApiCaller, shop: str) -> JobOut:
    """Compare the kept members of every segment with an evaluation from nothing; a job."""
    found = call.shop(shop)
    with call.office() as session:
        return job_out(call.jobs.prove_later(session, found))


@router.post("/replays", status_code=201)
def replay(call: ApiCaller, shop: str) -> ReplayedOut:
    """Try the parked webhooks again."""
    return ReplayedOut(count=call.jobs.inbox.replay(call.shop(shop)))


def _comparison_out(call: ApiCall, shop: Shop, job: Job) -> ShopComparisonOut:
    return ShopComparisonOut(
        state=job.state,
        started_at=job.created_at,
        finished_at=job.finished_at,
        problem=job.problem,
        result=job_of(call, shop, job).result,
    )
