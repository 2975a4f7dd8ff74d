"""Requests about personal data as rows: taken once, listed, closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from regulars.errors import InputError, NotFoundError, problem
from regulars.office import Shop
from regulars.office.models.privacy import PrivacyRequest

#: The time that Shopify, and most laws, give for an answer.
ANSWER_WITHIN: Final = timedelta(days=30)
KINDS: Final = ("export", "redaction")


def ask(
    session: Session,
    shop: Shop,
    *,
    kind: str,
    customer_id: str,
    event_id: str,
    author: str,
    now: datetime,
) -> PrivacyRequest:
    """Take a request; the same event again is the same request."""
    if kind not in KINDS:
        text = "Choose export or redaction."
        raise InputError(problem("privacy_kind", text, field="kind"))
    known = session.scalar(
        select(PrivacyRequest).where(
            PrivacyRequest.shop_id == shop.id, PrivacyRequest.event_id == event_id
        )
    )
    if known is not None:
        return known
    row = PrivacyRequest(
        shop_id=shop.id,
        kind=kind,
        customer_id=customer_id,
        event_id=event_id,
        author=author,
        asked_at=now,
        due_at=now + ANSWER_WITHIN,
        state="open",
    )
    session.add(row)
    session.flush()
    return row


def find_request(session: Session, shop: Shop, request_id: int) -> PrivacyRequest:
    """Return a request of this shop; raises NotFoundError."""
    row = session.get(PrivacyRequest, request_id)
    if row is None or row.shop_id != shop.id:
        raise NotFoundError(problem("no_privacy_request", "There is no such request in this shop."))
    return row


def list_requests(
    session: Session, shop: Shop, *, before: int | None = None, limit: int = 50
) -> Sequence[PrivacyRequest]:
    """Return the requests of a shop, newest first."""
    rows = select(PrivacyRequest).where(PrivacyRequest.shop_id == shop.id)
    if before is not None:
        rows = rows.where(PrivacyRequest.id < before)
    return session.scalars(rows.order_by(PrivacyRequest.id.desc()).limit(limit)).all()


def close(row: PrivacyRequest, *, author: str, now: datetime) -> None:
    """Note that a request was answered; the first answer stays."""
    if row.state == "open":
        row.state, row.done_at, row.done_by = "done", now, author


def close_exports(session: Session, shop: Shop, customer_id: str, now: datetime) -> None:
    """Close the open exports of somebody whose data is gone: nothing could be handed out."""
    session.execute(
        update(PrivacyRequest)
        .where(
            PrivacyRequest.shop_id == shop.id,
            PrivacyRequest.customer_id == customer_id,
            PrivacyRequest.kind == "export",
            PrivacyRequest.state == "open",
        )
        .values(state="void", done_at=now)
    )
