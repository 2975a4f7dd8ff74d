"""Segments and their versions: the saved, named definitions of who belongs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class Segment(Base):
    """One segment as it stands. Its members are in the warehouse, never here."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("shop_id", "name_key"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    #: The name folded (NFKC, case): two names that read the same are the same. Emptied of its
    #: claim when the segment goes to the trash, see `segments.names`.
    name_key: Mapped[str] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(String(2000), default="")
    #: One sign (an emoji or a letter) shown before the name; empty for none.
    icon: Mapped[str] = mapped_column(String(16), default="", server_default="")
    #: Shown on the home page.
    is_featured: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: "query" (a rule), "combination" (made of segments by AND, OR, EXCEPT) or "csv" (an upload).
    kind: Mapped[str] = mapped_column(String(16), default="query")
    #: The text of the current version.
    query: Mapped[str] = mapped_column(Text)
    #: Rises with each change of the query.
    version: Mapped[int] = mapped_column(default=1)
    #: "building" (members not yet known), "ready", "broken" (members kept as they were).
    state: Mapped[str] = mapped_column(String(16), default="building")
    #: Why it is broken, in English; None otherwise.
    problem: Mapped[str | None] = mapped_column(String(2000))
    member_count: Mapped[int] = mapped_column(default=0)
    #: The instant for which the members are exact; None until first built.
    evaluated_at: Mapped[datetime | None]
    #: The version whose members are in force: an older one while the newer is being built.
    evaluated_version: Mapped[int | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(255))
    updated_at: Mapped[datetime]
    #: In the trash since; None for a live segment.
    deleted_at: Mapped[datetime | None]
    #: The segment at Shopify that this one was written to; a later writing changes that one.
    shopify_gid: Mapped[str | None] = mapped_column(String(64))
    #: Out of the trash for good since. The row stays, emptied: the membership log and trackings
    #: name its number, which must never be given again.
    purged_at: Mapped[datetime | None]


class SegmentVersion(Base):
    """One text that a segment has had, with who wrote it and when."""

    __tablename__ = "segment_versions"
    __table_args__ = (UniqueConstraint("segment_id", "version"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"))
    version: Mapped[int]
    query: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]


class SegmentGroup(Base):
    """A named group of segments; a segment may be in several."""

    __tablename__ = "segment_groups"
    __table_args__ = (UniqueConstraint("shop_id", "name_key"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    #: The name folded (NFKC, case).
    name_key: Mapped[str] = mapped_column(String(300))


class SegmentGroupEntry(Base):
    """One segment in one group."""

    __tablename__ = "segment_group_entries"

    group_id: Mapped[int] = mapped_column(
        ForeignKey("segment_groups.id", ondelete="CASCADE"), primary_key=True
    )
    segment_id: Mapped[int] = mapped_column(
        ForeignKey("segments.id", ondelete="CASCADE"), primary_key=True, index=True
    )
