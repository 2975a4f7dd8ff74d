"""Tag rules as people set them: make, change, switch off and on, let go of the brake.

Only rows; `following` compares a rule with its segment, and `work` tells Shopify.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from regulars.errors import ConflictError, InputError, NotFoundError, problem
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagAudience, TagRule
from regulars.tags import log
from regulars.tags.acts import demand_connected
from regulars.tags.holdout import clean_share, let_in
from regulars.tags.ledger import may_have, parts
from regulars.tags.names import clean_tag, tag_key

GRACE_DAYS_MAX = 365
#: Where a person says nothing: a fifth of those who have the tag.
BRAKE_SHARE = 0.2

#: An assignment in these states can go on when its rule is switched on again.
_REUSABLE = ("in_sync", "syncing", "paused", "stopped")


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """How a rule behaves."""

    grace_days: int = 0
    #: None: no such limit.
    brake_number: int | None = None
    brake_share: float | None = BRAKE_SHARE
    drift: Literal["respect", "repair"] = "respect"
    holdout_share: float = 0.0
    tier_group: str | None = None
    #: The order in a tier group: the first rule that fits wins.
    position: int = 0


def create_rule(
    session: Session,
    shop: Shop,
    segment: Segment,
    tag: str,
    options: RuleOptions,
    *,
    author: str,
    now: datetime,
) -> TagRule:
    """Store that the tag is to be kept equal to the segment.

    Raises InputError for a tag or option that cannot be used and for a shop that is not connected,
    ConflictError where the segment keeps this tag already.
    """
    text = clean_tag(tag)
    demand_connected(shop)
    _demand_single(session, shop, segment.id, text, None)
    rule = TagRule(
        shop_id=shop.id,
        segment_id=segment.id,
        tag=text,
        tag_key=tag_key(text),
        author=author,
        created_at=now,
        is_on=True,
        is_released=True,
        held_give_count=0,
        held_take_count=0,
        **_cleaned(options),
    )
    session.add(rule)
    session.flush()
    _compare_group(session, rule)
    return rule


def change_rule(
    session: Session, shop: Shop, rule: TagRule, *, tag: str | None, options: RuleOptions
) -> None:
    """Give a rule another tag or other options. Customers get a new tag before the old one goes."""
    if tag is not None:
        text = clean_tag(tag)
        _demand_single(session, shop, rule.segment_id, text, rule.id)
        if tag_key(text) != rule.tag_key:
            # Everybody changes, and that is what was asked for.
            rule.is_released = True
        rule.tag, rule.tag_key = text, tag_key(text)
    grace_before = rule.grace_days
    for name, value in _cleaned(options).items():
        setattr(rule, name, value)
    _move_grace(session, rule, timedelta(days=rule.grace_days - grace_before))
    # Another group or share concerns everybody, in the rules beside it as well.
    session.execute(
        update(TagRule).where(TagRule.shop_id == shop.id, TagRule.is_on).values(followed_key=None)
    )


def switch_off(session: Session, rule: TagRule, *, take: bool, author: str, now: datetime) -> None:
    """Stop following; the tags stay, or are taken from whom the rule gave them to."""
    if not rule.is_on:
        raise ConflictError(
            problem("rule_is_off", 'The rule for the tag "{tag}" is off already.', tag=rule.tag)
        )
    rule.is_on, rule.switched_off_at, rule.held_at = False, now, None
    _compare_group(session, rule)
    assignment = session.get(TagAssignment, rule.assignment_id) if rule.assignment_id else None
    if assignment is None:
        return
    end_rows(session, assignment, take=take)
    let_in(session, assignment, None, now)
    assignment.status = "syncing"
    log.note(session, assignment.id, "switched_off", now, author=author)


def switch_on(session: Session, shop: Shop, rule: TagRule, *, author: str, now: datetime) -> None:
    """Follow the segment again, from a comparison of everybody."""
    if rule.is_on:
        raise ConflictError(
            problem("rule_is_on", 'The rule for the tag "{tag}" is on already.', tag=rule.tag)
        )
    demand_connected(shop)
    _demand_segment(session, rule)
    _demand_single(session, shop, rule.segment_id, rule.tag, rule.id)
    rule.is_on, rule.switched_off_at, rule.held_at = True, None, None
    rule.is_released, rule.followed_key = True, None
    _compare_group(session, rule)
    assignment = session.get(TagAssignment, rule.assignment_id) if rule.assignment_id else None
    if assignment is not None and assignment.status in _REUSABLE:
        assignment.status, assignment.finished_at = "syncing", None
        log.note(session, assignment.id, "switched_on", now, author=author)
    else:
        rule.assignment_id = None


def release(rule: TagRule) -> None:
    """Let go of the brake: a person saw the plan."""
    if rule.held_at is None:
        raise ConflictError(
            problem("rule_not_held", "Nothing waits for you here any more. Reload the page.")
        )
    rule.is_released, rule.held_at = True, None


def find_rule(session: Session, shop: Shop, rule_id: int) -> TagRule:
    """Return a rule of the shop; raises NotFoundError for any other."""
    found = session.get(TagRule, rule_id)
    if found is None or found.shop_id != shop.id:
        raise NotFoundError(
            problem(
                "no_tag_rule",
                "Tag rule {id} does not exist in shop {shop}.",
                command="regulars tags rules list --shop {shop}",
                field="id",
                id=rule_id,
                shop=shop.name,
            )
        )
    return found


def list_rules(
    session: Session, shop: Shop, *, segment_id: int | None = None, only_on: bool = False
) -> Sequence[TagRule]:
    """Return the rules of a shop: those that are on first, tiers in their order."""
    query = select(TagRule).where(TagRule.shop_id == shop.id)
    if segment_id is not None:
        query = query.where(TagRule.segment_id == segment_id)
    if only_on:
        query = query.where(TagRule.is_on)
    order = (TagRule.is_on.desc(), TagRule.tier_group, TagRule.position, TagRule.id)
    return session.scalars(query.order_by(*order)).all()


def end_rows(session: Session, assignment: TagAssignment, *, take: bool) -> None:
    """Want nothing more through an assignment's rows, or only nothing new."""

    def move(outcomes: Sequence[str], outcome: str, *, wanted: bool = False) -> None:
        session.execute(
            update(TagAudience)
            .where(
                TagAudience.assignment_id == assignment.id,
                TagAudience.wanted,
                TagAudience.outcome.in_(outcomes),
            )
            .values(outcome=outcome, wanted=wanted, leaves_at=None)
            .execution_options(synchronize_session=False)
        )

    if take:
        move(("given", "held", "told"), "leaving")
        move(("had_before",), "kept_before")
        move(("gone",), "gone")
        move(("taken_away",), "removed")
    session.execute(
        update(TagAudience)
        .where(
            TagAudience.assignment_id == assignment.id,
            TagAudience.outcome == "waiting",
            may_have(),
        )
        .values(outcome="leaving" if take else "told", wanted=not take)
        .execution_options(synchronize_session=False)
    )
    move(("waiting", "failed"), "cancelled")
    session.execute(
        update(TagAudience)
        .where(TagAudience.assignment_id == assignment.id)
        .values(leaves_at=None)
        .execution_options(synchronize_session=False)
    )
    assignment.targeted_count = count_wanted(session, assignment)


