"""Combine: a segment made of others by AND, OR and EXCEPT, in any order and nesting.

The form is worked on by its buttons, with the count and the overlap beside it; what is saved is a
query, so the segment follows all of its parts from then on. One that was made before is opened in
the same form, which then tells what saving it would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from pyroaring import BitMap
from starlette.responses import Response

from regulars.errors import InputError
from regulars.insights import overlap
from regulars.language import describe, parse, print_query
from regulars.office.models.segments import Segment
from regulars.segments import create_segment, edit_segment, find_segment, list_segments
from regulars.web.combining import (
    DEPTH_MAX,
    Combination,
    Part,
    changed_combination,
    chosen,
    combination_of,
    read_combination,
    tree_of,
)
from regulars.web.deps import SignedIn, ToldProblem, Visit, field_messages
from regulars.web.effects import ToldEffect, effect_of, mark_of
from regulars.web.i18n import N_
from regulars.web.part_paths import walk

router = APIRouter(prefix="/segments/combine")

WAYS = {
    "AND": N_("in all of these (AND)"),
    "OR": N_("in any of these (OR)"),
    "EXCEPT": N_("in the first, in none of the others (EXCEPT)"),
}
#: What stands between two parts.
BETWEEN = {"AND": N_("AND"), "OR": N_("OR"), "EXCEPT": N_("EXCEPT")}


@dataclass(frozen=True)
class Share:
    """How one part stands to the others."""

    name: str
    count: int
    #: In this part and in at least one other.
    shared: int
    only: int
    #: Of the part's customers, how many belong to the combination.
    kept: int


@dataclass(frozen=True)
class Result:
    """What is known about the combination as it stands."""

    total: int | None = None
    sentence: str = ""
    query: str = ""
    shares: Sequence[Share] = ()
    #: In every one of the parts.
    in_all: int = 0
    problems: Sequence[ToldProblem] = ()
    #: What saving would do to the segment that is edited; None while nothing was changed.
    effect: ToldEffect | None = None


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show the form; `with`, or `first`, `second` and `way`, fill it."""
    query = visit.request.query_params
    names = _names(visit)
    first = query.get("with") or query.get("first") or ""
    second = query.get("second") or ""
    others = [one for one in names if one != first]
    way = query.get("way", "").upper()
    root = Combination(
        way if way in WAYS else "AND",
        [
            Part(first if first in names else next(iter(others), "")),
            Part(second if second in names else ""),
        ],
    )
    return _page(visit, root, query.get("name", ""))


@router.post("/preview")
def preview(visit: SignedIn) -> Response:
    """Answer a change in the form with the form as it is then, and its count."""
    root = changed_combination(read_combination(dict(visit.fields)), visit.field("op"))
    return _page(visit, root, visit.field("name"), template="combine/parts.html")


@router.post("")
def create(visit: SignedIn) -> Response:
    """Make the segment, or redraw the form for a button pressed without script."""
    root = read_combination(dict(visit.fields))
    op, name = visit.field("op"), visit.field("name")
    if op:
        return _page(visit, changed_combination(root, op), name)
    try:
        query = print_query(tree_of(root, _names(visit)))
        with visit.office() as session:
            segment = create_segment(
                session, visit.shop, name=name, query=query, author=visit.author, now=visit.now
            )
            job = visit.jobs.refresh_segment_soon(session, visit.shop, segment.id, "created")
    except InputError as wrong:
        return _page(visit, root, name, wrong=wrong)
    visit.jobs.work_here(job)
    return visit.go(f"/segments/{segment.id}", visit.say("“{name}” is saved.", name=segment.name))


@router.get("/{segment_id:int}")
def show_edit(visit: SignedIn, segment_id: int) -> Response:
    """Show a combination that exists; the editor where its rule is more than the form can show."""
    segment = _found(visit, segment_id)
    numbers = {one.name_key: str(one.id) for one in _segments(visit)}
    root = combination_of(parse(segment.query), numbers)
    if root is None:
        text = visit.say(
            "The rule of {name} is more than a combination of segments. It is changed here.",
            name=segment.name,
        )
        return visit.go(f"/segments/{segment_id}/edit", text)
    return _page(visit, root, segment.name, edited=segment)


@router.post("/{segment_id:int}/preview")
def preview_edited(visit: SignedIn, segment_id: int) -> Response:
    """Answer a change with the form as it is then, its count and what saving it would do."""
    root = changed_combination(read_combination(dict(visit.fields)), visit.field("op"))
    segment = _found(visit, segment_id)
    return _page(visit, root, segment.name, template="combine/parts.html", edited=segment)


