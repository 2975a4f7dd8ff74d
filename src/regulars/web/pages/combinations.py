"""Combine: a segment made of two others by AND, OR or EXCEPT; it follows both from then on."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from regulars.errors import InputError, problem
from regulars.language import parse
from regulars.language.literals import quoted
from regulars.office.models.segments import Segment
from regulars.segments import create_segment, list_segments
from regulars.web.deps import SignedIn, Visit, field_messages
from regulars.web.i18n import N_

router = APIRouter(prefix="/segments/combine")

WAYS = {
    "and": N_("in both (AND)"),
    "or": N_("in either (OR)"),
    "except": N_("in the first, not in the second (EXCEPT)"),
}
_TEXTS = {
    "and": "segment = {first} AND segment = {second}",
    "or": "segment = {first} OR segment = {second}",
    "except": "segment = {first} AND NOT segment = {second}",
}


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show the form, with its count."""
    return _page(visit)


@router.get("/count")
def count(visit: SignedIn) -> Response:
    """Count the combination as it stands."""
    return _page(visit, template="combine/count.html")


@router.post("")
def create(visit: SignedIn) -> Response:
    """Make the segment."""
    try:
        query = _query(_chosen(visit, "first"), _chosen(visit, "second"), visit.field("way"))
        with visit.office() as session:
            segment = create_segment(
                session,
                visit.shop,
                name=visit.field("name"),
                query=query,
                author=visit.author,
                now=visit.now,
            )
            job = visit.jobs.refresh_segment_soon(session, visit.shop, segment.id, "created")
    except InputError as wrong:
        return _page(visit, wrong)
    visit.jobs.work_here(job)
    return visit.go(f"/segments/{segment.id}", visit.say('"{name}" is saved.', name=segment.name))


def _page(
    visit: Visit, wrong: InputError | None = None, template: str = "combine/show.html"
) -> Response:
    with visit.runtime.office.reading() as session:
        segments = list_segments(session, visit.shop)
    query = visit.request.query_params
    first = visit.field("first") or query.get("first") or query.get("with", "")
    others = [str(one.id) for one in segments if str(one.id) != first]
    second = visit.field("second") or query.get("second") or (others[0] if others else "")
    first = first or next((str(one.id) for one in segments if str(one.id) != second), "")
    way = visit.field("way") or query.get("way", "and")
    way = way if way in WAYS else "and"
    by_id = {str(one.id): one for one in segments}
    a, b = by_id.get(first), by_id.get(second)
    return visit.page(
        template,
        status=422 if wrong else 200,
        choices=[(one.id, one.name) for one in segments],
        first=first,
        second=second,
        way=way,
        ways=[(key, visit.say(text)) for key, text in WAYS.items()],
        name=visit.field("name") or query.get("name", ""),
        told=field_messages(visit.problems(wrong)) if wrong else {},
        a=a,
        b=b,
        total=_count(visit, a, b, way) if a and b else None,
    )


def _chosen(visit: Visit, field: str) -> Segment:
    with visit.runtime.office.reading() as session:
        segments = {str(one.id): one for one in list_segments(session, visit.shop)}
    chosen = segments.get(visit.field(field))
    if chosen is None:
        raise InputError(problem("no_segment_chosen", "Choose a segment.", field=field))
    return chosen


def _query(first: Segment, second: Segment, way: str) -> str:
    text = _TEXTS.get(way, _TEXTS["and"])
    return text.format(first=quoted(first.name), second=quoted(second.name))


def _count(visit: Visit, a: Segment, b: Segment, way: str) -> int | None:
    try:
        tree = parse(_query(a, b, way))
        context = visit.runtime.context(visit.shop)
        return len(visit.runtime.evaluator(visit.shop).members(tree, context))
    except InputError:
        # One of the two has not been counted yet.
        return None
