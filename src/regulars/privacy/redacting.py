"""Removing one person while every sum stays: rows lose who they were about, not that they were."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from regulars.office import Shop
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.installation import KeptAnswer
from regulars.office.models.jobs import Job
from regulars.office.models.outgoing import Delivery
from regulars.office.models.segments import Segment
from regulars.office.models.support import Message
from regulars.office.models.tags import (
    TagAssignment,
    TagAudience,
    TagBulk,
    TagDriftCheck,
    TagEvent,
    TagHoldout,
    TagLedger,
    TagRemoval,
    TagRemovalRow,
)
from regulars.office.models.trackings import RevenueTracking
from regulars.office.models.uploads import Upload
from regulars.privacy.requests import close_exports
from regulars.privacy.traces import Traces
from regulars.warehouse import Warehouse, personal

#: Outcomes of tag work that would still be done; for somebody who is gone it is over.
UNDONE = ("waiting", "told", "leaving", "taking")
#: Columns in which people, programs and Shopify write what they like. Rules, tags, and names of
#: segments are the shop's own words and stay.
FREE_TEXTS: Final[tuple[InstrumentedAttribute[object], ...]] = (
    Message.text,
    Message.page,
    Segment.description,
    RevenueTracking.note,
    TagEvent.note,
    Job.cursor,
    Job.note,
    Job.problem,
    InboxEvent.problem,
    Delivery.problem,
    Upload.header,
    Upload.problem,
)


def redact_warehouse(warehouse: Warehouse, customer_id: str) -> None:
    """Blank what the fact of a redaction leaves open: order names, waiting list rows."""
    found = warehouse.customer_nos([customer_id])
    if found:
        with warehouse.transaction() as cursor:
            personal.blank(cursor, found[customer_id])


def forget_keys(warehouse: Warehouse, traces: Traces) -> None:
    """Forget rows of files and lists that wait for the person."""
    emails = [one.lower() for one in sorted(traces.emails)]
    phones = [f"+{one}" for one in sorted(traces.phones)]
    with warehouse.transaction(changes_facts=False) as cursor:
        personal.forget_keys(cursor, traces.customer_id, emails, phones)


def redact_texts(session: Session, shop: Shop, traces: Traces) -> None:
    """Take what names a person out of what was written freely, and forget answers that name them.

    An answer that is forgotten is given anew when its request is sent again.
    """
    for column in FREE_TEXTS:
        for row in session.scalars(select(column.class_).where(*_own(column, shop))):
            value = getattr(row, column.key)
            told = traces.blanked_value(value)
            if told != value:
                most = getattr(column.type, "length", None)
                setattr(row, column.key, told[:most] if isinstance(told, str) else told)
    for answer in _kept_answers(session):
        if traces.are_in(answer.body.decode(errors="replace")):
            session.delete(answer)
    for event in _parked(session, shop):
        if event.body is not None and traces.are_in(event.body.decode(errors="replace")):
            session.delete(event)


def _own(column: InstrumentedAttribute[object], shop: Shop) -> Iterator[ColumnElement[bool]]:
    yield column.is_not(None)
    if column.class_ is TagEvent:
        own = select(TagAssignment.id).where(TagAssignment.shop_id == shop.id)
        yield TagEvent.assignment_id.in_(own)
        return
    yield column.class_.shop_id == shop.id
    if column.class_ is Job:
        # Where work stands is its own matter until it has ended.
        yield Job.finished_at.is_not(None)


def redact_office(session: Session, shop: Shop, customer_id: str, now: datetime) -> None:
    """Take a customer's number out of tag work, messages and answers; counts stay."""
    # Nobody can find out whose row it was, and two rows of one person do not show that they are.
    nobody = f"erased-{secrets.token_hex(8)}"
    mine = (TagAudience.shop_id == shop.id, TagAudience.customer_id == customer_id)
    # A rule counts for whom it wants its tag; how many somebody chose stays what it was.
    wanting = select(TagAudience.assignment_id).where(*mine, TagAudience.wanted)
    session.execute(
        update(TagAssignment)
        .where(TagAssignment.id.in_(wanting), TagAssignment.rule_id.is_not(None))
        .values(targeted_count=TagAssignment.targeted_count - 1)
    )
    session.execute(
        update(TagAudience).where(*mine, TagAudience.outcome.in_(UNDONE)).values(outcome="gone")
    )
    session.execute(
        update(TagAudience).where(*mine).values(customer_id=nobody, wanted=False, problem=None)
    )
    assignments = select(TagAssignment.id).where(TagAssignment.shop_id == shop.id)
    session.execute(
        update(TagHoldout)
        .where(TagHoldout.assignment_id.in_(assignments), TagHoldout.customer_id == customer_id)
        .values(customer_id=nobody)
    )
    removals = select(TagRemoval.id).where(TagRemoval.shop_id == shop.id)
    rows = (TagRemovalRow.removal_id.in_(removals), TagRemovalRow.customer_id == customer_id)
    session.execute(
        update(TagRemovalRow).where(*rows, TagRemovalRow.outcome.in_(UNDONE)).values(outcome="gone")
    )
    session.execute(update(TagRemovalRow).where(*rows).values(customer_id=nobody, problem=None))
    session.execute(
        delete(TagLedger).where(TagLedger.shop_id == shop.id, TagLedger.customer_id == customer_id)
    )
    _rename_in_lists(session, shop, customer_id, nobody)
    _forget_messages(session, shop, customer_id)
    _forget_answers(session, customer_id)
    close_exports(session, shop, customer_id, now)


def _rename_in_lists(session: Session, shop: Shop, customer_id: str, nobody: str) -> None:
    """Take a customer out of lists of numbers; their length and order stay.

    The order tells which answer of a bulk operation belongs to whom.
    """

    def renamed(ids: Sequence[object]) -> list[str]:
        return [nobody if one == customer_id else str(one) for one in ids]

    for bulk in session.scalars(select(TagBulk).where(TagBulk.shop_id == shop.id)):
        if customer_id in bulk.customer_ids:
            bulk.customer_ids = renamed(bulk.customer_ids)
    for check in session.scalars(select(TagDriftCheck).where(TagDriftCheck.shop_id == shop.id)):
        check.found = [
            {name: renamed(told) if isinstance(told, list) else told for name, told in one.items()}
            for one in check.found
        ]


def _forget_answers(session: Session, customer_id: str) -> None:
    """Forget kept answers that name the customer; sent again, such a request is done anew."""
    named = f'"{customer_id}"'.encode()
    for answer in _kept_answers(session):
        if named in answer.body:
            session.delete(answer)


def _kept_answers(session: Session) -> Iterator[KeptAnswer]:
    return session.scalars(select(KeptAnswer))


def _parked(session: Session, shop: Shop) -> Iterator[InboxEvent]:
    parked = (InboxEvent.shop_id == shop.id, InboxEvent.state == "quarantined")
    return session.scalars(select(InboxEvent).where(*parked))


def _forget_messages(session: Session, shop: Shop, customer_id: str) -> None:
    """Forget webhooks that were put aside and deliveries that name the customer."""
    for event in _parked(session, shop):
        if event.body is not None and customer_id.encode() in event.body:
            session.delete(event)
    for delivery in session.scalars(select(Delivery).where(Delivery.shop_id == shop.id)):
        data = delivery.body.get("data")
        named = data.get("customer_ids") if isinstance(data, dict) else None
        if isinstance(named, list) and customer_id in named:
            left = {**data, "customer_ids": [one for one in named if one != customer_id]}  # type: ignore[dict-item]
            delivery.body = {**delivery.body, "data": left}
