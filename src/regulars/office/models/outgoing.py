"""What other programs are told: their endpoints, the deliveries, and how far was looked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class Endpoint(Base):
    """One address that is told of events, or the shop's Shopify Flow."""

    __tablename__ = "endpoints"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    #: "webhook" or "flow".
    kind: Mapped[str] = mapped_column(String(16))
    #: Where a webhook goes; of Flow, the handle of the trigger extension.
    address: Mapped[str] = mapped_column(String(2000))
    #: Which events are told: names of `outgoing.EVENTS`.
    events: Mapped[list[str]] = mapped_column(JSON)
    #: What deliveries are signed with, sealed; None for Flow.
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(255))
    #: Nothing is sent since; by a person, or by us after failures without end.
    disabled_at: Mapped[datetime | None]
    #: Why we stopped, in English; None where a person did.
    problem: Mapped[str | None] = mapped_column(String(2000))
    #: The first failure since the last success.
    failing_since: Mapped[datetime | None]
    #: The last entry of the membership log that was looked at.
    followed_key: Mapped[int] = mapped_column(RowNumber, default=-1)


class Delivery(Base):
    """One event for one endpoint, kept from the moment it is found until it is old."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        Index("ix_deliveries_due", "endpoint_id", "state", "next_attempt_at"),
        Index("ix_deliveries_shop", "shop_id", "id"),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    #: The same event found twice has the same id, and is kept once.
    event_id: Mapped[str] = mapped_column(String(100))
    event: Mapped[str] = mapped_column(String(64))
    #: What is sent: names of ours and numbers of customers, nothing else about them.
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    #: "waiting", "delivered" or "failed" (given up; a person may send it again).
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    #: Of Flow: how many customers were told already; each is a request of its own.
    done_count: Mapped[int] = mapped_column(default=0)
    attempt_count: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    #: The last answer: its status, or the kind of failure.
    status: Mapped[int | None]
    problem: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]


class Told(Base):
    """The state of a tag assignment or tracking that endpoints were last told of."""

    __tablename__ = "told_states"

    shop_id: Mapped[int] = mapped_column(
        ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True
    )
    #: "tag" or "tracking".
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16))
