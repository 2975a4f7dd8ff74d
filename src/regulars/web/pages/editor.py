"""The segment editor: builder and query text kept equal, exact counts and mistakes while typing.

One form holds the name, the rows and the text. Whatever changed last is named by `source`; the
other one is brought to it. What is saved is the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from regulars.engine import Counts, NodeCount, unknown_past, unseen_values
from regulars.errors import InputError, Problem, QueryError
from regulars.language import describe, parse
from regulars.language.completion import Completion
from regulars.language.tree import Node
from regulars.office.models.jobs import Job
from regulars.office.models.segments import Segment
from regulars.segments import (
    checked_query,
    create_segment,
    edit_segment,
    find_segment,
    name_key,
    rename_segment,
)
from regulars.web.deps import SignedIn, ToldProblem, Visit
from regulars.web.editing import (
    Condition,
    Group,
    Note,
    Written,
    attribute_choices,
    changed,
    completions,
    notes_on,
    offers,
    read_rows,
    row_notes,
    rows_of,
    view_of,
    written,
)
from regulars.web.effects import ToldEffect, effect_of, mark_of
from regulars.web.figures import Member, some_members
from regulars.web.other_days import day_over, end_of, labels

router = APIRouter(prefix="/segments")

#: What the page's script says where it tells the effect of each change at once.
TOLD_LIVE = "live"

QUERY_MAX = 20_000
#: As many as can be read at a glance.
PROPOSALS_MAX = 12


@dataclass
class Draft:
    """What is being edited, as it stands in the form."""

    name: str
    query: str
    rows: Group
    #: Whether the rows show the text as it stands; while the text has mistakes they lag behind.
    rows_are_current: bool = True
    segment: Segment | None = None
    version: int | None = None
    #: The day that the preview looks at, as it was written; empty: now.
    as_of: str = ""


@dataclass
class Result:
    """What is known about a draft: its mistakes, or its counts."""

    sentence: str = ""
    counts: Counts | None = None
    #: Path of a row → how many customers it keeps.
    row_counts: Mapping[str, int] = field(default_factory=dict)
    row_problems: Mapping[str, Sequence[ToldProblem]] = field(default_factory=dict)
    #: Path of a row → the values of it that the shop has never had.
    row_notes: Mapping[str, Sequence[Problem]] = field(default_factory=dict)
    mistakes: Sequence[ToldProblem] = ()
    samples: Sequence[Member] = ()
    #: How doubtful places were read, and what is probably not meant.
    notes: Sequence[Note] = ()
    #: What saving would do to a segment that exists; None while nothing was edited.
    effect: ToldEffect | None = None
    #: The day at whose end was counted; None: now.
    day: date | None = None
    #: What is only known as of now, so that today's values were used for that day.
    unknown: Sequence[str] = ()
    day_problems: Sequence[ToldProblem] = ()


@router.get("/new")
def show_new(visit: SignedIn) -> Response:
    """Show an empty editor, or one filled from a starter or from another segment."""
    query = visit.request.query_params
    name, text = query.get("name", ""), query.get("query", "")
    if query.get("from"):
        with visit.runtime.office.reading() as session:
            source = find_segment(session, visit.shop, query["from"])
        name, text = visit.say("Copy of {name}", name=source.name), source.query
    draft = _draft_of_text(Draft(name, text or "number_of_orders >= 1", Group()))
    return _page(visit, draft)


@router.get("/{segment_id:int}/edit")
def show_edit(visit: SignedIn, segment_id: int) -> Response:
    """Show the editor of a segment."""
    with visit.runtime.office.reading() as session:
        segment = find_segment(session, visit.shop, segment_id)
    draft = Draft(segment.name, segment.query, Group(), segment=segment, version=segment.version)
    return _page(visit, _draft_of_text(draft))


@router.get("/values")
def show_values(visit: SignedIn) -> Response:
    """Offer the shop's own values for a field of the builder, as options."""
    query = visit.request.query_params
    found = offers(
        visit.runtime,
        visit.shop,
        query.get("attribute", ""),
        query.get("parameter") or None,
        words=query.get(query.get("field", ""), "").strip(),
        language=visit.language,
    )
    return visit.page("editor/values.html", offers=found)


@router.get("/proposals")
def show_proposals(visit: SignedIn) -> Response:
    """Propose what may stand at a place of the query text, as JSON for the page's own script."""
    query = visit.request.query_params
    text, at = query.get("query", "")[:QUERY_MAX], query.get("at", "")
    place = min(int(at), len(text)) if at.isascii() and at.isdigit() and len(at) < 9 else len(text)
    found = completions(visit.runtime, visit.shop, text, place, visit.language)
    return JSONResponse([_proposal(visit, one) for one in found[:PROPOSALS_MAX]])


