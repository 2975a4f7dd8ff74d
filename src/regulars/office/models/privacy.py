"""What was asked about personal data: whose, by whom, and what became of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class PrivacyRequest(Base):
    """One request for a customer's data, or for its removal. Holds a number, never the data."""

    __tablename__ = "privacy_requests"
    __table_args__ = (
        UniqueConstraint("shop_id", "event_id"),
        Index("ix_privacy_requests_shop", "shop_id", "id"),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    #: "export" or "redaction".
    kind: Mapped[str] = mapped_column(String(16))
    #: Shopify's number of the customer, or the id of an imported file.
    customer_id: Mapped[str] = mapped_column(String(64))
    #: Shopify's number of the webhook, or of a person's act: the same one is kept once.
    event_id: Mapped[str] = mapped_column(String(120))
    #: "Shopify", or the name of a person or key.
    author: Mapped[str] = mapped_column(String(255))
    asked_at: Mapped[datetime]
    #: Until when it has to be answered.
    due_at: Mapped[datetime]
    #: "open", "done", or "void" (the customer's data is gone already).
    state: Mapped[str] = mapped_column(String(16), default="open")
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(String(255))
