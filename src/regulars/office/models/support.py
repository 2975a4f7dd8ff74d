"""The in-app chat: one conversation for each person and shop, and its messages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class Conversation(Base):
    """What one person of a shop and the operator wrote to each other."""

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("shop_id", "staff_id"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    #: When the last message was written.
    updated_at: Mapped[datetime] = mapped_column(index=True)
    #: The last message that each side has seen; 0 for none.
    seen_by_staff_id: Mapped[int] = mapped_column(RowNumber, default=0)
    seen_by_operator_id: Mapped[int] = mapped_column(RowNumber, default=0)
    #: Put aside by the operator; a new message opens it again.
    closed_at: Mapped[datetime | None]


class Message(Base):
    """One entry of a conversation. Its number also orders it."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    #: Whether the operator wrote it; otherwise the person of the shop.
    by_operator: Mapped[bool]
    author: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    #: The page on which it was written, as its path; empty where not told.
    page: Mapped[str] = mapped_column(String(255), default="")
    #: Made by the browser for each message, so that sending twice stores once.
    client_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    sent_at: Mapped[datetime]
