"""One worker per shop at a time: a lease with a fencing number that only rises.

A worker whose lease ran out and was taken by another finds its number outdated at the next write
and stops without having written.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from regulars.office.models.tags import TagLease

#: Longer than any single step between two writes, the reading of a large shop's tags included.
LEASE = timedelta(minutes=5)


class LeaseLost(Exception):
    """Another worker has the shop's tags; nothing was written."""


def take_lease(session: Session, shop_id: int, now: datetime) -> int | None:
    """Take the lease and return its number; None while another worker holds it."""
    lease = session.get(TagLease, shop_id)
    if lease is None:
        lease = TagLease(shop_id=shop_id, fence=0)
        session.add(lease)
    if lease.leased_until is not None and lease.leased_until > now:
        return None
    lease.fence += 1
    lease.leased_until = now + LEASE
    session.flush()
    return lease.fence


def hold_lease(session: Session, shop_id: int, fence: int, now: datetime) -> None:
    """Renew the lease inside a writing transaction; raises LeaseLost."""
    written = session.execute(
        update(TagLease)
        .where(TagLease.shop_id == shop_id, TagLease.fence == fence)
        .values(leased_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    if written.rowcount != 1:  # type: ignore[attr-defined]
        raise LeaseLost


def give_back(session: Session, shop_id: int, fence: int) -> None:
    """Let the next worker start at once."""
    session.execute(
        update(TagLease)
        .where(TagLease.shop_id == shop_id, TagLease.fence == fence)
        .values(leased_until=None)
        .execution_options(synchronize_session=False)
    )