@contextmanager
def counted(
    session: Session, assignment: TagAssignment, ids: Collection[str] | None
) -> Iterator[None]:
    """Keep count of how many a rule's assignment wants its tag for, where only these may change.

    One order moves a few customers of a rule that may have hundreds of thousands. None: everybody.
    How many customers a person chose stays what it was.
    """
    if assignment.rule_id is None:
        yield
        return
    before = 0 if ids is None else count_wanted(session, assignment, ids)
    yield
    after = count_wanted(session, assignment, ids)
    known = 0 if ids is None else assignment.targeted_count
    assignment.targeted_count = known + after - before


def count_wanted(
    session: Session, assignment: TagAssignment, ids: Iterable[str] | None = None
) -> int:
    """Return for how many customers, or for how many of some, an assignment wants its tag."""
    wanted = select(func.count()).where(
        TagAudience.assignment_id == assignment.id, TagAudience.wanted
    )
    if ids is None:
        return session.scalar(wanted) or 0
    some = (wanted.where(TagAudience.customer_id.in_(part)) for part in parts(sorted(ids)))
    return sum(session.scalar(one) or 0 for one in some)


def _move_grace(session: Session, rule: TagRule, by: timedelta) -> None:
    """Let who left already keep the tag for as long as who leaves from now on."""
    leaving = (TagAudience.assignment_id == rule.assignment_id, TagAudience.leaves_at.is_not(None))
    if not by or rule.assignment_id is None:
        return
    ends = session.scalars(select(TagAudience.leaves_at).where(*leaving).distinct())
    # The latest first where they move on: none is to meet one that was moved.
    for end in sorted(filter(None, ends), reverse=by > timedelta()):
        session.execute(
            update(TagAudience)
            .where(*leaving, TagAudience.leaves_at == end)
            .values(leaves_at=end + by)
            .execution_options(synchronize_session=False)
        )


