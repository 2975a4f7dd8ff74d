"""Revenue trackings: a segment measured over a period. The figures are counted, never stored."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class RevenueTracking(Base):
    """One tracking. It follows the segment's membership; name and rule at its making are kept."""

    __tablename__ = "revenue_trackings"
    __table_args__ = (
        UniqueConstraint("shop_id", "name_key"),
        Index("ix_revenue_trackings_shop_starts", "shop_id", "starts_on"),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    #: The measured segment; the tracking outlives it, so name and rule are kept as well.
    segment_id: Mapped[int] = mapped_column(RowNumber, index=True)
    segment_name: Mapped[str] = mapped_column(String(255))
    query: Mapped[str] = mapped_column(Text)
    segment_version: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    #: The name folded (NFKC, case): two names that read the same are the same.
    name_key: Mapped[str] = mapped_column(String(300))
    note: Mapped[str] = mapped_column(String(2000), default="")
    #: First and last day, both included, in `time_zone`.
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    #: The shop's zone and currency when it was made; a later change of the shop does not move it.
    time_zone: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    #: The headline population: "order_time", "start" or "ever". All three are counted.
    population: Mapped[str] = mapped_column(String(16), default="order_time")
    author: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    #: "segment": follows the segment's membership; "static": a fixed list of the earlier system,
    #: whose members are kept here and stay; `segment_id` is then the static segment's.
    kind: Mapped[str] = mapped_column(String(16), default="segment", server_default="segment")
    #: Who belonged before the log can tell (decision 0020), or the frozen members of a static
    #: list, as `tracking.before` writes them; None where the log tells all.
    members_before: Mapped[bytes | None] = mapped_column(LargeBinary)
