"""What belongs to the whole installation or to one person's view: choices made on the screens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base


class Choice(Base):
    """One choice for the installation; the names and their defaults are in `office.choices`."""

    __tablename__ = "choices"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[object] = mapped_column(JSON)


class Dismissal(Base):
    """Something that a person has read or put away: an announcement, the setup card of a shop."""

    __tablename__ = "dismissals"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    #: Like "announcement:tag-rules" or "setup:1".
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    dismissed_at: Mapped[datetime]


class KeptAnswer(Base):
    """The answer to a request that carried an idempotency key, for giving it again."""

    __tablename__ = "kept_answers"

    #: Who asked: a key's, a session's or the command line's own name space.
    caller: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    #: SHA-256 of method, address and body: the same key for something else is refused.
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    #: None while the first request is being answered.
    status: Mapped[int | None]
    media_type: Mapped[str] = mapped_column(String(100), default="")
    body: Mapped[bytes] = mapped_column(default=b"")
    created_at: Mapped[datetime] = mapped_column(index=True)
