"""Bringing static segments in, looking at them, converting them.

Their customers are rows of an uploaded list that no query names until conversion; then the same
rows are the list of a customer segment, and those that wait for their customer begin to follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import IO

from pyroaring import BitMap
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from regulars.engine.days import day_start
from regulars.errors import ConflictError, NotFoundError, UploadError, problem
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.statics import StaticSegment, StaticTag, StaticTracking
from regulars.office.models.trackings import RevenueTracking
from regulars.segments import create_segment, name_key, uploads
from regulars.segments.definitions import free_name
from regulars.segments.keys import calling_code
from regulars.segments.names import checked_name
from regulars.segments.uploads.acts import make_list, query_of
from regulars.static_segments.manifest import Manifest, RunTracking
from regulars.static_segments.phase import phase_at
from regulars.tracking.before import frozen
from regulars.tracking.period import Period
from regulars.tracking.trackings import free_name as free_tracking_name
from regulars.warehouse.lists import ListRows


@dataclass(frozen=True, slots=True)
class Detail:
    """A static segment with what the earlier system did with it."""

    static: StaticSegment
    tags: Sequence[StaticTag]
    trackings: Sequence[StaticTracking]


def create_static(
    parts: uploads.Parts,
    source: IO[bytes],
    name: str,
    *,
    file_name: str,
    author: str,
    now: datetime,
) -> StaticSegment:
    """Make a new list of a file; ConflictError in every phase but "open"."""
    today = now.astimezone(parts.shop.zone).date()
    with parts.office.reading() as session:
        phase = phase_at(session, today)
    if not phase.is_open:
        template = (
            "No new static segments can be made any more. Upload the file as a customer segment."
        )
        raise ConflictError(problem("statics_read_only", template))
    manifest = Manifest(checked_name(name), today, "csv", (), ())
    return import_static(parts, source, manifest, file_name=file_name, author=author, now=now)


def import_static(
    parts: uploads.Parts,
    source: IO[bytes],
    manifest: Manifest,
    *,
    file_name: str,
    author: str,
    now: datetime,
) -> StaticSegment:
    """Bring a list in: its customers, tags and trackings; all of it or nothing.

    Trackings go on counting with these customers, whoever is found later.
    """
    with parts.office.reading() as session:
        if phase_at(session, now.astimezone(parts.shop.zone).date()).is_hidden:
            template = "Static segments were removed from this installation."
            raise ConflictError(problem("statics_removed", template))
        _demand_free(session, parts.shop, manifest.name)
    upload = _checked(parts, source, file_name=file_name, author=author, now=now)
    with parts.warehouse.transaction(changes_facts=False) as cursor:
        rows = ListRows(cursor)
        rows.apply(upload.id, upload.id, "replace")
        rows.forget_checked(upload.id)
        members = rows.members(upload.id)
    with parts.office.session() as session:
        _demand_free(session, parts.shop, manifest.name)
        kept = uploads.find_upload(session, parts.shop, upload.id)
        kept.state, kept.mode, kept.applied_at = "applied", "replace", now
        static = StaticSegment(
            shop_id=parts.shop.id,
            name=manifest.name,
            name_key=name_key(manifest.name),
            created_on=manifest.created_on,
            source=manifest.source,
            list_id=upload.id,
            counts=upload.counts,
            imported_at=now,
            imported_by=author,
        )
        session.add(static)
        session.flush()
        _add_history(session, parts.shop, static, manifest=manifest, members=members)
    parts.file(upload).unlink(missing_ok=True)
    return static


def list_statics(session: Session, shop: Shop) -> Sequence[StaticSegment]:
    """Return the static segments of a shop by name, converted ones included."""
    rows = session.scalars(_kept(shop))
    return sorted(rows, key=lambda one: one.name_key)


def find_static(session: Session, shop: Shop, id_or_name: int | str) -> StaticSegment:
    """Return a static segment by its id or its name; raises NotFoundError."""
    text = str(id_or_name).strip()
    of_shop = _kept(shop)
    found = None
    if text.isascii() and text.isdigit() and len(text) <= 18:
        found = session.scalar(of_shop.where(StaticSegment.id == int(text)))
    if found is None:
        found = session.scalar(of_shop.where(StaticSegment.name_key == name_key(text)))
    if found is None:
        template = "There is no static segment {name} in the shop {shop}."
        command = "regulars static list --shop {shop}"
        told = problem("no_static_segment", template, name=text, shop=shop.name, command=command)
        raise NotFoundError(told)
    return found


def detail_of(session: Session, static: StaticSegment) -> Detail:
    """Return a static segment with its tags and trackings."""
    tags = select(StaticTag).where(StaticTag.static_segment_id == static.id)
    trackings = select(StaticTracking).where(StaticTracking.static_segment_id == static.id)
    return Detail(
        static,
        session.scalars(tags.order_by(StaticTag.given_on.desc(), StaticTag.id)).all(),
        session.scalars(trackings.order_by(StaticTracking.starts_on.desc())).all(),
    )


def made_into(session: Session, segment: Segment) -> Detail | None:
    """Return the static segment that a customer segment was made of, if it was."""
    static = session.scalar(select(StaticSegment).where(StaticSegment.segment_id == segment.id))
    return None if static is None else detail_of(session, static)


def customers_of(parts: uploads.Parts, static: StaticSegment) -> BitMap:
    """Return the customers of a static segment who are known."""
    with parts.warehouse.reader() as cursor:
        return ListRows(cursor).members(static.list_id)


def convert(
    parts: uploads.Parts,
    static_id: int,
    *,
    author: str,
    now: datetime,
    name: str = "",
    later: Callable[[Session, Segment], object],
) -> tuple[StaticSegment, Segment]:
    """Make a customer segment of a static one; it keeps name, tag history and trackings.

    `name` is needed only where a customer segment has the name already. `later` has the new
    segment evaluated, in the office's transaction.
    """
    shop = parts.shop
    with parts.memberships.held():
        with parts.office.reading() as session:
            static = find_static(session, shop, static_id)
            demand_unconverted(static)
            wanted = free_name(session, shop, checked_name(name or static.name))
        with parts.warehouse.transaction(changes_facts=False) as cursor:
            ListRows(cursor).claim([static.list_id], calling_code(shop.currency))
        with parts.office.session() as session:
            static = find_static(session, shop, static_id)
            demand_unconverted(static)
            listed = make_list(
                session,
                shop,
                static.list_id,
                name=wanted,
                author=author,
                now=now,
                # A fixed list: who is on it was on it on the day it was made.
                known_from=min(now, day_start(static.created_on, shop.zone)),
            )
            segment = create_segment(
                session, shop, name=wanted, query=query_of(listed.name), author=author, now=now
            )
            upload = uploads.find_upload(session, shop, static.list_id)
            upload.list_id, upload.segment_id = listed.id, segment.id
            static.segment_id = segment.id
            static.converted_at, static.converted_by = now, author
            _hand_over(session, static, segment)
            later(session, segment)
        with parts.office.reading() as session:
            parts.memberships.follow_lists(session, shop)
    return static, segment


def _checked(
    parts: uploads.Parts, source: IO[bytes], *, file_name: str, author: str, now: datetime
) -> uploads.Upload:
    upload = uploads.receive(parts, source, file_name=file_name, author=author, now=now)
    try:
        with parts.office.session() as session:
            uploads.begin_check(session, parts.shop, upload.id, upload.columns)
        uploads.run_check(parts, upload.id)
        with parts.office.reading() as session:
            checked = uploads.find_upload(session, parts.shop, upload.id)
        if checked.state != "checked":
            raise UploadError(problem("upload_failed", "{reason}", reason=checked.problem))
    except BaseException:
        uploads.discard(parts, upload.id)
        raise
    return checked


def _add_history(
    session: Session,
    shop: Shop,
    static: StaticSegment,
    *,
    manifest: Manifest,
    members: BitMap,
) -> None:
    for tag in manifest.tags:
        session.add(
            StaticTag(
                shop_id=shop.id,
                static_segment_id=static.id,
                tag=tag.tag,
                given_on=tag.given_on,
                customer_count=tag.customer_count,
            )
        )
    for told in manifest.trackings:
        tracking = _tracking(session, shop, static, told, members)
        session.add(tracking)
        session.flush()
        session.add(
            StaticTracking(
                shop_id=shop.id,
                static_segment_id=static.id,
                name=told.name,
                starts_on=told.starts_on,
                ends_on=told.ends_on,
                status=told.status,
                tracking_id=tracking.id,
            )
        )


def _tracking(
    session: Session,
    shop: Shop,
    static: StaticSegment,
    told: RunTracking,
    members: BitMap,
) -> RevenueTracking:
    """Return a tracking that goes on with the frozen customers (members at the start)."""
    period = Period(told.starts_on, told.ends_on, shop.zone)
    name = free_tracking_name(session, shop, told.name)
    cancelled = told.cancelled_on
    return RevenueTracking(
        shop_id=shop.id,
        # Below zero: no customer segment has it. After conversion it is the new segment's.
        segment_id=-static.id,
        segment_name=static.name,
        query="",
        segment_version=0,
        name=name,
        name_key=name_key(name),
        note="",
        starts_on=told.starts_on,
        ends_on=told.ends_on,
        time_zone=shop.time_zone,
        currency=shop.currency,
        population="start",
        author=static.imported_by,
        created_at=static.imported_at,
        cancelled_at=datetime.combine(cancelled, time(), shop.zone) if cancelled else None,
        kind="static",
        members_before=frozen(members, period.starts_at).to_bytes(),
    )


def _hand_over(session: Session, static: StaticSegment, segment: Segment) -> None:
    """Let the trackings of a static segment be listed with its customer segment."""
    rows = select(RevenueTracking).where(
        RevenueTracking.shop_id == static.shop_id, RevenueTracking.segment_id == -static.id
    )
    for tracking in session.scalars(rows):
        tracking.segment_id, tracking.segment_name = segment.id, segment.name


def _kept(shop: Shop) -> Select[StaticSegment]:
    return select(StaticSegment).where(
        StaticSegment.shop_id == shop.id, StaticSegment.deleted_at.is_(None)
    )


def _demand_free(session: Session, shop: Shop, name: str) -> None:
    rows = select(StaticSegment.name).where(
        StaticSegment.shop_id == shop.id, StaticSegment.name_key == name_key(name)
    )
    if session.scalar(rows) is not None:
        template = 'The static segment "{name}" was brought in already.'
        raise ConflictError(problem("static_exists", template, name=name, field="name"))


def demand_unconverted(static: StaticSegment) -> None:
    """Raise ConflictError for a list that is a customer segment already."""
    if static.converted_at is not None:
        template = '"{name}" is a customer segment already.'
        raise ConflictError(problem("static_converted", template, name=static.name))
