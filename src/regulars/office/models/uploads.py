"""CSV lists and their uploads. The rows of a list are in the warehouse, never here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class CsvList(Base):
    """A named list of customers that a query names: csv_list = 'Event guests'."""

    __tablename__ = "csv_lists"
    __table_args__ = (UniqueConstraint("shop_id", "name_key"),)

    #: The number of the upload that made it: the warehouse has the rows before this row exists.
    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    #: The name folded (NFKC, case).
    name_key: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(255))
    #: Since when it is known who was on it; None for a list made before that was kept.
    known_from: Mapped[datetime | None]


class Upload(Base):
    """One file on its way into a list, or one that went in."""

    __tablename__ = "uploads"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    #: The list that it changes; None until the list is made.
    list_id: Mapped[int | None] = mapped_column(RowNumber, index=True)
    #: The csv segment it was begun from; None for a new one.
    segment_id: Mapped[int | None] = mapped_column(RowNumber)
    #: "received", "checking", "checked", "applied", "undone", "discarded", "failed".
    state: Mapped[str] = mapped_column(String(16))
    #: Why it failed, in English; None otherwise.
    problem: Mapped[str | None] = mapped_column(String(2000))
    file_name: Mapped[str] = mapped_column(String(255))
    #: What the file was read with; "" chooses by trial.
    wished_encoding: Mapped[str] = mapped_column(String(16), default="")
    encoding: Mapped[str] = mapped_column(String(16))
    separator: Mapped[str] = mapped_column(String(1))
    header: Mapped[list[str]] = mapped_column(JSON)
    #: What each column holds: "id", "email", "phone" or "".
    columns: Mapped[list[str]] = mapped_column(JSON)
    #: Rows by outcome once checked: matched, duplicate, not_found, ambiguous, invalid; they add up.
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    #: "replace", "add" or "remove"; None until applied.
    mode: Mapped[str | None] = mapped_column(String(16))
    #: What it did once applied: joined, left, waiting_added, waiting_removed.
    effect: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    author: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