@router.post("/preview")
def preview(visit: SignedIn) -> Response:
    """Answer a change in the form with whatever follows from it, in parts."""
    draft = _draft_of_form(visit)
    if visit.field("segment"):
        with visit.runtime.office.reading() as session:
            draft.segment = find_segment(session, visit.shop, visit.field("segment"))
    source = visit.field("source")
    values = _values(visit, draft)
    values["with_builder"] = source == "text" or bool(visit.field("op")) or source == "builder"
    values["with_text"] = source != "text"
    return visit.page("editor/parts.html", **values)


@router.post("/new")
def create(visit: SignedIn) -> Response:
    """Save a new segment, or redraw the form for a button pressed without script."""
    draft = _draft_of_form(visit)
    if visit.field("op"):
        return _page(visit, draft)
    try:
        with visit.office() as session:
            segment = create_segment(
                session,
                visit.shop,
                name=draft.name,
                query=draft.query,
                author=visit.author,
                now=visit.now,
            )
            job = visit.jobs.refresh_segment_soon(session, visit.shop, segment.id, "created")
    except InputError as wrong:
        return _page(visit, draft, wrong)
    visit.jobs.work_here(job)
    return visit.go(f"/segments/{segment.id}", visit.say("“{name}” is saved.", name=segment.name))


@router.post("/{segment_id:int}/edit")
def save(visit: SignedIn, segment_id: int) -> Response:
    """Save name and rule of a segment."""
    draft = _draft_of_form(visit)
    with visit.runtime.office.reading() as session:
        draft.segment = find_segment(session, visit.shop, segment_id)
    version = visit.field("version")
    draft.version = int(version) if version.isdigit() else None
    if visit.field("op"):
        return _page(visit, draft)
    # What saving does is told of today, whatever day was looked at.
    draft.as_of = ""
    if _is_untold(visit, draft):
        values = _values(visit, draft)
        # A rule that cannot be read or counted has no effect to tell; saving it says why.
        if values["result"].effect is not None:
            return visit.page("editor/page.html", **values | {"told_mark": mark_of(draft.query)})
    try:
        made = _save(visit, segment_id, draft)
    except InputError as wrong:
        return _page(visit, draft, wrong)
    visit.jobs.follow_definitions(visit.shop)
    visit.jobs.work_here(*made)
    return visit.go(f"/segments/{segment_id}", visit.say("“{name}” is saved.", name=draft.name))


def _is_untold(visit: Visit, draft: Draft) -> bool:
    """Whether the page did not say yet what saving this rule does: without script nothing does."""
    segment = draft.segment
    if segment is None or draft.query == segment.query or draft.version != segment.version:
        return False
    return visit.field("told") not in {TOLD_LIVE, mark_of(draft.query)}


def _save(visit: Visit, segment_id: int, draft: Draft) -> Sequence[Job]:
    with visit.office() as session:
        segment = find_segment(session, visit.shop, segment_id)
        before = segment.version
        edit_segment(
            session,
            visit.shop,
            segment,
            query=draft.query,
            author=visit.author,
            now=visit.now,
            expected_version=draft.version,
        )
        if name_key(draft.name) != segment.name_key or draft.name.strip() != segment.name:
            rename_segment(session, visit.shop, segment, name=draft.name, now=visit.now)
        if segment.version == before:
            return ()
        return [visit.jobs.refresh_segment_soon(session, visit.shop, segment_id, "edited")]


def _draft_of_form(visit: Visit) -> Draft:
    """Read the form; the rows win where a row or a button of theirs was used."""
    # Browsers send two characters for an end of line and count one; places in the text go by one.
    text = visit.field("query").replace("\r\n", "\n")
    draft = Draft(visit.field("name"), text, Group(), as_of=visit.field("as_of").strip())
    op = visit.field("op")
    if visit.field("source") == "builder" or op:
        draft.rows = changed(read_rows(dict(visit.fields)), op)
        draft.query = written(draft.rows).text
        return draft
    return _draft_of_text(draft, read_rows(dict(visit.fields)))


def _draft_of_text(draft: Draft, rows_before: Group | None = None) -> Draft:
    try:
        draft.rows = rows_of(parse(draft.query))
    except QueryError:
        # The rows stay as they were; without any, the text stands in one row of its own.
        kept = rows_before if rows_before is not None and rows_before.parts else None
        draft.rows = kept or Group(parts=[Condition(text=draft.query)])
        draft.rows_are_current = False
    return draft


