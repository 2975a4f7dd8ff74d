"""Follows segments with tags: what a rule wants now, what it wanted, and the difference as rows.

The difference is always taken between two sets, never from single events: so a missed event, a
restart or a change of mind needs no care. What the membership log tells since the last time only
says for which customers the sets are compared. Telling Shopify is `work`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pyroaring import BitMap
from sqlalchemy import bindparam, exists, func, insert, select, update
from sqlalchemy.orm import Session

from regulars.office import Office, Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagAudience, TagRule
from regulars.tags import brake, holdout
from regulars.tags.brake import Size
from regulars.tags.ledger import may_have, parts
from regulars.tags.rules import counted, end_rows, list_rules
from regulars.tags.segment_side import Members

#: Outcomes of rows whose customer has the tag through us, or may have it.
_HAVING = ("given", "held", "told")
#: Outcomes of rows that the worker still has to look at.
_OPEN = ("waiting", "told", "leaving", "taking")


@dataclass(slots=True)
class Difference:
    """What a rule would change, by customer id."""

    joining: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    #: Came back while they were still keeping the tag.
    returning: set[str] = field(default_factory=set)
    #: Of those who leave or keep the tag for a while: they get another tag of the tier group now.
    moving: set[str] = field(default_factory=set)
    #: Left out on purpose from now on, or not any longer.
    held_out: set[str] = field(default_factory=set)
    let_in: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule is about to change, by a comparison of everybody or of the touched."""

    rule: TagRule
    change: Difference
    #: None: everybody was compared.
    touched: BitMap | None
    size: Size
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class RulePlan:
    """What a rule would do now, before it does it."""

    rule: TagRule
    segment_name: str
    give_count: int
    take_count: int
    #: Left the segment and keep the tag for the grace time.
    grace_count: int
    held_out_count: int
    #: Has the tag through the rule now.
    member_count: int
    #: Whether that is more than the rule lets pass by itself.
    brakes: bool = False
    #: The segment's members are not known yet, or it is in the trash.
    is_waiting: bool = False