def _compare_group(session: Session, rule: TagRule) -> None:
    """Have a tier group compared whole: who is in one tier, is not in another."""
    if rule.tier_group is not None:
        session.execute(
            update(TagRule)
            .where(TagRule.shop_id == rule.shop_id, TagRule.tier_group == rule.tier_group)
            .values(followed_key=None)
        )


def _cleaned(options: RuleOptions) -> dict[str, object]:
    problems = []
    if not 0 <= options.grace_days <= GRACE_DAYS_MAX:
        text = "The grace time is between 0 and {most} days."
        problems.append(problem("rule_grace", text, field="grace_days", most=GRACE_DAYS_MAX))
    if options.brake_number is not None and options.brake_number < 1:
        text = "The brake's number of customers is 1 or more; leave it empty for none."
        problems.append(problem("rule_brake_number", text, field="brake_number"))
    if options.brake_share is not None and not 0 < options.brake_share <= 1:
        text = "The brake's share is more than 0 and at most 100 percent; leave it empty for none."
        problems.append(problem("rule_brake_share", text, field="brake_share"))
    if options.drift not in {"respect", "repair"}:
        text = 'What is done about changes by others is "respect" or "repair".'
        problems.append(problem("rule_drift", text, field="drift"))
    if problems:
        raise InputError(*problems)
    group = (options.tier_group or "").strip()[:80] or None
    return {
        "grace_days": options.grace_days,
        "brake_number": options.brake_number,
        "brake_share": options.brake_share,
        "drift": options.drift,
        "holdout_share": clean_share(options.holdout_share),
        "tier_group": group,
        "position": options.position,
    }


def _demand_segment(session: Session, rule: TagRule) -> None:
    segment = session.get(Segment, rule.segment_id)
    if segment is None or segment.deleted_at is not None:
        raise ConflictError(
            problem(
                "rule_without_segment",
                "The segment of this rule was deleted. "
                "Bring it back from the trash first, or make a rule of another segment.",
            )
        )


def _demand_single(
    session: Session, shop: Shop, segment_id: int, tag: str, rule_id: int | None
) -> None:
    other = session.scalar(
        select(TagRule).where(
            TagRule.shop_id == shop.id,
            TagRule.segment_id == segment_id,
            TagRule.tag_key == tag_key(tag),
            TagRule.is_on,
            TagRule.id != (rule_id or 0),
        )
    )
    if other is not None:
        raise ConflictError(
            problem(
                "rule_exists",
                'The tag "{tag}" is kept in sync with this segment already.',
                field="tag",
                tag=other.tag,
            )
        )
