"""Drift: where Shopify's tags differ from what we told it, and tags of ours that nobody wants.

Others may give and take the tags that we give. A check compares the ledger with a reading of the
whole shop; what is done about a difference is the rule's policy. A tag that was there before us is
nobody's drift, and one that others gave is taken off only where our ledger proves that it was gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from regulars.office import Office
from regulars.office.models.tags import (
    TagAssignment,
    TagAudience,
    TagDriftCheck,
    TagLedger,
    TagRule,
)
from regulars.tags.ledger import HOLDING, parts
from regulars.tags.names import tag_key

#: Customers that are named per tag; the rest is counted.
NAMED_MAX = 100


@dataclass(slots=True)
class Drift:
    """What one tag's check found."""

    key: str
    tag: str = ""
    #: We gave it, somebody wants it, and it is not there.
    missing: set[str] = field(default_factory=set)
    #: We took it off, and it is there again.
    foreign: set[str] = field(default_factory=set)
    repaired: set[str] = field(default_factory=set)

    def told(self) -> dict[str, object]:
        """Return it as it is stored and shown."""
        return {
            "tag": self.tag,
            "missing_count": len(self.missing),
            "foreign_count": len(self.foreign),
            "repaired_count": len(self.repaired),
            "missing": sorted(self.missing)[:NAMED_MAX],
            "foreign": sorted(self.foreign)[:NAMED_MAX],
        }


@dataclass(frozen=True, slots=True)
class Orphan:
    """A tag of ours on customers for whom no live assignment or rule wants it."""

    tag: str
    customer_count: int


def check_drift(
    office: Office,
    shop_id: int,
    everybody: Iterable[tuple[str, Sequence[str]]],
    *,
    read_at: datetime,
    now: datetime,
) -> TagDriftCheck:
    """Compare the ledger with a reading of all customers begun at `read_at`; act on the policies.

    What we told Shopify after that moment is left for the next check.
    """
    with office.reading() as session:
        given, taken = _ledger(session, shop_id, read_at)
    present, count = _present(everybody, set(given) | set(taken))
    with office.session() as session:
        found = []
        for key in sorted(set(given) | set(taken)):
            there = present.get(key, set())
            drift = Drift(key)
            drift.missing = _wanted(session, shop_id, key, given.get(key, set()) - there)
            drift.foreign = taken.get(key, set()) & there
            if drift.missing or drift.foreign:
                drift.tag = _tag(session, shop_id, key)
                _act(session, shop_id, drift, now)
                found.append(drift.told())
        check = TagDriftCheck(shop_id=shop_id, checked_at=now, customer_count=count, found=found)
        session.add(check)
        # What was missed in between is found by comparing everybody.
        session.execute(update(TagRule).where(TagRule.shop_id == shop_id).values(followed_key=None))
    return check


def last_check(session: Session, shop_id: int) -> TagDriftCheck | None:
    """Return the newest check of a shop."""
    return session.scalar(
        select(TagDriftCheck)
        .where(TagDriftCheck.shop_id == shop_id)
        .order_by(TagDriftCheck.id.desc())
        .limit(1)
    )


def has_live_tags(session: Session, shop_id: int) -> bool:
    """Whether anything of a shop is worth checking: we told Shopify of a tag once."""
    ledger = select(TagLedger.customer_id).where(
        TagLedger.shop_id == shop_id, TagLedger.told != "before"
    )
    return session.scalar(ledger.limit(1)) is not None


def orphans(session: Session, shop_id: int) -> list[Orphan]:
    """Return tags that we gave and nothing of ours wants any more, most customers first."""
    wanted = exists().where(
        TagAudience.shop_id == TagLedger.shop_id,
        TagAudience.tag_key == TagLedger.tag_key,
        TagAudience.customer_id == TagLedger.customer_id,
        TagAudience.wanted,
        TagAudience.outcome.in_(HOLDING),
    )
    rows = session.execute(
        select(TagLedger.tag_key, func.count())
        .where(
            TagLedger.shop_id == shop_id,
            TagLedger.told == "given",
            ~TagLedger.had_before,
            ~wanted,
        )
        .group_by(TagLedger.tag_key)
        .order_by(func.count().desc(), TagLedger.tag_key)
    ).all()
    return [Orphan(_tag(session, shop_id, key), count) for key, count in rows]