@dataclass
class Follower:
    """The rules of one shop beside its segments."""

    session: Session
    shop: Shop
    segments: Members
    now: datetime

    def follow(self) -> bool:
        """Turn what changed into rows; return whether there is anything to tell Shopify."""
        everything = list_rules(self.session, self.shop)
        if not everything:
            return False
        self._end_grace()
        # Read before the members, so that no change is missed.
        log_key = self.segments.log_key()
        rules = [rule for rule in everything if rule.is_on]
        wanted = self.wanted(rules)
        steps = [
            self._step(rule, wanted[rule.id], self._touched(rule, rules))
            for rule in rules
            if rule.id in wanted
        ]
        # Where one rule of a tier group is held, the others wait too: nobody shall lose a tag
        # before the next one is theirs.
        held_groups = {step.rule.tier_group for step in steps if step.is_held} - {None}
        for step in steps:
            if step.is_held:
                self._hold(step)
            elif step.rule.tier_group in held_groups:
                step.rule.followed_key = None
            else:
                self._go_on(step, _others_of_group(step.rule, rules, wanted))
                step.rule.followed_key = log_key
        return self._settle()

    def plan(self) -> list[RulePlan]:
        """Tell what each rule would do now, comparing everybody."""
        rules = list_rules(self.session, self.shop, only_on=True)
        wanted = self.wanted(rules)
        return [self._plan(rule, wanted.get(rule.id)) for rule in rules]

    def wanted(self, rules: Sequence[TagRule]) -> dict[int, BitMap]:
        """Return for whom each rule wants its tag, by customer number; holdouts included.

        In a tier group each customer counts for the first rule only. A rule whose segment is not
        counted yet, or is in the trash, is left out, and its group with it.
        """
        segments = {rule.segment_id: self.session.get(Segment, rule.segment_id) for rule in rules}
        unknown = {
            number
            for number, one in segments.items()
            if one is None or one.evaluated_at is None or one.deleted_at is not None
        }
        stuck = {rule.tier_group for rule in rules if rule.segment_id in unknown} - {None}
        taken: dict[str, BitMap] = {}
        found: dict[int, BitMap] = {}
        for rule in sorted(rules, key=lambda one: (one.position, one.id)):
            if rule.segment_id in unknown or rule.tier_group in stuck:
                continue
            members = self.segments.members(rule.segment_id)
            if rule.tier_group is not None:
                before = taken.setdefault(rule.tier_group, BitMap())
                members -= before
                before |= members
            found[rule.id] = members
        return found

    def _plan(self, rule: TagRule, members: BitMap | None) -> RulePlan:
        segment = self.session.get(Segment, rule.segment_id)
        name = segment.name if segment else ""
        counts = self._counts(rule)
        if members is None:
            return RulePlan(rule, name, 0, 0, counts[1], 0, counts[0], is_waiting=True)
        kept = self._kept_assignment(rule)
        change = self._difference(rule, kept, members, None)
        take_count = len(change.leaving) if kept else counts[0]
        _in, out = holdout.split(self._ids(members), rule.segment_id, rule.holdout_share)
        gives, has = len(change.joining), counts[0]
        brakes = brake.holds(self.session, rule, Size(gives, take_count, has), self.now)
        return RulePlan(rule, name, gives, take_count, counts[1], len(out), has, brakes=brakes)

    def _step(self, rule: TagRule, members: BitMap, touched: BitMap | None) -> Step:
        """Compare a rule with its segment: everybody, or those who were touched."""
        assignment = self._kept_assignment(rule)
        if assignment is None:
            touched = None
        elif touched is not None and not touched:
            return Step(rule, Difference(), touched, Size(0, 0, 0))
        change = self._difference(rule, assignment, members, touched)
        acting = assignment_of(self.session, rule.assignment_id)
        has = acting.targeted_count if acting is not None else 0
        size = Size(len(change.joining), len(change.leaving), has)
        is_held = brake.holds(self.session, rule, size, self.now)
        return Step(rule, change, touched, size, is_held=is_held)

    def _hold(self, step: Step) -> None:
        rule = step.rule
        if rule.held_at is None:
            rule.held_at = self.now
        rule.held_give_count, rule.held_take_count = step.size.gives, step.size.takes
        rule.followed_key = None

    def _go_on(self, step: Step, others: BitMap) -> None:
        rule, change = step.rule, step.change
        if step.touched is not None and not step.touched:
            return
        old = assignment_of(self.session, rule.assignment_id)
        assignment = self._kept_assignment(rule) or self._open_assignment(rule)
        brake.note(self.session, rule, step.size, self.now)
        if others:
            away = others if step.touched is None else others & step.touched
            change.moving = set(self._ids(away))
        asked = None if step.touched is None else set(self._ids(step.touched))
        with counted(self.session, assignment, asked):
            self._store(rule, assignment, change)
        if old is not None and old.id != assignment.id and old.rule_id == rule.id:
            # Under its new tag the rule holds everybody; the old one goes when that is done.
            end_rows(self.session, old, take=True)
            holdout.let_in(self.session, old, None, self.now)
            old.status = "syncing"
        rule.is_released, rule.held_at = False, None

    def _kept_assignment(self, rule: TagRule) -> TagAssignment | None:
        """Return the assignment a rule acts through; None where it needs a new one."""
        found = assignment_of(self.session, rule.assignment_id)
        if found is None or found.tag_key != rule.tag_key:
            return None
        return found

    def _open_assignment(self, rule: TagRule) -> TagAssignment:
        segment = self.session.get_one(Segment, rule.segment_id)
        assignment = TagAssignment(
            shop_id=self.shop.id,
            segment_id=segment.id,
            segment_name=segment.name,
            tag=rule.tag,
            tag_key=rule.tag_key,
            kind="rule",
            rule_id=rule.id,
            status="in_sync",
            targeted_count=0,
            holdout_count=0,
            author=rule.author,
            created_at=self.now,
            started_at=self.now,
        )
        self.session.add(assignment)
        self.session.flush()
        rule.assignment_id = assignment.id
        return assignment

    def _difference(
        self,
        rule: TagRule,
        assignment: TagAssignment | None,
        members: BitMap,
        touched: BitMap | None,
    ) -> Difference:
        """Compare what the rule wants with its rows: of everybody, or of the touched customers."""
        asked = None if touched is None else set(self._ids(touched))
        belong = set(self._ids(members if touched is None else members & touched))
        given, out = holdout.split(belong, rule.segment_id, rule.holdout_share)
        rows = self._rows(assignment, asked)
        known_out = holdout.held_out(self.session, assignment) if assignment else set()
        if asked is not None:
            known_out &= asked
        return Difference(
            joining=given - rows.keys(),
            leaving={one for one, ends in rows.items() if ends is None and one not in given},
            returning={one for one, ends in rows.items() if ends is not None and one in given},
            held_out=out - known_out,
            let_in=known_out - out,
        )

    def _rows(
        self, assignment: TagAssignment | None, asked: set[str] | None
    ) -> Mapping[str, datetime | None]:
        """Return the customers that a rule wants so far, and when their grace time ends."""
        if assignment is None:
            return {}
        query = select(TagAudience.customer_id, TagAudience.leaves_at).where(
            TagAudience.assignment_id == assignment.id, TagAudience.wanted
        )
        if asked is None:
            return {one: ends for one, ends in self.session.execute(query)}  # noqa: C416
        found: dict[str, datetime | None] = {}
        for part in parts(sorted(asked)):
            rows = self.session.execute(query.where(TagAudience.customer_id.in_(part)))
            found.update({one: ends for one, ends in rows})  # noqa: C416
        return found

    def _store(self, rule: TagRule, assignment: TagAssignment, change: Difference) -> None:
        assignment.tag = rule.tag
        self._join(assignment, change.joining)
        self._update(assignment, change.returning, (), leaves_at=None)
        if rule.grace_days:
            until = self.now + timedelta(days=rule.grace_days)
            self._update(assignment, change.leaving - change.moving, _HAVING, leaves_at=until)
        # Inside a tier group the next tag takes over at once, whatever the grace time.
        self._update(assignment, change.moving, (), leaves_at=None)
        leave(self.session, assignment, change.leaving | change.moving)
        holdout.leave_out(self.session, assignment, change.held_out, self.now)
        holdout.let_in(self.session, assignment, change.let_in, self.now)

    def _join(self, assignment: TagAssignment, ids: set[str]) -> None:
        shared = {
            "assignment_id": assignment.id,
            "shop_id": self.shop.id,
            "tag_key": assignment.tag_key,
            "wanted": True,
            "outcome": "waiting",
        }
        for part in parts(sorted(ids)):
            of = (TagAudience.assignment_id == assignment.id, TagAudience.customer_id.in_(part))
            known = set(self.session.scalars(select(TagAudience.customer_id).where(*of)))
            self.session.execute(
                update(TagAudience)
                .where(*of)
                .values(wanted=True, outcome="waiting", problem=None, leaves_at=None)
                .execution_options(synchronize_session=False)
            )
            new = [{**shared, "customer_id": one} for one in part if one not in known]
            if new:
                self.session.execute(insert(TagAudience), new)

    def _update(
        self,
        assignment: TagAssignment,
        ids: Iterable[str],
        outcomes: Sequence[str],
        **values: object,
    ) -> None:
        for part in parts(sorted(ids)):
            query = update(TagAudience).where(
                TagAudience.assignment_id == assignment.id, TagAudience.customer_id.in_(part)
            )
            if outcomes:
                query = query.where(TagAudience.outcome.in_(outcomes))
            self.session.execute(query.values(values).execution_options(synchronize_session=False))

    def _end_grace(self) -> None:
        """Let go whom nobody waits for any longer."""
        over = select(TagAudience.assignment_id, TagAudience.customer_id).where(
            TagAudience.shop_id == self.shop.id, TagAudience.leaves_at <= self.now
        )
        by_assignment: dict[int, set[str]] = {}
        for number, one in self.session.execute(over):
            by_assignment.setdefault(number, set()).add(one)
        for number, ids in by_assignment.items():
            assignment = self.session.get_one(TagAssignment, number)
            with counted(self.session, assignment, ids):
                self._update(assignment, ids, (), leaves_at=None)
                leave(self.session, assignment, ids)

    def _settle(self) -> bool:
        """Bring statuses up to the rows; return whether work is open."""
        self.session.flush()
        live = (
            TagAssignment.shop_id == self.shop.id,
            TagAssignment.rule_id.is_not(None),
            TagAssignment.status.in_(("in_sync", "syncing", "paused")),
        )
        # Somebody is still to be looked at.
        waiting = exists().where(
            TagAudience.assignment_id == TagAssignment.id, TagAudience.outcome.in_(_OPEN)
        )
        is_open = False
        for assignment, is_waiting in self.session.execute(
            select(TagAssignment, waiting).where(*live)
        ):
            if assignment.status == "paused":
                continue
            if is_waiting:
                assignment.status = "syncing"
            is_open = is_open or assignment.status == "syncing"
        return is_open

    def _counts(self, rule: TagRule) -> tuple[int, int]:
        """Return for how many a rule wants its tag, and how many of them only for a while yet."""
        if rule.assignment_id is None:
            return 0, 0
        found = self.session.execute(
            select(func.count(), func.count(TagAudience.leaves_at)).where(
                TagAudience.assignment_id == rule.assignment_id, TagAudience.wanted
            )
        ).one()
        return found[0], found[1]

    def _touched(self, rule: TagRule, rules: Sequence[TagRule]) -> BitMap | None:
        """Return whose membership changed since the rule was last followed; None: anybody's."""
        if rule.followed_key is None:
            return None
        segment_ids = [
            one.segment_id
            for one in rules
            if one.id == rule.id
            or (rule.tier_group is not None and one.tier_group == rule.tier_group)
        ]
        return self.segments.touched(rule.followed_key, segment_ids)

    def _ids(self, numbers: BitMap) -> Iterable[str]:
        return self.segments.customer_ids(numbers).values()


