"""Tag rules on the pages: one rule with its acts, and the plan with drift and orphans."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from regulars import tags
from regulars.errors import InputError, problem
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagRule
from regulars.tags import brake, drift, following, rules
from regulars.tags.rules import RuleOptions
from regulars.web.api.tag_rules import plans_of, status_of
from regulars.web.api.tags import NEXT_STEP
from regulars.web.deps import SignedIn, Visit
from regulars.web.i18n import N_

router = APIRouter(prefix="/tags")

#: Status of a rule → its word on screen and the tone of its badge.
STATUSES = {
    "waiting": (N_("Waiting for the count"), "plain"),
    "held": (N_("Waits for you"), "warn"),
    "in_sync": (N_("In sync"), "good"),
    "syncing": (N_("Syncing"), "busy"),
    "paused": (N_("Paused"), "warn"),
    "off": (N_("Off"), "plain"),
}


@router.get("/rules/{rule_id:int}")
def show(visit: SignedIn, rule_id: int) -> Response:
    """Show one rule: what it does, where it stands, what waits."""
    with visit.runtime.office.reading() as session:
        rule = rules.find_rule(session, visit.shop, rule_id)
        assignment = following.assignment_of(session, rule.assignment_id)
        segment = session.get(Segment, rule.segment_id)
        lately = brake.recent(session, rule, visit.now)
        steps = brake.steps(session, rule)
    return visit.page(
        "tags/rule.html",
        rule=rule,
        assignment=assignment,
        segment=segment,
        lately_count=sum(step.give_count + step.take_count for step in lately),
        steps=steps,
        state=status_of(rule, assignment),
        rule_statuses=STATUSES,
        next_step=NEXT_STEP,
    )


@router.get("/rules/{rule_id:int}/edit")
def show_edit(visit: SignedIn, rule_id: int) -> Response:
    """Show the dialog with the tag and the options."""
    return _edit_dialog(visit, rule_id)


@router.post("/rules/{rule_id:int}/edit")
def edit(visit: SignedIn, rule_id: int) -> Response:
    """Give a rule another tag or other options."""
    try:
        options = options_of(visit)
        with visit.office() as session:
            rule = rules.find_rule(session, visit.shop, rule_id)
            rules.change_rule(session, visit.shop, rule, tag=visit.field("tag"), options=options)
            visit.jobs.follow_tag_rules_later(session, visit.shop)
    except InputError as wrong:
        return _edit_dialog(visit, rule_id, wrong)
    return visit.go(f"/tags/rules/{rule_id}", visit.say("The rule was changed."))


@router.get("/rules/{rule_id:int}/off")
def show_off(visit: SignedIn, rule_id: int) -> Response:
    """Show the dialog that asks whether the tags stay."""
    with visit.runtime.office.reading() as session:
        rule = rules.find_rule(session, visit.shop, rule_id)
        assignment = following.assignment_of(session, rule.assignment_id)
    count = assignment.targeted_count if assignment else 0
    back = f"/tags/rules/{rule_id}"
    return visit.dialog("tags/rule_off.html", rule=rule, count=count, back=back)


@router.post("/rules/{rule_id:int}/off")
def switch_off(visit: SignedIn, rule_id: int) -> Response:
    """Stop following the segment."""
    take = visit.field("tags") == "take"
    author, now = visit.author, visit.now
    return _act(
        visit,
        rule_id,
        lambda session, rule: rules.switch_off(session, rule, take=take, author=author, now=now),
        visit.say("The rule is off."),
    )


@router.post("/rules/{rule_id:int}/on")
def switch_on(visit: SignedIn, rule_id: int) -> Response:
    """Follow the segment again."""
    shop, author, now = visit.shop, visit.author, visit.now
    return _act(
        visit,
        rule_id,
        lambda session, rule: rules.switch_on(session, shop, rule, author=author, now=now),
        visit.say("The rule is on."),
    )


@router.post("/rules/{rule_id:int}/release")
def release(visit: SignedIn, rule_id: int) -> Response:
    """Let go of the brake."""
    return _act(visit, rule_id, lambda _session, rule: rules.release(rule), None)


@router.get("/plan")
def show_plan(visit: SignedIn) -> Response:
    """Show what would be given and taken off, what others changed, and tags nobody wants."""
    with visit.runtime.office.reading() as session:
        return visit.page(
            "tags/plan.html",
            plans=plans_of(visit.runtime, session, visit.shop),
            opened=tags.open_work(session, visit.shop.id),
            check=drift.last_check(session, visit.shop.id),
            orphans=drift.orphans(session, visit.shop.id),
            rule_statuses=STATUSES,
        )


@router.post("/drift")
def check_drift(visit: SignedIn) -> Response:
    """Have Shopify's tags compared with what we told it."""
    tags.demand_connected(visit.shop)
    with visit.office() as session:
        visit.jobs.check_tag_drift_later(session, visit.shop)
    return visit.go("/tags/plan", visit.say("Shopify's tags are being compared."))


