"""/shops/{shop}/tag-rules, /tag-plan, /tag-drift, /tag-orphans: tags that follow segments."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.orm import Session

from regulars import segments, tags
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagDriftCheck, TagRule
from regulars.tags import drift, following, rules
from regulars.tags.following import RulePlan
from regulars.tags.rules import RuleOptions
from regulars.tags.segment_side import SegmentMembers
from regulars.web.api.shapes import Asked
from regulars.web.api.tags import NEXT_STEP
from regulars.web.deps import ApiCaller

if TYPE_CHECKING:
    from regulars.runtime import Runtime

router = APIRouter(prefix="/shops/{shop}", tags=["tag rules"])


class RuleOptionsIn(Asked):
    """How a rule behaves; shares are between 0 and 1."""

    grace_days: int = 0
    brake_number: int | None = None
    brake_share: float | None = rules.BRAKE_SHARE
    drift: Literal["respect", "repair"] = "respect"
    holdout: float = 0.0
    tier_group: str | None = None
    position: int = 0

    def options(self) -> RuleOptions:
        """Return them as the tags room takes them."""
        return RuleOptions(
            self.grace_days,
            self.brake_number,
            self.brake_share,
            self.drift,
            self.holdout,
            self.tier_group,
            self.position,
        )


class RuleIn(RuleOptionsIn):
    """A tag to be kept equal to a segment, which is named by its id or name."""

    segment: str
    tag: str


class RuleChangeIn(RuleOptionsIn):
    """Other options, and another tag where one is given."""

    tag: str | None = None


class SwitchOffIn(Asked):
    """Whether the tags are taken off or left."""

    take: bool = False


class RuleOut(BaseModel):
    """One rule and where it stands."""

    id: int
    tag: str
    segment_id: int
    segment: str
    is_on: bool
    #: "waiting" (its segment is not counted), "held" (by the brake), "off", or the assignment's.
    status: str
    #: Why the work stands still, and what to do about it; null while it goes on.
    problem: str | None
    next_step: str | None
    member_count: int
    holdout_count: int
    held_give_count: int
    held_take_count: int
    grace_days: int
    brake_number: int | None
    brake_share: float | None
    drift: str
    holdout: float
    tier_group: str | None
    position: int
    assignment_id: int | None
    author: str
    created_at: datetime


class RulesOut(BaseModel):
    """The rules of a shop."""

    rules: list[RuleOut]


class PlanOut(BaseModel):
    """What one rule would do now."""

    rule_id: int
    tag: str
    segment: str
    give_count: int
    take_count: int
    grace_count: int
    holdout_count: int
    #: Larger than the rule lets pass: a person is asked.
    brakes: bool
    #: The segment is not counted yet, or is in the trash.
    is_waiting: bool


class OpenOut(BaseModel):
    """Work that was ordered and is not through."""

    assignment_id: int
    tag: str
    status: str
    waiting_count: int


class WholePlanOut(BaseModel):
    """What would be given and taken off from now on."""

    rules: list[PlanOut]
    open: list[OpenOut]


class DriftedOut(BaseModel):
    """What a check found of one tag: not there though we gave it, or there though we took it."""

    tag: str
    missing_count: int
    foreign_count: int
    repaired_count: int
    #: The first of them by their ids; empty for callers who may not see who the customers are.
    missing: list[str]
    foreign: list[str]


class DriftOut(BaseModel):
    """The newest check of Shopify's tags; `checked_at` is None before the first."""

    checked_at: datetime | None
    customer_count: int
    found: list[DriftedOut]


class RuleJobOut(BaseModel):
    """A job that was started."""

    id: int
    state: str


class OrphanOut(BaseModel):
    """A tag of ours that nothing wants any more."""

    tag: str
    customer_count: int


class OrphansOut(BaseModel):
    """Tags of ours that nothing wants any more."""

    orphans: list[OrphanOut]


@router.get("/tag-rules")
def index(call: ApiCaller, shop: str, segment: str | None = None) -> RulesOut:
    """List the rules of a shop."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        number = segments.find_segment(session, found, segment).id if segment else None
        listed = rules.list_rules(session, found, segment_id=number)
        return RulesOut(rules=[_out(session, rule) for rule in listed])


@router.post("/tag-rules", status_code=201)
def create(call: ApiCaller, shop: str, asked: RuleIn) -> RuleOut:
    """Keep a tag equal to a segment from now on."""
    found = call.shop(shop)
    with call.office() as session:
        segment = segments.find_segment(session, found, asked.segment)
        rule = rules.create_rule(
            session,
            found,
            segment,
            asked.tag,
            asked.options(),
            author=call.author,
            now=call.now,
        )
        call.jobs.follow_tag_rules_later(session, found)
        return _out(session, rule)


@router.get("/tag-rules/{rule_id}")
def show(call: ApiCaller, shop: str, rule_id: int) -> RuleOut:
    """Show one rule."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        return _out(session, rules.find_rule(session, found, rule_id))


@router.put("/tag-rules/{rule_id}")
def change(call: ApiCaller, shop: str, rule_id: int, asked: RuleChangeIn) -> RuleOut:
    """Give a rule another tag or other options."""
    found = call.shop(shop)
    with call.office() as session:
        rule = rules.find_rule(session, found, rule_id)
        rules.change_rule(session, found, rule, tag=asked.tag, options=asked.options())
        call.jobs.follow_tag_rules_later(session, found)
        return _out(session, rule)


