"""Home: how the shop stands, what runs, and what needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from fastapi import APIRouter
from pyroaring import BitMap
from sqlalchemy import func, select
from starlette.responses import Response

from regulars import support
from regulars.office.models.jobs import Job
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment
from regulars.office.models.trackings import RevenueTracking
from regulars.segments import day_of, list_segments
from regulars.web.deps import SignedIn, Visit
from regulars.web.figures import Moves, moves_since, universe_of, week_ago
from regulars.web.i18n import N_

router = APIRouter()

#: Kinds of jobs as people call them; others are our own housekeeping and are not shown.
JOB_NAMES = {
    "backfill": N_("Loading the shop's customers and orders"),
    "work_tags": N_("Giving and removing tags"),
    "refresh_all": N_("Counting all segments"),
}

#: As many segments as are shown beside the featured ones.
SHOWN_MAX = 5


@dataclass(frozen=True)
class Matter:
    """One thing that needs a person."""

    text: str
    address: str


@dataclass(frozen=True)
class Mover:
    """A segment that many joined or left."""

    segment: Segment
    moves: Moves


@router.get("/")
def show(visit: SignedIn) -> Response:
    """Show the page, or only its figures when they changed."""
    if visit.current_shop is None:
        return visit.page("home/no_shop.html")
    values = _values(visit)
    if visit.is_fragment:
        if visit.request.query_params.get("seen") == values["seen"]:
            return Response(status_code=204)
        return visit.page("home/figures.html", **values)
    return visit.page("home/show.html", **values)


@router.post("/setup/dismissal")
def dismiss_setup(visit: SignedIn) -> Response:
    """Put the setup card of this shop away, for this person."""
    with visit.office() as session:
        support.dismiss(session, visit.person.id, f"setup:{visit.shop.id}", visit.now)
    return visit.go("/")


def _values(visit: Visit) -> dict[str, Any]:
    shop = visit.shop
    with visit.runtime.office.reading() as session:
        segments = list_segments(session, shop)
        jobs = session.scalars(
            select(Job).where(
                Job.shop_id == shop.id,
                Job.state.in_(("waiting", "running")),
                Job.kind.in_(JOB_NAMES),
                Job.due_at <= visit.now + timedelta(minutes=1),
            )
        ).all()
        since = visit.now - timedelta(days=30)
        tags = select(func.count()).select_from(TagAssignment)
        tags = tags.where(TagAssignment.shop_id == shop.id, TagAssignment.created_at >= since)
        tag_count = session.scalar(tags) or 0
        trackings = session.scalars(
            select(RevenueTracking).where(
                RevenueTracking.shop_id == shop.id, RevenueTracking.cancelled_at.is_(None)
            )
        ).all()
        matters = _matters(visit, segments, session)
        put_away = support.dismissed(session, visit.person.id)
    today = day_of(shop, visit.now)
    running = [one for one in trackings if one.starts_on <= today <= one.ends_on]
    values: dict[str, Any] = {
        "everybody": len(universe_of(visit.runtime, shop)),
        "in_segments": len(_in_any(visit, segments)),
        "segments": segments,
        "shown": _shown(segments),
        "tag_count": tag_count,
        "has_tracking": bool(trackings),
        "setup_shown": f"setup:{shop.id}" not in put_away,
        "running": running,
        "jobs": jobs,
        "job_names": JOB_NAMES,
        "matters": matters,
        "movers": _movers(visit, segments),
        "featured": _featured(visit, segments),
        "today": today,
    }
    values["seen"] = _fingerprint(values)
    return values


def _fingerprint(values: dict[str, Any]) -> str:
    told = [
        values["everybody"],
        values["in_segments"],
        values["tag_count"],
        [(one.id, one.name, one.member_count) for one in values["shown"]],
        len(values["segments"]),
        [(job.id, job.state, job.progress, job.note) for job in values["jobs"]],
        [matter.text for matter in values["matters"]],
        [(one.segment.id, one.moves) for one in values["movers"]],
        [(one.id, one.name) for one in values["running"]],
        [(one.segment.id, one.segment.member_count, one.moves) for one in values["featured"]],
    ]
    return sha256(repr(told).encode()).hexdigest()[:16]


def _in_any(visit: Visit, segments: Sequence[Segment]) -> BitMap:
    memberships = visit.runtime.memberships(visit.shop)
    return BitMap.union(BitMap(), *(memberships.members(one.id) for one in segments))


def _featured(visit: Visit, segments: Sequence[Segment]) -> list[Mover]:
    chosen = [one for one in segments if one.is_featured]
    moves = moves_since(visit.runtime.warehouse(visit.shop), week_ago(visit.now)) if chosen else {}
    return [Mover(one, moves.get(one.id, Moves())) for one in chosen]


def _shown(segments: Sequence[Segment]) -> list[Segment]:
    """Return the largest segments beside those that staff chose for this page."""
    others = [one for one in segments if not one.is_featured]
    return sorted(others, key=lambda one: -one.member_count)[:SHOWN_MAX]


def _movers(visit: Visit, segments: Sequence[Segment]) -> list[Mover]:
    moves = moves_since(visit.runtime.warehouse(visit.shop), week_ago(visit.now))
    movers = [Mover(one, moves.get(one.id, Moves())) for one in segments]
    moved = [one for one in movers if one.moves.joined or one.moves.left]
    return sorted(moved, key=lambda one: -(one.moves.joined + one.moves.left))[:5]


def _matters(visit: Visit, segments: Sequence[Segment], session: Any) -> list[Matter]:
    shop, say = visit.shop, visit.say
    matters = []
    if shop.disconnected_at is not None:
        text = say("The shop is no longer connected to Shopify. Nothing is fetched until it is.")
        matters.append(Matter(text, "/settings#connection"))
    for one in segments:
        if one.state == "broken":
            text = say("“{name}” cannot be counted at the moment.", name=one.name)
            matters.append(Matter(text, f"/segments/{one.id}"))
    failed = select(TagAssignment).where(
        TagAssignment.shop_id == shop.id, TagAssignment.status.in_(("partly_failed", "failed"))
    )
    for assignment in session.scalars(failed.order_by(TagAssignment.id.desc()).limit(3)):
        text = say("The tag “{tag}” could not be given to everybody.", tag=assignment.tag)
        matters.append(Matter(text, f"/tags/{assignment.id}"))
    given_up = select(Job).where(
        Job.shop_id == shop.id,
        Job.state == "given_up",
        Job.finished_at >= visit.now - timedelta(days=1),
    )
    for job in session.scalars(given_up.limit(3)):
        text = say("{work} was given up.", work=say(JOB_NAMES.get(job.kind, job.kind)))
        matters.append(Matter(text, "/sync"))
    return matters