def options_of(visit: Visit) -> RuleOptions:
    """Read a rule's options from a form; raises InputError naming each field that is no number."""
    problems = []

    def number(name: str, scale: float = 1.0) -> float | None:
        text = visit.field(name).strip()
        if not text:
            return None
        try:
            return float(text) * scale
        except ValueError:
            template = '"{text}" is not a number.'
            problems.append(problem("not_a_number", template, field=name, text=text[:40]))
            return None

    grace, brake, share = number("grace_days"), number("brake_number"), number("brake_share", 0.01)
    held, position = number("holdout", 0.01), number("position")
    if problems:
        raise InputError(*problems)
    return RuleOptions(
        grace_days=int(grace or 0),
        brake_number=None if brake is None else int(brake),
        brake_share=share,
        drift="repair" if visit.field("drift") == "repair" else "respect",
        holdout_share=held or 0.0,
        tier_group=visit.field("tier_group").strip() or None,
        position=int(position or 0),
    )


def _edit_dialog(visit: Visit, rule_id: int, wrong: InputError | None = None) -> Response:
    with visit.runtime.office.reading() as session:
        rule = rules.find_rule(session, visit.shop, rule_id)
    return visit.dialog(
        "tags/rule_edit.html",
        status=422 if wrong else 200,
        rule=rule,
        tag=visit.field("tag") if wrong else rule.tag,
        values=form_values(visit) if wrong else shown_values(rule),
        back=f"/tags/rules/{rule_id}",
        problems=visit.problems(wrong) if wrong else (),
    )


def form_values(visit: Visit) -> dict[str, str]:
    """Return what was typed, for showing it again."""
    names = ("grace_days", "brake_number", "brake_share", "holdout", "drift", "tier_group")
    return {name: visit.field(name) for name in (*names, "position")}


def shown_values(rule: TagRule | None) -> dict[str, str]:
    """Return a rule's options, or those of a new one, as a form shows them."""
    if rule is None:
        return {
            "grace_days": "0",
            "brake_share": f"{rules.BRAKE_SHARE * 100:g}",
            "drift": "respect",
        }
    return {
        "grace_days": str(rule.grace_days),
        "brake_number": "" if rule.brake_number is None else str(rule.brake_number),
        "brake_share": "" if rule.brake_share is None else f"{rule.brake_share * 100:g}",
        "holdout": f"{rule.holdout_share * 100:g}" if rule.holdout_share else "",
        "drift": rule.drift,
        "tier_group": rule.tier_group or "",
        "position": str(rule.position),
    }


def _act(
    visit: Visit,
    rule_id: int,
    act: Callable[[Session, TagRule], object],
    toast: str | None,
) -> Response:
    with visit.office() as session:
        rule = rules.find_rule(session, visit.shop, rule_id)
        act(session, rule)
        visit.jobs.follow_tag_rules_later(session, visit.shop)
    return visit.go(f"/tags/rules/{rule_id}", toast)
