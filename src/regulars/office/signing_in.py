"""Signing in while the clock is set back: nothing lasts longer than it was made for.

Links, invitations and sessions made before are of instants to come. Left as they are they would
live as much longer, and a link that has expired would open again when the clock comes there; codes
of an authenticator app would be refused until then.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from regulars.office.models.staff import (
    Invitation,
    SignInAttempt,
    SignInLink,
    SignInStep,
    Staff,
    StaffSession,
)

LINK_MINUTES = 15
STEP_MINUTES = 5
CODE_SECONDS = 30


def token_hash(token: str) -> bytes:
    """Return what is stored of a random token or code."""
    return hashlib.sha256(token.encode()).digest()


def half_minute(now: datetime) -> int:
    """Return the half minute since 1970 whose code an authenticator app shows."""
    return int(now.timestamp()) // CODE_SECONDS


INVITATION_DAYS = 7


def follow_clock(session: Session, now: datetime) -> None:
    """Let what a clock that was set back made of an instant to come be of this one.

    Links end, since a new one is made at once; but not where the clock was set back by minutes.
    """
    for row, minutes in ((SignInLink, LINK_MINUTES), (SignInStep, STEP_MINUTES)):
        latest = now + 2 * timedelta(minutes=minutes)
        session.execute(delete(row).where(row.expires_at > latest))
    step = half_minute(now)
    session.execute(
        update(Staff).where(Staff.factor_used_step > step + 1).values(factor_used_step=step)
    )
    session.execute(
        update(Invitation)
        .where(Invitation.created_at > now)
        .values(created_at=now, expires_at=now + timedelta(days=INVITATION_DAYS))
    )
    for column in (StaffSession.created_at, StaffSession.seen_at, SignInAttempt.attempted_at):
        session.execute(update(column.class_).where(column > now).values({column.key: now}))