def _ledger(
    session: Session, shop_id: int, before: datetime
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return who was given and who was relieved of each tag before an instant."""
    given: dict[str, set[str]] = {}
    taken: dict[str, set[str]] = {}
    rows = session.execute(
        select(TagLedger.tag_key, TagLedger.customer_id, TagLedger.told).where(
            TagLedger.shop_id == shop_id,
            TagLedger.told.in_(("given", "removed")),
            TagLedger.told_at < before,
        )
    )
    for key, one, told in rows:
        (given if told == "given" else taken).setdefault(key, set()).add(one)
    return given, taken


def _present(
    everybody: Iterable[tuple[str, Sequence[str]]], keys: set[str]
) -> tuple[Mapping[str, set[str]], int]:
    found: dict[str, set[str]] = {}
    count = 0
    for one, tags in everybody:
        count += 1
        for key in keys.intersection(map(tag_key, tags)):
            found.setdefault(key, set()).add(one)
    return found, count


def _wanted(session: Session, shop_id: int, key: str, ids: set[str]) -> set[str]:
    found: set[str] = set()
    for part in parts(sorted(ids)):
        found.update(
            session.scalars(
                select(TagAudience.customer_id).where(
                    TagAudience.shop_id == shop_id,
                    TagAudience.tag_key == key,
                    TagAudience.customer_id.in_(part),
                    TagAudience.wanted,
                    TagAudience.outcome.in_(("given", "held")),
                )
            )
        )
    return found


def _tag(session: Session, shop_id: int, key: str) -> str:
    """Return a tag as it was last written."""
    found = session.scalar(
        select(TagAssignment.tag)
        .where(TagAssignment.shop_id == shop_id, TagAssignment.tag_key == key)
        .order_by(TagAssignment.id.desc())
        .limit(1)
    )
    return found or key


def _act(session: Session, shop_id: int, drift: Drift, now: datetime) -> None:
    repairing = session.scalars(
        select(TagAssignment)
        .join(TagRule, TagRule.assignment_id == TagAssignment.id)
        .where(
            TagRule.shop_id == shop_id,
            TagRule.tag_key == drift.key,
            TagRule.is_on,
            TagRule.drift == "repair",
        )
    ).all()
    _repair_missing(session, drift, repairing)
    _respect_missing(session, shop_id, drift, now)
    if repairing:
        _repair_foreign(session, shop_id, drift, repairing[0])
    else:
        _set_ledger(session, shop_id, drift.key, drift.foreign, told="before", had_before=True)


def _repair_missing(session: Session, drift: Drift, repairing: Sequence[TagAssignment]) -> None:
    for assignment in repairing:
        for part in parts(sorted(drift.missing - drift.repaired)):
            of = (
                TagAudience.assignment_id == assignment.id,
                TagAudience.customer_id.in_(part),
                TagAudience.wanted,
                TagAudience.outcome.in_(("given", "held")),
            )
            drift.repaired |= set(session.scalars(select(TagAudience.customer_id).where(*of)))
            session.execute(
                update(TagAudience)
                .where(*of)
                .values(outcome="waiting")
                .execution_options(synchronize_session=False)
            )
        _open(assignment)


def _respect_missing(session: Session, shop_id: int, drift: Drift, now: datetime) -> None:
    """Let go of what others took: it is given again only to who leaves and joins again."""
    taken = drift.missing - drift.repaired
    for part in parts(sorted(taken)):
        session.execute(
            update(TagAudience)
            .where(
                TagAudience.shop_id == shop_id,
                TagAudience.tag_key == drift.key,
                TagAudience.customer_id.in_(part),
                TagAudience.outcome.in_(("given", "held")),
            )
            .values(outcome="taken_away")
            .execution_options(synchronize_session=False)
        )
    _set_ledger(session, shop_id, drift.key, taken, told="removed", told_at=now)


def _repair_foreign(
    session: Session, shop_id: int, drift: Drift, assignment: TagAssignment
) -> None:
    """Take off again what others gave after we had taken it off."""
    wanted: set[str] = set()
    for part in parts(sorted(drift.foreign)):
        wanted.update(
            session.scalars(
                select(TagAudience.customer_id).where(
                    TagAudience.shop_id == shop_id,
                    TagAudience.tag_key == drift.key,
                    TagAudience.customer_id.in_(part),
                    TagAudience.wanted,
                )
            )
        )
    due = drift.foreign - wanted
    shared = {
        "assignment_id": assignment.id,
        "shop_id": shop_id,
        "tag_key": drift.key,
        "wanted": False,
        "outcome": "leaving",
    }
    for part in parts(sorted(due)):
        of = (TagAudience.assignment_id == assignment.id, TagAudience.customer_id.in_(part))
        known = set(session.scalars(select(TagAudience.customer_id).where(*of)))
        session.execute(
            update(TagAudience)
            .where(*of)
            .values(outcome="leaving")
            .execution_options(synchronize_session=False)
        )
        new = [{**shared, "customer_id": one} for one in part if one not in known]
        if new:
            session.execute(insert(TagAudience), new)
    _set_ledger(session, shop_id, drift.key, due, told="given")
    drift.repaired |= due
    _open(assignment)


def _set_ledger(
    session: Session, shop_id: int, key: str, ids: Iterable[str], **values: object
) -> None:
    for part in parts(sorted(ids)):
        session.execute(
            update(TagLedger)
            .where(
                TagLedger.shop_id == shop_id,
                TagLedger.tag_key == key,
                TagLedger.customer_id.in_(part),
            )
            .values(values)
            .execution_options(synchronize_session=False)
        )


def _open(assignment: TagAssignment) -> None:
    if assignment.status == "in_sync":
        assignment.status = "syncing"
