"""Trackings as rows: create, find, list, rename, cancel, delete. Counting is `figures`' work."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.errors import ConflictError, InputError, NotFoundError, problem
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.trackings import RevenueTracking
from regulars.tracking.before import Before
from regulars.tracking.counter import Asked
from regulars.tracking.figures import POPULATIONS, Population
from regulars.tracking.period import Period, check_period, reached, today_in

NAME_CHARACTERS_MAX = 255
NOTE_CHARACTERS_MAX = 2000

#: What a tracking is at an instant.
Status = Literal["scheduled", "in_progress", "finished", "cancelled"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a tracking stands: its status and, in progress, which day of how many."""

    status: Status
    day_no: int
    day_count: int


def create_tracking(
    session: Session,
    shop: Shop,
    segment: Segment,
    *,
    starts_on: date,
    ends_on: date,
    population: str = "order_time",
    name: str = "",
    note: str = "",
    author: str,
    now: datetime,
) -> RevenueTracking:
    """Add a tracking; without a name it gets one. Raises InputError for a period that cannot be."""
    check_period(starts_on, ends_on, shop.zone, reached(shop, now))
    headline = read_population(population)
    if name.strip():
        chosen = _checked_name(session, shop, name)
    else:
        chosen = free_name(session, shop, automatic_name(segment.name, starts_on, ends_on))
    tracking = RevenueTracking(
        shop_id=shop.id,
        segment_id=segment.id,
        segment_name=segment.name,
        query=segment.query,
        segment_version=segment.version,
        name=chosen,
        name_key=_key(chosen),
        note=_checked_note(note),
        starts_on=starts_on,
        ends_on=ends_on,
        time_zone=shop.time_zone,
        currency=shop.currency,
        population=headline,
        author=author,
        created_at=now,
    )
    session.add(tracking)
    session.flush()
    return tracking


def find_tracking(session: Session, shop: Shop, tracking_id: int) -> RevenueTracking:
    """Return a tracking of the shop; raises NotFoundError for any other."""
    found = session.get(RevenueTracking, tracking_id)
    if found is None or found.shop_id != shop.id:
        raise NotFoundError(
            problem(
                "no_tracking",
                "Tracking {id} does not exist in shop {shop}.",
                command="regulars tracking list --shop {shop}",
                field="id",
                id=tracking_id,
                shop=shop.name,
            )
        )
    return found


def list_trackings(session: Session, shop: Shop) -> Sequence[RevenueTracking]:
    """Return the shop's trackings, the latest period first."""
    return session.scalars(
        select(RevenueTracking)
        .where(RevenueTracking.shop_id == shop.id)
        .order_by(RevenueTracking.starts_on.desc(), RevenueTracking.id.desc())
    ).all()


def update_tracking(
    session: Session, shop: Shop, tracking: RevenueTracking, *, name: str, note: str
) -> None:
    """Change name and note, which are all that may change; an empty name fills itself in again."""
    if name.strip():
        tracking.name = _checked_name(session, shop, name, besides=tracking)
    else:
        text = automatic_name(tracking.segment_name, tracking.starts_on, tracking.ends_on)
        tracking.name = free_name(session, shop, text, besides=tracking)
    tracking.name_key = _key(tracking.name)
    tracking.note = _checked_note(note)


def cancel_tracking(shop: Shop, tracking: RevenueTracking, *, now: datetime) -> None:
    """Stop a tracking that has not ended; raises ConflictError for one that has."""
    at = reached(shop, now)
    status = standing(tracking, at).status
    if status in {"finished", "cancelled"}:
        raise ConflictError(
            problem(
                "tracking_ended",
                '"{name}" has ended already, so it cannot be cancelled.',
                name=tracking.name,
            )
        )
    tracking.cancelled_at = at


def period_of(tracking: RevenueTracking) -> Period:
    """Return the tracking's period in its own zone."""
    return Period(tracking.starts_on, tracking.ends_on, ZoneInfo(tracking.time_zone))


def asked_of(tracking: RevenueTracking, zone: ZoneInfo) -> Asked:
    """Return what a tracking asks to be counted; `zone` is the shop's zone now."""
    kept = tracking.members_before
    return Asked(
        tracking.segment_id,
        period_of(tracking),
        zone,
        ends_at=tracking.cancelled_at,
        before=None if kept is None else Before.of_bytes(kept),
        is_frozen=tracking.kind == "static",
    )


def standing(tracking: RevenueTracking, now: datetime) -> Standing:
    """Return where a tracking stands at an instant that its shop has reached."""
    period = period_of(tracking)
    today = today_in(period.zone, now)
    status: Status
    if tracking.cancelled_at is not None:
        status = "cancelled"
    elif today < period.starts_on:
        status = "scheduled"
    elif today > period.ends_on:
        status = "finished"
    else:
        status = "in_progress"
    day_no = min(max((today - period.starts_on).days + 1, 0), period.day_count)
    return Standing(status, day_no, period.day_count)


def automatic_name(segment_name: str, starts_on: date, ends_on: date) -> str:
    """Return the name that a tracking gets by itself.

    >>> automatic_name("VIP", date(2026, 12, 1), date(2026, 12, 31))
    'VIP 2026-12-01 – 2026-12-31'
    """
    period = f" {starts_on.isoformat()} – {ends_on.isoformat()}"
    # Room for the number that makes it unique.
    return segment_name[: NAME_CHARACTERS_MAX - len(period) - 8] + period


def free_name(
    session: Session, shop: Shop, name: str, *, besides: RevenueTracking | None = None
) -> str:
    """Return the name, with a number behind it where another tracking has it."""
    number, found = 1, name
    while _is_taken(session, shop, found, besides):
        number += 1
        found = f"{name} ({number})"
    return found


def read_population(text: str) -> Population:
    """Return the population that a text names: order-time, start or ever."""
    wanted = text.strip().lower().replace("-", "_")
    for population in POPULATIONS:
        if population == wanted:
            return population
    raise InputError(
        problem(
            "unknown_population",
            '"{text}" does not say who counts. Choose order-time, start or ever.',
            field="population",
            text=text[:40],
        )
    )


def _checked_name(
    session: Session, shop: Shop, name: str, *, besides: RevenueTracking | None = None
) -> str:
    text = unicodedata.normalize("NFC", name).strip()
    if len(text) > NAME_CHARACTERS_MAX:
        raise InputError(
            problem(
                "name_too_long",
                "The name has {count} characters. It can have up to {most}.",
                field="name",
                count=len(text),
                most=NAME_CHARACTERS_MAX,
            )
        )
    if _is_taken(session, shop, text, besides):
        raise ConflictError(
            problem(
                "tracking_name_taken",
                'There is a tracking named "{name}" already. Choose another name.',
                field="name",
                name=text,
            )
        )
    return text


def _is_taken(session: Session, shop: Shop, name: str, besides: RevenueTracking | None) -> bool:
    found = session.scalar(
        select(RevenueTracking.id).where(
            RevenueTracking.shop_id == shop.id, RevenueTracking.name_key == _key(name)
        )
    )
    return found is not None and (besides is None or found != besides.id)


def _checked_note(note: str) -> str:
    text = note.strip()
    if len(text) > NOTE_CHARACTERS_MAX:
        raise InputError(
            problem(
                "note_too_long",
                "The note has {count} characters. It can have up to {most}.",
                field="note",
                count=len(text),
                most=NOTE_CHARACTERS_MAX,
            )
        )
    return text


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()[:300]