def _page(visit: Visit, draft: Draft, wrong: InputError | None = None) -> Response:
    values = _values(visit, draft)
    if wrong is not None:
        told = visit.problems(wrong)
        values["name_problems"] = [one for one in told if one.field == "name"]
        values["form_problems"] = [
            one for one in told if one.field != "name" and not isinstance(wrong, QueryError)
        ]
    return visit.page("editor/page.html", status=422 if wrong else 200, **values)


def _values(visit: Visit, draft: Draft) -> dict[str, Any]:
    result = evaluate(visit, draft)
    return {
        "draft": draft,
        "result": result,
        "today": visit.say.local(visit.now).date().isoformat(),
        "view": view_of(draft.rows, visit.say),
        "attributes": attribute_choices(visit.language),
        "turn": _whole(visit.field("turn")) or 0,
        # What was counted before the rule could not be read any more, and when.
        "last_count": _whole(visit.field("last_count")),
        "last_time": visit.field("last_time")[:8],
        "name_problems": (),
        "form_problems": (),
        #: Which rule's effect was shown before it is saved.
        "told_mark": "",
        "with_builder": True,
        "with_text": True,
    }


def _proposal(visit: Visit, one: Completion) -> dict[str, object]:
    label = one.label_ja if visit.language == "ja" else one.label_en
    count = one.count
    told = (
        "" if count is None else visit.say.ngettext("{count} customer", "{count} customers", count)
    )
    return {"text": one.text, "start": one.start, "end": one.end, "label": label, "count": told}


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def evaluate(visit: Visit, draft: Draft) -> Result:
    """Check and count a draft; every mistake is told, and stands with its row as well."""
    try:
        tree = _checked(visit, draft)
    except QueryError as wrong:
        return _mistaken(visit, draft, wrong)
    try:
        return _counted(visit, draft, tree)
    except InputError as wrong:
        return Result(mistakes=visit.problems(wrong))


def _counted(visit: Visit, draft: Draft, tree: Node) -> Result:
    try:
        day = day_over(visit, draft.as_of)
    except InputError as wrong:
        return Result(day_problems=visit.problems(wrong))
    evaluator = visit.runtime.evaluator(visit.shop)
    warehouse = visit.runtime.warehouse(visit.shop)
    context = visit.runtime.context(visit.shop, end_of(visit, day) if day else None)
    # The text that the rows make means the same and says where each row's part of it stands.
    rows = written(draft.rows)
    read = parse(rows.text) if draft.rows_are_current else tree
    counts = evaluator.counts(read, context)
    visit.note_look()
    unseen = unseen_values(warehouse, tree)
    samples = some_members(
        warehouse,
        evaluator.members(read, context),
        turn=_whole(visit.field("turn")) or 0,
    )
    return Result(
        sentence=describe(tree, visit.language, visit.shop.currency, visit.titles),
        counts=counts,
        row_counts=_row_counts(rows, counts) if draft.rows_are_current else {},
        row_notes=row_notes(rows, read, unseen) if draft.rows_are_current else {},
        samples=samples,
        notes=notes_on(draft.query, lambda part: len(evaluator.members(part, context)), unseen),
        # Saving changes who belongs from now on, whatever day is looked at.
        effect=_effect(visit, draft) if day is None else None,
        day=day,
        unknown=labels(unknown_past(tree, context), visit.language) if day else (),
    )


def _effect(visit: Visit, draft: Draft) -> ToldEffect | None:
    """Work out what saving would do, once the rule differs from the saved one."""
    segment = draft.segment
    if segment is None or segment.query == draft.query:
        return None
    return effect_of(visit, segment, draft.query)


def _checked(visit: Visit, draft: Draft) -> Node:
    segment = draft.segment
    with visit.runtime.office.reading() as session:
        return checked_query(
            session,
            visit.shop,
            draft.query,
            key=segment.name_key if segment else None,
            name=segment.name if segment else "",
        )


def _mistaken(visit: Visit, draft: Draft, wrong: QueryError) -> Result:
    told = visit.problems(wrong)
    by_row: dict[str, list[ToldProblem]] = {}
    places = written(draft.rows)
    if places.text == draft.query:
        for one in told:
            if one.start is not None:
                by_row.setdefault(places.row_at(one.start), []).append(one)
    return Result(mistakes=told, row_problems=by_row)


def _row_counts(rows: Written, counts: Counts) -> Mapping[str, int]:
    """Return each row's count: that of the largest part of the tree inside the row's text."""
    parts = list(_walk(counts.root))
    found: dict[str, int] = {}
    for path, (start, end) in rows.places.items():
        inside = (one for one in parts if start <= one.node.span.start and one.node.span.end <= end)
        largest = next(inside, None)
        if largest is not None:
            found[path] = largest.count
    return found


def _walk(root: NodeCount) -> Iterator[NodeCount]:
    yield root
    for part in root.parts:
        yield from _walk(part)
