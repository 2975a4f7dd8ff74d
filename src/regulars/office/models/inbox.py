"""The inbox: webhooks as they came, kept from the moment Shopify gets its 200."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class InboxEvent(Base):
    """One event of Shopify; a later delivery of the same (shop, topic, event) adds nothing."""

    __tablename__ = "inbox_events"
    __table_args__ = (
        UniqueConstraint("shop_id", "topic", "event_id"),
        Index("ix_inbox_events_waiting", "shop_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    topic: Mapped[str] = mapped_column(String(100))
    event_id: Mapped[str] = mapped_column(String(100))
    #: When Shopify says it happened; the receipt where it says nothing.
    triggered_at: Mapped[datetime]
    received_at: Mapped[datetime]
    #: The raw body; emptied once applied, since it holds personal data.
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: "waiting", "applied", or "quarantined" after too many tries.
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    attempt_count: Mapped[int] = mapped_column(default=0)
    #: Not before this instant; None: at once.
    next_attempt_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(2000))
    applied_at: Mapped[datetime | None]