def _others_of_group(
    rule: TagRule, rules: Sequence[TagRule], wanted: Mapping[int, BitMap]
) -> BitMap:
    """Return who gets another tag of a rule's tier group."""
    if rule.tier_group is None:
        return BitMap()
    others = [
        wanted[one.id]
        for one in rules
        if one.id != rule.id and one.tier_group == rule.tier_group and one.id in wanted
    ]
    return BitMap.union(*others) if others else BitMap()


def follow_rules(office: Office, shop: Shop, segments: Members, now: datetime) -> bool:
    """Turn what changed in a shop's segments into tag work; return whether there is some."""
    with office.session() as session:
        return Follower(session, shop, segments, now).follow()


# Asked after every batch of orders, and so built once.
_ANY_RULE: Final = (
    select(TagRule.id).where(TagRule.shop_id == bindparam("shop"), TagRule.is_on).limit(1)
)


def has_rules(session: Session, shop_id: int) -> bool:
    """Whether a shop has a rule that is on."""
    return session.scalar(_ANY_RULE, {"shop": shop_id}) is not None


def grace_is_over(session: Session, shop_id: int, now: datetime) -> bool:
    """Whether somebody's grace time has ended."""
    over = select(TagAudience.customer_id).where(
        TagAudience.shop_id == shop_id, TagAudience.leaves_at <= now
    )
    return session.scalar(over.limit(1)) is not None


def leave(session: Session, assignment: TagAssignment, ids: Iterable[str]) -> None:
    """Want the tag for these customers no longer, those in their grace time excepted."""
    moves = (
        (_HAVING, "leaving"),
        (("had_before",), "kept_before"),
        (("gone",), "gone"),
        (("taken_away",), "removed"),
        (("failed", "cancelled"), "cancelled"),
    )
    for part in parts(sorted(ids)):
        of = update(TagAudience).where(
            TagAudience.assignment_id == assignment.id,
            TagAudience.customer_id.in_(part),
            TagAudience.leaves_at.is_(None),
        )
        quiet = {"synchronize_session": False}
        waiting = of.where(TagAudience.outcome == "waiting")
        # Whoever may have the tag already is looked at.
        for query, outcome in (
            *((of.where(TagAudience.outcome.in_(before)), after) for before, after in moves),
            (waiting.where(may_have()), "leaving"),
            (waiting, "cancelled"),
        ):
            session.execute(query.values(wanted=False, outcome=outcome).execution_options(**quiet))


def assignment_of(session: Session, assignment_id: int | None) -> TagAssignment | None:
    """Return an assignment, where there is one."""
    return session.get(TagAssignment, assignment_id) if assignment_id is not None else None
