"""The audit log: who did what and when, each entry sealed to the one before it by a hash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class AuditEntry(Base):
    """One act. Never changed; the oldest ones are forgotten together, which is an entry itself."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_shop", "shop_id", "number"),)

    #: 1, 2, 3 … without a gap.
    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    #: The staff's or key's name, "command line" or "Regulars".
    author: Mapped[str] = mapped_column(String(255))
    #: A row number that outlives the shop: the log must not change when a shop is erased.
    shop_id: Mapped[int | None] = mapped_column(RowNumber)
    #: What was done: a key of `office.audit.ACTS`.
    act: Mapped[str] = mapped_column(String(64))
    #: To what: a name of ours, never a customer's.
    about: Mapped[str] = mapped_column(String(255))
    #: Figures and choices; no personal data.
    details: Mapped[dict[str, object]] = mapped_column(JSON)
    #: The hash of the entry before; 32 zero bytes for the first.
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    #: SHA-256 over all of the above.
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
