"""The phase-out: open, read-only, removed; one switch per installation, with announced days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.errors import ConflictError, InputError, Names, problem
from regulars.office import Shop
from regulars.office.models.statics import StaticPhase, StaticSegment

PhaseName = Literal["open", "read-only", "removed"]
PHASES: Final[tuple[PhaseName, ...]] = get_args(PhaseName)
DEFAULT: Final[PhaseName] = "read-only"


@dataclass(frozen=True, slots=True)
class Phase:
    """How far the phase-out is on a day, and what is announced."""

    name: PhaseName
    read_only_on: date | None = None
    removed_on: date | None = None
    #: Lists that stand in the way of the announced removal.
    unconverted_count: int = 0

    @property
    def is_hidden(self) -> bool:
        """Whether the area is gone."""
        return self.name == "removed"

    @property
    def is_open(self) -> bool:
        """Whether new lists can be made."""
        return self.name == "open"


def phase_at(session: Session, today: date) -> Phase:
    """Return the phase on a day: announced days take effect by themselves.

    The area is never hidden while a list in it is not converted.
    """
    row = session.scalar(select(StaticPhase).limit(1))
    left = len(_unconverted(session))
    if row is None:
        return Phase(DEFAULT, unconverted_count=left)
    told = Phase(_name(row.phase), row.read_only_on, row.removed_on, left)
    if told.name == "open" and told.read_only_on is not None and told.read_only_on <= today:
        told = replace(told, name="read-only")
    if told.removed_on is not None and told.removed_on <= today and not left:
        told = replace(told, name="removed")
    return told


def announced_days(session: Session, shop: Shop, today: date) -> Mapping[str, tuple[date, date]]:
    """Return what is announced to a shop that still has static segments.

    By occasion, the day it was set on and the last day before it takes effect.
    """
    row = session.scalar(select(StaticPhase).limit(1))
    if row is None or not _unconverted(session, shop):
        return {}
    phase = phase_at(session, today)
    days = {"statics-removed": row.removed_on}
    if phase.is_open:
        days["statics-read-only"] = row.read_only_on
    told_on = row.changed_at.astimezone(shop.zone).date()
    return {
        occasion: (told_on, day - timedelta(days=1))
        for occasion, day in days.items()
        if day is not None
    }


def set_phase(
    session: Session,
    phase: str,
    *,
    read_only_on: date | None,
    removed_on: date | None,
    author: str,
    now: datetime,
) -> None:
    """Turn the switch and announce days; ConflictError for "removed" while lists are left."""
    name = _name(phase)
    left = _unconverted(session)
    if name == "removed" and left:
        template = "{count} static segments are not converted yet: {names}. Convert them first."
        few = Names(left[:10])
        raise ConflictError(problem("statics_left", template, count=len(left), names=few))
    if read_only_on is not None and removed_on is not None and removed_on < read_only_on:
        template = "The area cannot be removed before it is read-only."
        raise InputError(problem("phase_days", template, field="removed_on"))
    row = session.scalar(select(StaticPhase).limit(1)) or StaticPhase()
    row.phase, row.read_only_on, row.removed_on = name, read_only_on, removed_on
    row.changed_at, row.changed_by = now, author
    session.add(row)


def _unconverted(session: Session, shop: Shop | None = None) -> Sequence[str]:
    rows = select(StaticSegment.name).where(
        StaticSegment.converted_at.is_(None), StaticSegment.deleted_at.is_(None)
    )
    if shop is not None:
        rows = rows.where(StaticSegment.shop_id == shop.id)
    return session.scalars(rows.order_by(StaticSegment.name)).all()


def _name(text: str) -> PhaseName:
    for phase in PHASES:
        if phase == text:
            return phase
    template = '"{text}" is no phase. Choose open, read-only or removed.'
    raise InputError(problem("unknown_phase", template, text=text[:40], field="phase"))
