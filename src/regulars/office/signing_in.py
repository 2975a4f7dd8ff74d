"""Signing in while the clock is set back: nothing lasts longer than it was made for.

Links, invitations and sessions made before are of instants to come. Left as they are they would
live as much longer, and a link that has expired would open again when the clock comes there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from regulars.office.models.staff import Invitation, SignInAttempt, SignInLink, StaffSession

LINK_MINUTES = 15
INVITATION_DAYS = 7


def follow_clock(session: Session, now: datetime) -> None:
    """Let what a clock that was set back made of an instant to come be of this one.

    Links end, since a new one is made at once; but not where the clock was set back by minutes.
    """
    link_max = now + 2 * timedelta(minutes=LINK_MINUTES)
    session.execute(delete(SignInLink).where(SignInLink.expires_at > link_max))
    session.execute(
        update(Invitation)
        .where(Invitation.created_at > now)
        .values(created_at=now, expires_at=now + timedelta(days=INVITATION_DAYS))
    )
    for column in (StaffSession.created_at, StaffSession.seen_at, SignInAttempt.attempted_at):
        session.execute(update(column.class_).where(column > now).values({column.key: now}))
