"""The brake of a tag rule: a change larger than was set waits for a person.

What counts is everything that the rule changed by itself within a day, so that a large change does
not slip through as many small ones. What a person let pass starts the sum anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from regulars.office.models.tags import TagRule, TagRuleStep

#: The time over which changes are added up.
WINDOW = timedelta(days=1)
#: How long the steps are kept for people who look back.
KEPT = timedelta(days=30)
#: A share of a small segment is soon passed, so the brake's share asks for this many at least.
FLOOR = 20
#: Steps of one page.
PAGE_STEPS = 20


@dataclass(frozen=True, slots=True)
class Size:
    """How large a change is: customers who get the tag, who lose it, and who had it before."""

    gives: int
    takes: int
    had: int

    @property
    def all(self) -> int:
        """Everybody whose tags would change."""
        return self.gives + self.takes


def holds(session: Session, rule: TagRule, size: Size, now: datetime) -> bool:
    """Whether a change, with what went before it, is more than the rule lets pass."""
    if rule.is_released or not size.all:
        return False
    before = recent(session, rule, now)
    count = size.all + sum(step.give_count + step.take_count for step in before)
    had = before[0].member_count if before else size.had
    if rule.brake_number is not None and count > rule.brake_number:
        return True
    return rule.brake_share is not None and count > FLOOR and count > rule.brake_share * had


def note(session: Session, rule: TagRule, size: Size, now: datetime) -> None:
    """Store a change that the brake let pass."""
    if not size.all:
        return
    old = (TagRuleStep.rule_id == rule.id, TagRuleStep.at < now - KEPT)
    session.execute(delete(TagRuleStep).where(*old).execution_options(synchronize_session=False))
    session.add(
        TagRuleStep(
            rule_id=rule.id,
            at=now,
            give_count=size.gives,
            take_count=size.takes,
            member_count=size.had,
            was_released=rule.is_released,
        )
    )
    session.flush()


def recent(session: Session, rule: TagRule, now: datetime) -> Sequence[TagRuleStep]:
    """Return what the rule changed within the last day since a person let it, oldest first."""
    steps = session.scalars(
        select(TagRuleStep)
        .where(TagRuleStep.rule_id == rule.id, TagRuleStep.at > now - WINDOW)
        .order_by(TagRuleStep.id.desc())
    ).all()
    found = []
    for step in steps:
        if step.was_released:
            break
        found.append(step)
    return found[::-1]


def steps(session: Session, rule: TagRule, most: int = PAGE_STEPS) -> Sequence[TagRuleStep]:
    """Return the latest changes of a rule, newest first."""
    return session.scalars(
        select(TagRuleStep)
        .where(TagRuleStep.rule_id == rule.id)
        .order_by(TagRuleStep.id.desc())
        .limit(most)
    ).all()