@router.post("/{segment_id:int}")
def save(visit: SignedIn, segment_id: int) -> Response:
    """Save a combination that exists, once it was told what that does."""
    root = read_combination(dict(visit.fields))
    op, version = visit.field("op"), visit.field("version")
    segment = _found(visit, segment_id)
    if op:
        return _page(visit, changed_combination(root, op), segment.name, edited=segment)
    try:
        query = print_query(tree_of(root, _names(visit)))
        if not _is_changed(segment, query):
            return visit.go(f"/segments/{segment.id}")
        if visit.field("told") != mark_of(query):
            return _page(visit, root, segment.name, edited=segment)
        with visit.office() as session:
            segment = edit_segment(
                session,
                visit.shop,
                find_segment(session, visit.shop, segment_id),
                query=query,
                author=visit.author,
                now=visit.now,
                expected_version=int(version) if version.isdigit() else None,
            )
            job = visit.jobs.refresh_segment_soon(session, visit.shop, segment.id, "edited")
    except InputError as wrong:
        return _page(visit, root, segment.name, wrong=wrong, edited=segment)
    visit.jobs.follow_definitions(visit.shop)
    visit.jobs.work_here(job)
    return visit.go(f"/segments/{segment.id}", visit.say("“{name}” is saved.", name=segment.name))


def _is_changed(segment: Segment, query: str) -> bool:
    return parse(query) != parse(segment.query)


def _page(
    visit: Visit,
    root: Combination,
    name: str,
    *,
    wrong: InputError | None = None,
    template: str = "combine/show.html",
    edited: Segment | None = None,
) -> Response:
    segments = [one for one in _segments(visit) if edited is None or one.id != edited.id]
    result = _result(visit, root, {str(one.id): one for one in segments}, edited)
    return visit.page(
        template,
        status=422 if wrong else 200,
        root=root,
        name=name,
        choices=[("", visit.say("Choose a segment")), *((one.id, one.name) for one in segments)],
        counts={str(one.id): one.member_count for one in segments},
        ways=[(key, visit.say(text)) for key, text in WAYS.items()],
        between=BETWEEN,
        depth_max=DEPTH_MAX,
        told=field_messages(visit.problems(wrong)) if wrong else {},
        result=result,
        edited=edited,
        address=f"/segments/combine/{edited.id}" if edited else "/segments/combine",
        #: Which rule's effect is shown.
        told_mark=mark_of(result.query) if result.effect else "",
    )


def _result(
    visit: Visit, root: Combination, segments: Mapping[str, Segment], edited: Segment | None
) -> Result:
    names = {number: one.name for number, one in segments.items()}
    root = chosen(root)
    try:
        query = print_query(tree_of(root, names))
        members = _members(visit, query)
        sets = _parts(visit, root, names)
        is_changed = edited is not None and _is_changed(edited, query)
        effect = effect_of(visit, edited, query) if edited and is_changed else None
    except InputError as wrong:
        # Not finished yet, or one of the segments was not counted so far.
        return Result(problems=visit.problems(wrong))
    shared = overlap(dict(enumerate(sets.values())))
    return Result(
        total=len(members),
        sentence=describe(parse(query), visit.language, visit.shop.currency, visit.titles),
        query=query,
        shares=[
            Share(
                name,
                len(one),
                len(one) - shared.only[place],
                shared.only[place],
                one.intersection_cardinality(members),
            )
            for place, (name, one) in enumerate(sets.items())
        ],
        in_all=len(BitMap.intersection(*sets.values())),
        effect=effect,
    )


def _parts(visit: Visit, root: Combination, names: Mapping[str, str]) -> Mapping[str, BitMap]:
    """Return the members of each segment that is named, once each, in the form's order."""
    used = [part.segment for _path, part in walk(root) if isinstance(part, Part)]
    memberships = visit.runtime.memberships(visit.shop)
    return {names[number]: memberships.members(int(number)) for number in dict.fromkeys(used)}


def _members(visit: Visit, query: str) -> BitMap:
    context = visit.runtime.context(visit.shop)
    return visit.runtime.evaluator(visit.shop).members(parse(query), context)


def _found(visit: Visit, segment_id: int) -> Segment:
    with visit.runtime.office.reading() as session:
        return find_segment(session, visit.shop, segment_id)


def _segments(visit: Visit) -> Sequence[Segment]:
    with visit.runtime.office.reading() as session:
        return list_segments(session, visit.shop)


def _names(visit: Visit) -> Mapping[str, str]:
    return {str(one.id): one.name for one in _segments(visit)}
