"""Static segments of an earlier system: fixed lists that are only kept, shown and converted."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class StaticSegment(Base):
    """One fixed list. Its rows are in the warehouse under `list_id`."""

    __tablename__ = "static_segments"
    __table_args__ = (UniqueConstraint("shop_id", "name_key"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    #: The name folded (NFKC, case).
    name_key: Mapped[str] = mapped_column(String(300))
    #: When the earlier system made it.
    created_on: Mapped[date]
    #: Where its customers came from in the earlier system: "csv" or "operation".
    source: Mapped[str] = mapped_column(String(16))
    #: The upload whose rows are its customers, and the list's number after conversion.
    list_id: Mapped[int] = mapped_column(RowNumber)
    #: Rows of the file by outcome; they add up.
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    imported_at: Mapped[datetime]
    imported_by: Mapped[str] = mapped_column(String(255))
    #: The customer segment made of it; None until converted.
    segment_id: Mapped[int | None] = mapped_column(RowNumber)
    converted_at: Mapped[datetime | None]
    converted_by: Mapped[str | None] = mapped_column(String(255))
    #: In the trash since, and its name is free again; its tags and trackings stay.
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[str | None] = mapped_column(String(255))
    #: Emptied after its time in the trash: it cannot come back.
    purged_at: Mapped[datetime | None]


class StaticTag(Base):
    """A tag that the earlier system gave to a static segment; the app cannot take it off."""

    __tablename__ = "static_tags"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    static_segment_id: Mapped[int] = mapped_column(
        ForeignKey("static_segments.id", ondelete="CASCADE"), index=True
    )
    tag: Mapped[str] = mapped_column(String(255))
    given_on: Mapped[date]
    #: Customers it was given to, as the earlier system counted; None where it did not say.
    customer_count: Mapped[int | None]


class StaticTracking(Base):
    """A revenue tracking that the earlier system ran over a static segment."""

    __tablename__ = "static_trackings"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    static_segment_id: Mapped[int] = mapped_column(
        ForeignKey("static_segments.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(255))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    #: As the manifest says: "scheduled", "in_progress", "finished" or "cancelled".
    status: Mapped[str] = mapped_column(String(16))
    #: The tracking that stands for it here and goes on counting with the frozen members.
    tracking_id: Mapped[int | None] = mapped_column(RowNumber)


class StaticPhase(Base):
    """How far the phase-out of static segments is, for the whole installation: one row."""

    __tablename__ = "static_phase"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    #: "open" (new ones can be brought in), "read-only", "removed" (the area is hidden).
    phase: Mapped[str] = mapped_column(String(16))
    #: Announced days, shown in a banner beforehand; None: not announced.
    read_only_on: Mapped[date | None]
    removed_on: Mapped[date | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(255))