@router.post("/tag-rules/{rule_id}/off", status_code=202)
def switch_off(call: ApiCaller, shop: str, rule_id: int, asked: SwitchOffIn) -> RuleOut:
    """Stop following; leave the tags or take them off."""
    found = call.shop(shop)
    with call.office() as session:
        rule = rules.find_rule(session, found, rule_id)
        rules.switch_off(session, rule, take=asked.take, author=call.author, now=call.now)
        call.jobs.follow_tag_rules_later(session, found)
        return _out(session, rule)


@router.post("/tag-rules/{rule_id}/on", status_code=202)
def switch_on(call: ApiCaller, shop: str, rule_id: int) -> RuleOut:
    """Follow the segment again."""
    found = call.shop(shop)
    with call.office() as session:
        rule = rules.find_rule(session, found, rule_id)
        rules.switch_on(session, found, rule, author=call.author, now=call.now)
        call.jobs.follow_tag_rules_later(session, found)
        return _out(session, rule)


@router.post("/tag-rules/{rule_id}/release", status_code=202)
def release(call: ApiCaller, shop: str, rule_id: int) -> RuleOut:
    """Let go of the brake."""
    found = call.shop(shop)
    with call.office() as session:
        rule = rules.find_rule(session, found, rule_id)
        rules.release(rule)
        call.jobs.follow_tag_rules_later(session, found)
        return _out(session, rule)


@router.get("/tag-plan")
def plan(call: ApiCaller, shop: str) -> WholePlanOut:
    """Tell what would be given and taken off from now on."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        planned = plans_of(call.runtime, session, found)
        opened = tags.open_work(session, found.id)
    return WholePlanOut(
        rules=[
            PlanOut(
                rule_id=one.rule.id,
                tag=one.rule.tag,
                segment=one.segment_name,
                give_count=one.give_count,
                take_count=one.take_count,
                grace_count=one.grace_count,
                holdout_count=one.held_out_count,
                brakes=one.brakes,
                is_waiting=one.is_waiting,
            )
            for one in planned
        ],
        open=[
            OpenOut(assignment_id=row.id, tag=row.tag, status=row.status, waiting_count=count)
            for row, count in opened
        ],
    )


@router.get("/tag-drift")
def show_drift(call: ApiCaller, shop: str) -> DriftOut:
    """Show the newest check of Shopify's tags."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        last: TagDriftCheck | None = drift.last_check(session, found.id)
    if last is None:
        return DriftOut(checked_at=None, customer_count=0, found=[])
    drifted = [DriftedOut.model_validate(one) for one in last.found]
    if not call.may_see_customers:
        for one in drifted:
            one.missing, one.foreign = [], []
    return DriftOut(checked_at=last.checked_at, customer_count=last.customer_count, found=drifted)


@router.post("/tag-drift", status_code=202)
def check_drift(call: ApiCaller, shop: str) -> RuleJobOut:
    """Have Shopify's tags compared with what we told it."""
    found = call.shop(shop)
    tags.demand_connected(found)
    with call.office() as session:
        job = call.jobs.check_tag_drift_later(session, found)
        return RuleJobOut(id=job.id, state=job.state)


@router.get("/tag-orphans")
def show_orphans(call: ApiCaller, shop: str) -> OrphansOut:
    """List tags of ours that nothing wants any more."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        listed = drift.orphans(session, found.id)
    return OrphansOut(
        orphans=[OrphanOut(tag=one.tag, customer_count=one.customer_count) for one in listed]
    )


def plans_of(runtime: Runtime, session: Session, shop: Shop) -> list[RulePlan]:
    """Return what each rule of a shop would do now."""
    segments = SegmentMembers(runtime.warehouse(shop), runtime.memberships(shop))
    return following.Follower(session, shop, segments, runtime.clock()).plan()


def status_of(rule: TagRule, assignment: TagAssignment | None) -> str:
    """Return a rule's status in one word."""
    if not rule.is_on:
        return "off"
    if rule.held_at is not None:
        return "held"
    return assignment.status if assignment is not None else "waiting"


def _out(session: Session, rule: TagRule) -> RuleOut:
    segment = session.get(Segment, rule.segment_id)
    assignment = following.assignment_of(session, rule.assignment_id)
    halted = assignment.problem if assignment is not None else None
    return RuleOut(
        id=rule.id,
        tag=rule.tag,
        segment_id=rule.segment_id,
        segment=segment.name if segment else "",
        is_on=rule.is_on,
        status=status_of(rule, assignment),
        problem=halted,
        next_step=NEXT_STEP if halted else None,
        member_count=assignment.targeted_count if assignment else 0,
        holdout_count=assignment.holdout_count if assignment else 0,
        held_give_count=rule.held_give_count,
        held_take_count=rule.held_take_count,
        grace_days=rule.grace_days,
        brake_number=rule.brake_number,
        brake_share=rule.brake_share,
        drift=rule.drift,
        holdout=rule.holdout_share,
        tier_group=rule.tier_group,
        position=rule.position,
        assignment_id=rule.assignment_id,
        author=rule.author,
        created_at=rule.created_at,
    )
