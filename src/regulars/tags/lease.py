"""One worker per shop at a time: a lease with a fencing number that only rises.

A worker whose lease ran out and was taken by another finds its number outdated at the next write
and stops without having written.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from regulars.office.models.tags import TagLease

#: Longer than any single step between two writes, the reading of a large shop's tags included.
LEASE = timedelta(minutes=5)

# Built once: every step of the work runs them.
_OURS = update(TagLease.__table__).where(  # type: ignore[arg-type]
    TagLease.shop_id == bindparam("shop"), TagLease.fence == bindparam("number")
)
_HOLD = _OURS.values(leased_until=bindparam("until"))
_GIVE_BACK = _OURS.values(leased_until=None)
_FREE_ALL = update(TagLease.__table__).values(leased_until=None)  # type: ignore[arg-type]


class LeaseLost(Exception):
    """Another worker has the shop's tags; nothing was written."""


def take_lease(session: Session, shop_id: int, now: datetime) -> int | None:
    """Take the lease and return its number; None while another worker holds it."""
    lease = session.get(TagLease, shop_id)
    if lease is None:
        lease = TagLease(shop_id=shop_id, fence=0)
        session.add(lease)
    # No lease lasts longer: one that ends later was taken before the clock was set back.
    if lease.leased_until is not None and now < lease.leased_until <= now + LEASE:
        return None
    lease.fence += 1
    lease.leased_until = now + LEASE
    session.flush()
    return lease.fence


def hold_lease(session: Session, shop_id: int, fence: int, now: datetime) -> None:
    """Renew the lease inside a writing transaction; raises LeaseLost."""
    written = session.execute(_HOLD, {"shop": shop_id, "number": fence, "until": now + LEASE})
    if written.rowcount != 1:  # type: ignore[attr-defined]
        raise LeaseLost


def give_back(session: Session, shop_id: int, fence: int) -> None:
    """Let the next worker start at once."""
    session.execute(_GIVE_BACK, {"shop": shop_id, "number": fence})


def free_all(session: Session) -> None:
    """Let every shop's tags be worked again that an earlier process held: one has a home at a time.

    The numbers stay, so that a process that is not quite dead can write nothing more.
    """
    session.execute(_FREE_ALL)
