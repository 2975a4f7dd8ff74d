"""Customer tags: the dialog that assigns one, the history, one job's page, taking a tag back."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from regulars import tags
from regulars.errors import InputError
from regulars.office.models.segments import Segment
from regulars.segments import find_segment, list_segments
from regulars.shopify.limits import POINTS_PER_SECOND_FIRST
from regulars.tags import history, legacy, log
from regulars.tags.history import Entry
from regulars.tags.preview import Preview, known_tags, preview
from regulars.tags.rules import RuleOptions, create_rule, list_rules
from regulars.web.api.tags import NEXT_STEP, audience_of, outcome_file
from regulars.web.deps import SignedIn, Visit
from regulars.web.i18n import N_
from regulars.web.pages.tag_rules import form_values, options_of, shown_values

router = APIRouter()

#: Status → its word on screen and the tone of its badge.
STATUSES = {
    "waiting": (N_("Waiting"), "plain"),
    "assigning": (N_("Assigning"), "busy"),
    "paused": (N_("Paused"), "warn"),
    "assigned": (N_("Assigned"), "good"),
    "partly_failed": (N_("Partly failed"), "warn"),
    "failed": (N_("Failed"), "bad"),
    "cancelling": (N_("Cancelling"), "busy"),
    "cancelled": (N_("Cancelled"), "plain"),
    "removing": (N_("Removing"), "busy"),
    "removed": (N_("Removed"), "plain"),
    "partly_removed": (N_("Partly removed"), "warn"),
    "in_sync": (N_("In sync"), "good"),
    "syncing": (N_("Syncing"), "busy"),
    "stopped": (N_("Sync switched off"), "plain"),
}
KINDS = {"once": N_("Once"), "rule": N_("Kept in sync"), "legacy": N_("Static segments")}

#: Outcome of one customer → its words on screen, in the order shown.
OUTCOMES = {
    "given": N_("Got the tag"),
    "held": N_("Have it through another assignment"),
    "had_before": N_("Had it before and keep it"),
    "removed": N_("Tag taken off"),
    "kept_before": N_("Had it before and keep it"),
    "kept_wanted": N_("Keep it: another assignment gives it to them"),
    "not_given": N_("Never got it"),
    "gone": N_("No longer in Shopify"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled before their turn"),
    "taken_away": N_("Taken off by others in Shopify"),
    "taking": N_("Being checked"),
    "leaving": N_("About to lose it"),
    "told": N_("Being checked"),
    "waiting": N_("Waiting"),
}

#: Kind of event → its words on screen.
EVENTS = {
    "assigned": N_("Requested"),
    "started": N_("Work began"),
    "bulk_started": N_("A bulk operation began at Shopify"),
    "bulk_over": N_("The bulk operation is over"),
    "stood_still": N_("Work stood still"),
    "went_on": N_("Work went on"),
    "paused": N_("Paused"),
    "resumed": N_("Resumed"),
    "cancelled": N_("Cancelled"),
    "retried": N_("Failed customers are tried again"),
    "finished": N_("All customers are done"),
    "failed_in_part": N_("Some customers failed"),
    "removal_ordered": N_("Removal ordered"),
    "removal_started": N_("Removal began"),
    "removal_undone": N_("Removal undone"),
    "removed": N_("Removal is over"),
    "switched_off": N_("Rule switched off"),
    "switched_on": N_("Rule switched on"),
    "merged": N_("A customer was merged with another"),
}


@router.get("/segments/{segment_id:int}/assign-tag")
def show_assign(visit: SignedIn, segment_id: int) -> Response:
    """Show the dialog that asks for the tag."""
    return _dialog(visit, _segment(visit, segment_id), tag="")


@router.get("/segments/{segment_id:int}/assign-tag/preview")
def show_preview(visit: SignedIn, segment_id: int) -> Response:
    """Tell what the tag typed so far would do."""
    segment = _segment(visit, segment_id)
    text = visit.request.query_params.get("tag", "")
    return visit.page("tags/preview.html", segment=segment, **_previewed(visit, segment, text))


@router.post("/segments/{segment_id:int}/assign-tag")
def assign(visit: SignedIn, segment_id: int) -> Response:
    """Assign the tag to those who belong at this moment."""
    segment = _segment(visit, segment_id)
    tag = visit.field("tag")
    try:
        tags.clean_tag(tag)
        options = options_of(visit)
        if visit.field("mode") == "sync":
            return _keep_in_sync(visit, segment, tag, options)
        members = audience_of(visit.runtime, visit.shop, segment)
        with visit.office() as session:
            made = tags.assign(
                session,
                visit.shop,
                segment,
                tag,
                members,
                author=visit.author,
                now=visit.now,
                holdout_share=options.holdout_share,
            )
            visit.jobs.work_tags_later(session, visit.shop)
    except InputError as wrong:
        return _dialog(visit, segment, tag=tag, status=422, wrong=wrong)
    toast = visit.say("The tag “{tag}” is being assigned.", tag=made.tag)
    return visit.go(f"/tags/{made.id}", toast)


def _keep_in_sync(visit: Visit, segment: Segment, tag: str, options: RuleOptions) -> Response:
    with visit.office() as session:
        rule = create_rule(
            session, visit.shop, segment, tag, options, author=visit.author, now=visit.now
        )
        visit.jobs.follow_tag_rules_later(session, visit.shop)
    toast = visit.say("The tag “{tag}” is kept in sync from now on.", tag=rule.tag)
    return visit.go(f"/tags/rules/{rule.id}", toast)


@router.get("/tags")
def show_list(visit: SignedIn) -> Response:
    """Show the tag history, or only its rows when something may have changed."""
    query = visit.request.query_params
    words, status = query.get("q", "").strip(), query.get("status", "")
    status = status if status in STATUSES else ""
    segment_id = int(query["segment"]) if query.get("segment", "").isdigit() else None
    kind = query.get("kind", "") if query.get("kind", "") in KINDS else ""
    since, until = _day(query.get("since", "")), _day(query.get("until", ""))
    before = int(query["before"]) if query.get("before", "").isdigit() else None
    with visit.runtime.office.reading() as session:
        entries = history.list_entries(
            session,
            visit.shop,
            segment_id=segment_id,
            status=status or None,
            kind=kind or None,
            since=since,
            until=until,
            words=words,
            before_id=before,
        )
        choices = list_segments(session, visit.shop)
        rules = list_rules(session, visit.shop, only_on=True)
        legacy_rows = legacy.list_tags(session, visit.shop)
    seen = _fingerprint(entries)
    shown = {
        "q": words,
        "status": status,
        "segment": segment_id,
        "kind": kind,
        "since": since.isoformat() if since else "",
        "until": until.isoformat() if until else "",
        "before": before,
    }
    values: dict[str, Any] = {
        "entries": entries,
        "statuses": STATUSES,
        "seen": seen,
        "kinds": KINDS,
        "is_filtered": bool(words or status or segment_id or kind or since or until),
        "state": urlencode({key: value for key, value in shown.items() if value}),
        "next_before": entries[-1].assignment.id if len(entries) == history.PAGE_ROWS else None,
    }
    if visit.is_fragment:
        if query.get("seen") == seen:
            return Response(status_code=204)
        return visit.page("tags/rows.html", **values)
    return visit.page(
        "tags/list.html",
        words=words,
        chosen_status=status,
        segment_id=segment_id,
        segments=choices,
        chosen_kind=kind,
        since=since,
        until=until,
        rules=rules,
        legacy_rows=legacy_rows,
        chat_address=_chat_address(visit),
        **values,
    )


@router.get("/tags/{assignment_id:int}")
def show(visit: SignedIn, assignment_id: int) -> Response:
    """Show one assignment with its progress, or only that part when it may have changed."""
    entry, problems = _entry(visit, assignment_id)
    with visit.runtime.office.reading() as session:
        events = log.events(session, assignment_id)
        pace = history.pace_of(session, entry, visit.now)
    seen = _fingerprint([entry], len(events), events[0].id if events else 0)
    values: dict[str, Any] = {
        "entry": entry,
        "failures": problems,
        "statuses": STATUSES,
        "outcomes": OUTCOMES,
        "seen": seen,
        "events": events,
        "event_words": EVENTS,
        "points": _points_per_second(visit),
        "pace": pace,
        "next_step": NEXT_STEP,
    }
    if visit.is_fragment:
        if visit.request.query_params.get("seen") == seen:
            return Response(status_code=204)
        return visit.page("tags/job.html", **values)
    return visit.page("tags/show.html", **values)


@router.get("/tags/{assignment_id:int}/remove")
def show_remove(visit: SignedIn, assignment_id: int) -> Response:
    """Show the dialog that says from how many the tag is taken, and who keeps it."""
    return _remove_dialog(visit, assignment_id)


@router.post("/tags/{assignment_id:int}/removal")
def remove(visit: SignedIn, assignment_id: int) -> Response:
    """Take the tag back."""
    try:
        with visit.office() as session:
            found = tags.find_assignment(session, visit.shop, assignment_id)
            tags.remove(session, found, author=visit.author, now=visit.now)
            visit.jobs.work_tags_later(session, visit.shop)
    except InputError as wrong:
        return _remove_dialog(visit, assignment_id, status=409, wrong=wrong)
    toast = visit.say("The tag “{tag}” is being removed.", tag=found.tag)
    return visit.go(f"/tags/{assignment_id}", toast)


@router.post("/tags/{assignment_id:int}/pause")
def pause(visit: SignedIn, assignment_id: int) -> Response:
    """Let the work rest."""
    return _act(visit, assignment_id, tags.pause)


@router.post("/tags/{assignment_id:int}/resume")
def resume(visit: SignedIn, assignment_id: int) -> Response:
    """Let paused work go on."""
    return _act(visit, assignment_id, tags.resume)


@router.post("/tags/{assignment_id:int}/retry")
def retry(visit: SignedIn, assignment_id: int) -> Response:
    """Try the failed customers again."""
    return _act(visit, assignment_id, tags.retry)


@router.post("/tags/{assignment_id:int}/cancellation")
def cancel(visit: SignedIn, assignment_id: int) -> Response:
    """Stop for good."""
    return _act(visit, assignment_id, tags.cancel)


@router.post("/tags/{assignment_id:int}/removal/undo")
def undo_removal(visit: SignedIn, assignment_id: int) -> Response:
    """Stop taking the tag off, and give it again to those who lost it."""
    return _act(visit, assignment_id, tags.undo_removal)


@router.get("/tags/{assignment_id:int}/outcome.csv")
def download(visit: SignedIn, assignment_id: int) -> Response:
    """Send what came of each customer as a CSV file: ids and outcomes, no personal data."""
    with visit.runtime.office.reading() as session:
        tags.find_assignment(session, visit.shop, assignment_id)
    return outcome_file(visit, visit.shop, assignment_id)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _chat_address(visit: Visit) -> str:
    """Return the page where people are answered: the chat, or the help where there is none."""
    paths = {getattr(route, "path", "") for route in visit.request.app.routes}
    return "/chat" if "/chat" in paths else "/help"


def _segment(visit: Visit, segment_id: int) -> Segment:
    with visit.runtime.office.reading() as session:
        return find_segment(session, visit.shop, segment_id)


def _entry(visit: Visit, assignment_id: int) -> tuple[Entry, list[tuple[str, str]]]:
    with visit.runtime.office.reading() as session:
        found = tags.find_assignment(session, visit.shop, assignment_id)
        entry = history.entry_of(session, found)
        return entry, list(history.problem_rows(session, entry))


def _act(visit: Visit, assignment_id: int, act: tags.Act) -> Response:
    with visit.office() as session:
        found = tags.find_assignment(session, visit.shop, assignment_id)
        act(session, found, author=visit.author, now=visit.now)
        visit.jobs.work_tags_later(session, visit.shop)
    return visit.go(f"/tags/{assignment_id}")


def _dialog(
    visit: Visit,
    segment: Segment,
    *,
    tag: str,
    status: int = 200,
    wrong: InputError | None = None,
) -> Response:
    with visit.runtime.warehouse(visit.shop).reader() as cursor:
        suggestions = known_tags(cursor)
    return visit.dialog(
        "tags/assign.html",
        status=status,
        segment=segment,
        tag=tag,
        suggestions=suggestions,
        mode=visit.field("mode"),
        values=form_values(visit) if wrong else shown_values(None),
        back=f"/segments/{segment.id}",
        problems=visit.problems(wrong) if wrong else (),
        **_previewed(visit, segment, tag),
    )


def _previewed(visit: Visit, segment: Segment, text: str) -> dict[str, Any]:
    """Count what a tag would do; a text that is no tag counts as one that nobody has."""
    members = visit.runtime.memberships(visit.shop).members(segment.id)
    wrong: InputError | None = None
    tag = ""
    if text.strip():
        try:
            tag = tags.clean_tag(text)
        except InputError as error:
            wrong = error
    counted: Preview | None = None
    if tag:
        with visit.runtime.warehouse(visit.shop).reader() as cursor:
            counted = preview(cursor, members, tag)
    seconds = counted.seconds(_points_per_second(visit)) if counted else None
    return {
        "preview": counted,
        "member_count": len(members),
        "is_counted": segment.evaluated_at is not None,
        "minutes": None if seconds is None else max(1, round(seconds / 60)),
        "seconds": seconds,
        "preview_problems": visit.problems(wrong) if wrong else (),
        "is_connected": visit.shop.domain is not None,
    }


def _points_per_second(visit: Visit) -> float:
    """Return the shop's rate as Shopify last told it, or the smallest plan's before it did."""
    if visit.shop.domain is None:
        return POINTS_PER_SECOND_FIRST
    known = getattr(visit.runtime, "known_rate", None)
    return float(known(visit.shop)) if known else POINTS_PER_SECOND_FIRST


def _remove_dialog(
    visit: Visit, assignment_id: int, *, status: int = 200, wrong: InputError | None = None
) -> Response:
    with visit.runtime.office.reading() as session:
        found = tags.find_assignment(session, visit.shop, assignment_id)
        plan = history.plan_removal(session, found)
    return visit.dialog(
        "tags/remove.html",
        status=status,
        assignment=found,
        plan=plan,
        back=f"/tags/{assignment_id}",
        problems=visit.problems(wrong) if wrong else (),
    )


def _fingerprint(entries: list[Entry], *more: object) -> str:
    told: list[object] = [
        (
            entry.assignment.id,
            entry.assignment.status,
            entry.done_count,
            entry.problem,
            sorted(entry.counts.items()),
        )
        for entry in entries
    ]
    return sha256(repr((told, more)).encode()).hexdigest()[:16]
