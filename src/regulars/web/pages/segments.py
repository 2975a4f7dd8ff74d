"""Customer segments: the list, one segment with its tabs, and the small acts of the row menu."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from regulars import static_segments
from regulars.errors import ConflictError, InputError
from regulars.language import describe, parse
from regulars.money import decimal_of
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment
from regulars.office.models.trackings import RevenueTracking
from regulars.segments import (
    all_users,
    delete_segment,
    demand_unneeded,
    difference,
    find_segment,
    list_segments,
    list_versions,
    name_key,
    rename_segment,
    shelves,
)
from regulars.segments.exporting import lossy_rows
from regulars.tags.rules import list_rules
from regulars.web.deps import SignedIn, ToldProblem, Visit
from regulars.web.figures import Member, Moves, members_page, moves_since, universe_of, week_ago
from regulars.web.files import ENCODINGS, customers_file
from regulars.web.i18n import N_
from regulars.web.insight_views import insights_of_segment
from regulars.web.measures import SHOWN, Measure, measures_of, plots_of
from regulars.web.moves import found_customers, log_download, log_values, narrowed
from regulars.web.other_days import past_day, rfm_lines, what_may_come
from regulars.web.pages import tags
from regulars.web.pages import tracking as tracking_page
from regulars.web.pages.shelves import names_of
from regulars.web.pages.statics import phase_of
from regulars.web.starters import starters
from regulars.web.trackings import counted

router = APIRouter(prefix="/segments")

SORTS = {
    "name": N_("By name"),
    "customers": N_("Most customers"),
    "updated": N_("Edited last"),
    "change": N_("Largest change"),
}
KINDS = {
    "": N_("All kinds"),
    "query": N_("Rules"),
    "combination": N_("Combinations"),
    "csv": N_("CSV lists"),
}
TABS = {
    "members": N_("Members"),
    "metrics": N_("Metrics"),
    "log": N_("Joined & left"),
    "ahead": N_("What may come"),
    "overlap": N_("Overlap"),
    "features": N_("Features"),
    "cohorts": N_("Cohorts"),
    "tags": N_("Tags"),
    "revenue": N_("Revenue"),
    "definition": N_("Definition"),
}
#: With so many customers the figures are worked out while the page is drawn.
FIGURES_AT_ONCE = 100_000


@dataclass(frozen=True)
class Row:
    """One row of the list."""

    segment: Segment
    sentence: str
    count: int
    share: float | None
    moves: Moves
    groups: Sequence[str]

    @property
    def change(self) -> int:
        """How many more belong than a week ago, edits left out."""
        return self.moves.joined - self.moves.left


@router.get("")
def show_list(visit: SignedIn) -> Response:
    """Show the list, or only its rows when something may have changed."""
    query = visit.request.query_params
    chosen = {name: query.get(name, "").strip() for name in ("q", "sort", "group", "kind")}
    all_rows = _rows(visit)
    rows = _sorted(_matching(all_rows, chosen), chosen["sort"])
    seen = _fingerprint(rows)
    values: dict[str, Any] = {
        "rows": rows,
        "chosen": chosen,
        "is_filtered": bool(chosen["q"] or chosen["group"] or chosen["kind"]),
        "state": urlencode(chosen),
        "seen": seen,
    }
    if visit.is_fragment:
        if query.get("seen") == seen:
            return Response(status_code=204)
        return visit.page("segments/rows.html", **values)
    return visit.page(
        "segments/list.html",
        sorts_shown=[(key, visit.say(text)) for key, text in SORTS.items()],
        kinds_shown=[(key, visit.say(text)) for key, text in KINDS.items()],
        groups_shown=_group_choices(visit, all_rows),
        starters=starters(visit),
        phase=phase_of(visit),
        **values,
    )


@router.get("/{segment_id:int}")
def show(visit: SignedIn, segment_id: int) -> Response:
    """Show one segment; `tab` chooses what stands under the figures."""
    query = visit.request.query_params
    tab = query.get("tab", "members")
    tab = tab if tab in TABS else "members"
    with visit.runtime.office.reading() as session:
        segment = find_segment(session, visit.shop, segment_id)
        groups = names_of(shelves.groups_of(session, visit.shop), segment_id)
    values: dict[str, Any] = {
        "segment": segment,
        "groups": groups,
        "tab": tab,
        "part": tab,
        "tabs": TABS,
        "sentence": sentence(visit, segment.query),
        **_head_figures(visit, segment),
    }
    if visit.is_fragment and query.get("part") == "head":
        if query.get("seen") == values["seen"]:
            return Response(status_code=204)
        return visit.page("segments/head.html", **values, measures=measures_of(visit, segment))
    # In a large shop the figures take a moment: the page does not wait, the head fetches them.
    is_quick = values["everybody"] <= FIGURES_AT_ONCE
    values["measures"] = measures_of(visit, segment) if is_quick else ()
    values["unmeasured"] = [Measure.named(visit, name) for name in SHOWN]
    if not is_quick:
        values["seen"] = ""
    try:
        values.update(_tab_values(visit, segment, tab))
    except InputError as wrong:
        values.update(part="problem", tab_problems=visit.problems(wrong))
    if visit.is_fragment:
        return visit.page(f"segments/tab_{values['part']}.html", **values)
    return visit.page("segments/show.html", **values)


@router.get("/{segment_id:int}/rename")
def show_rename(visit: SignedIn, segment_id: int) -> Response:
    """Show the dialog for a new name."""
    segment = _find(visit, segment_id)
    return visit.dialog(
        "segments/rename.html", segment=segment, name=segment.name, back=f"/segments/{segment_id}"
    )


@router.post("/{segment_id:int}/rename")
def rename(visit: SignedIn, segment_id: int) -> Response:
    """Give a segment another name."""
    segment = _find(visit, segment_id)
    name = visit.field("name")
    try:
        with visit.office() as session:
            found = find_segment(session, visit.shop, segment_id)
            rename_segment(session, visit.shop, found, name=name, now=visit.now)
    except InputError as wrong:
        return visit.dialog(
            "segments/rename.html",
            status=422,
            segment=segment,
            name=name,
            back=f"/segments/{segment_id}",
            problems=visit.problems(wrong),
        )
    visit.jobs.follow_definitions(visit.shop)
    return visit.go(_way_back(visit), visit.say("Renamed to “{name}”.", name=name.strip()))


@router.get("/{segment_id:int}/delete")
def show_delete(visit: SignedIn, segment_id: int) -> Response:
    """Show the dialog that asks again."""
    segment = _find(visit, segment_id)
    with visit.runtime.office.reading() as session:
        users = all_users(session, visit.shop, segment, now=visit.now)
        try:
            demand_unneeded(session, visit.shop, segment, now=visit.now)
        except ConflictError as needed:
            return _needed(visit, segment, needed, status=200)
    return visit.dialog(
        "segments/delete.html",
        segment=segment,
        kept=shelves.TRASH_KEPT,
        trackings=[one for one in users if one.kind == "tracking"],
        assignments=[one for one in users if one.kind == "tag"],
        back=f"/segments/{segment_id}",
    )


@router.post("/{segment_id:int}/delete")
def delete(visit: SignedIn, segment_id: int) -> Response:
    """Put a segment into the trash."""
    segment = _find(visit, segment_id)
    try:
        with visit.office() as session:
            found = find_segment(session, visit.shop, segment_id)
            delete_segment(session, visit.shop, found, now=visit.now)
    except InputError as wrong:
        return _needed(visit, segment, wrong, status=409)
    visit.jobs.follow_definitions(visit.shop)
    return visit.go("/segments", visit.say("“{name}” was deleted.", name=segment.name))


def _needed(visit: Visit, segment: Segment, wrong: InputError, *, status: int) -> Response:
    return visit.dialog(
        "segments/delete.html",
        status=status,
        segment=segment,
        back=f"/segments/{segment.id}",
        problems=visit.problems(wrong),
    )


@router.get("/{segment_id:int}/export")
def show_export(visit: SignedIn, segment_id: int) -> Response:
    """Show the dialog that asks which columns and which encoding."""
    segment = _find(visit, segment_id)
    return visit.dialog(
        "segments/export.html",
        segment=segment,
        encodings_shown=[(key, visit.say(one.label)) for key, one in ENCODINGS.items()],
        back=f"/segments/{segment_id}",
    )


@router.get("/{segment_id:int}/export/losses")
def export_losses(visit: SignedIn, segment_id: int) -> Response:
    """Tell how many rows the chosen encoding could not write whole."""
    query = visit.request.query_params
    encoding, count = query.get("encoding", ""), 0
    if encoding == "cp932":
        lines = _csv_lines(visit, _find(visit, segment_id), personal=query.get("personal") == "on")
        count = lossy_rows(lines, encoding)
    return visit.page("segments/export_losses.html", count=count)


@router.get("/{segment_id:int}/members.csv")
def export(visit: SignedIn, segment_id: int) -> Response:
    """Send the members as a CSV file; names and addresses only when asked for."""
    query = visit.request.query_params
    segment = _find(visit, segment_id)
    encoding = query.get("encoding", "utf-8-sig")
    encoding = encoding if encoding in ENCODINGS else "utf-8-sig"
    personal = query.get("personal") == "on"
    lines = _csv_lines(visit, segment, personal=personal)
    return customers_file(visit, visit.shop, segment.name, lines, encoding, personal=personal)


@router.get("/{segment_id:int}/log.csv")
def log_file(visit: SignedIn, segment_id: int) -> Response:
    """Send who joined and left, all of it or as the page was narrowed."""
    segment = _find(visit, segment_id)
    words = visit.request.query_params.get("customer", "").strip()
    nos = found_customers(visit, words)
    asked = narrowed(visit, segment_id=segment.id, customer_nos=nos)
    return log_download(visit, asked, segment.name)


def sentence(visit: Visit, query: str) -> str:
    """Return a query in words; the text itself where it cannot be read any more."""
    try:
        return describe(parse(query), visit.language, visit.shop.currency, visit.titles)
    except InputError:
        return query


def _find(visit: Visit, segment_id: int) -> Segment:
    with visit.runtime.office.reading() as session:
        return find_segment(session, visit.shop, segment_id)


def _rows(visit: Visit) -> list[Row]:
    shop = visit.shop
    with visit.runtime.office.reading() as session:
        segments = list_segments(session, shop)
        groups = shelves.groups_of(session, shop)
    moves = moves_since(visit.runtime.warehouse(shop), week_ago(visit.now))
    everybody = len(universe_of(visit.runtime, shop))
    return [
        Row(
            segment,
            sentence(visit, segment.query),
            segment.member_count,
            segment.member_count / everybody if everybody else None,
            moves.get(segment.id, Moves()),
            groups=names_of(groups, segment.id),
        )
        for segment in segments
    ]


def _matching(rows: Sequence[Row], chosen: Mapping[str, str]) -> list[Row]:
    words, group, kind = chosen["q"].casefold(), name_key(chosen["group"]), chosen["kind"]
    return [
        row
        for row in rows
        if (words in row.segment.name.casefold() or words in row.sentence.casefold())
        and (not group or group in map(name_key, row.groups))
        and (not kind or row.segment.kind == kind)
    ]


def _group_choices(visit: Visit, rows: Sequence[Row]) -> Sequence[tuple[str, str]]:
    names = sorted({name for row in rows for name in row.groups}, key=name_key)
    return [("", visit.say("All groups")), *((name, name) for name in names)] if names else ()


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    if sort == "customers":
        return sorted(rows, key=lambda row: -row.count)
    if sort == "updated":
        return sorted(rows, key=lambda row: row.segment.updated_at, reverse=True)
    if sort == "change":
        return sorted(rows, key=lambda row: -abs(row.change))
    return rows


def _fingerprint(rows: Sequence[Row]) -> str:
    told = [
        (one.id, one.name, one.icon, one.state, row.count, row.moves, *row.groups)
        for row in rows
        for one in [row.segment]
    ]
    return sha256(repr(told).encode()).hexdigest()[:16]


def _head_figures(visit: Visit, segment: Segment) -> dict[str, Any]:
    moves = moves_since(visit.runtime.warehouse(visit.shop), week_ago(visit.now))
    moved = moves.get(segment.id, Moves())
    everybody = len(universe_of(visit.runtime, visit.shop))
    told = (segment.member_count, segment.state, moved, everybody, segment.version)
    return {
        "moved": moved,
        "everybody": everybody,
        "seen": sha256(repr(told).encode()).hexdigest()[:16],
    }


def _tab_values(visit: Visit, segment: Segment, tab: str) -> dict[str, Any]:
    tellers: Mapping[str, Callable[[Visit, Segment], dict[str, Any]]] = {
        "members": _members_values,
        "metrics": plots_of,
        "log": _log_values,
        "ahead": lambda visit, segment: what_may_come(visit, segment.query),
        "definition": _definition_values,
        "tags": _tags_values,
        "revenue": _revenue_values,
    }
    if tab in tellers:
        return tellers[tab](visit, segment)
    return insights_of_segment(visit, segment, tab)


def _definition_values(visit: Visit, segment: Segment) -> dict[str, Any]:
    with visit.runtime.office.reading() as session:
        versions = list_versions(session, segment)
    earlier = [one.query for one in versions[1:]]
    changes = [difference(old, one.query) for old, one in zip(earlier, versions, strict=False)]
    return {
        "versions": versions,
        "changes": [*changes, ()],
        "rfm_lines": rfm_lines(visit, segment.query),
    }


def _tags_values(visit: Visit, segment: Segment) -> dict[str, Any]:
    rows = select(TagAssignment).where(
        TagAssignment.shop_id == visit.shop.id, TagAssignment.segment_id == segment.id
    )
    with visit.runtime.office.reading() as session:
        return {
            "assignments": session.scalars(rows.order_by(TagAssignment.id.desc())).all(),
            "tag_rules": list_rules(session, visit.shop, segment_id=segment.id),
            "made_of": static_segments.made_into(session, segment),
            "statuses": tags.STATUSES,
        }


def _revenue_values(visit: Visit, segment: Segment) -> dict[str, Any]:
    found = select(RevenueTracking).where(
        RevenueTracking.shop_id == visit.shop.id, RevenueTracking.segment_id == segment.id
    )
    with visit.runtime.office.reading() as session:
        trackings = session.scalars(found.order_by(RevenueTracking.id.desc())).all()
    rows = counted(visit.runtime, visit.shop, trackings, visit.now)
    return {"trackings": rows, "statuses": tracking_page.STATUSES}


def _members_values(visit: Visit, segment: Segment) -> dict[str, Any]:
    visit.note_look()
    query = visit.request.query_params
    words, day = query.get("q", "").strip(), query.get("as_of", "").strip()
    wrong: Sequence[ToldProblem] = ()
    past = None
    try:
        past = past_day(visit, segment.query, day)
    except InputError as error:
        wrong = visit.problems(error)
    members = (
        visit.runtime.memberships(visit.shop).members(segment.id) if past is None else past.members
    )
    page = members_page(
        visit.runtime.warehouse(visit.shop), members, after=query.get("after", ""), words=words
    )
    return {
        "page": page,
        "words": words,
        "day": day,
        "day_problems": wrong,
        "past": past,
        "today": visit.say.local(visit.now).date().isoformat(),
        "is_first": not query.get("after"),
    }


def _log_values(visit: Visit, segment: Segment) -> dict[str, Any]:
    words = visit.request.query_params.get("customer", "").strip()
    nos = found_customers(visit, words)
    asked = narrowed(visit, segment_id=segment.id, customer_nos=nos)
    address = f"/segments/{segment.id}"
    return log_values(
        visit, asked, words=words, address=address, file=f"{address}/log.csv", tab="tab=log"
    )


def _way_back(visit: Visit) -> str:
    """Return the page that the dialog was opened on, or the list."""
    current = urlsplit(visit.request.headers.get("hx-current-url", ""))
    is_ours = current.path.startswith("/segments")
    return current.path + (f"?{current.query}" if current.query else "") if is_ours else "/segments"


def _csv_lines(visit: Visit, segment: Segment, *, personal: bool) -> Iterator[Sequence[object]]:
    heads = ["Customer ID", "Orders", "Total spent", "Last order"]
    yield [*heads, "Name", "Email"] if personal else heads
    warehouse = visit.runtime.warehouse(visit.shop)
    members = visit.runtime.memberships(visit.shop).members(segment.id)
    after: str | None = ""
    while after is not None:
        page = members_page(warehouse, members, after=after, most=1000)
        for member in page.members:
            yield _csv_row(visit, member, personal=personal)
        after = page.after


def _csv_row(visit: Visit, member: Member, *, personal: bool) -> Sequence[object]:
    last = visit.say.local(member.last_order_at).isoformat() if member.last_order_at else ""
    spent = decimal_of(member.spent_amount, visit.shop.currency)
    row = [member.customer_id, member.order_count, spent, last]
    return [*row, member.name, member.email] if personal else row
