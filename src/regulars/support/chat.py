"""The chat: what a person of a shop writes, what the operator answers, and who has seen what.

One conversation for each person and shop, so that nobody has to find the right one again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from regulars.errors import InputError, NotFoundError, problem
from regulars.office import Shop
from regulars.office.models.staff import Staff
from regulars.office.models.support import Conversation, Message

TEXT_LENGTH_MAX = 4000
# A log in a panel; the page of the conversation shows as many.
MESSAGES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One conversation as the operator's list shows it."""

    conversation: Conversation
    shop: Shop
    staff: Staff
    last: Message
    #: Messages of the person that no operator has seen.
    unread_count: int


def conversation_of(session: Session, shop_id: int, staff_id: int) -> Conversation | None:
    """Return what this person has written in this shop, or None while that is nothing."""
    return session.scalar(
        select(Conversation).where(
            Conversation.shop_id == shop_id, Conversation.staff_id == staff_id
        )
    )


def find_conversation(session: Session, conversation_id: int) -> Conversation:
    """Return a conversation for the operator; raises NotFoundError."""
    found = session.get(Conversation, conversation_id)
    if found is None:
        raise NotFoundError(problem("no_conversation", "There is no such conversation."))
    return found


def write(
    session: Session,
    shop: Shop,
    staff: Staff,
    *,
    text: str,
    now: datetime,
    page: str = "",
    client_key: str = "",
) -> Message:
    """Store a message of a person of the shop; the same `client_key` again stores nothing."""
    clean = _checked(text)
    conversation = conversation_of(session, shop.id, staff.id)
    if conversation is None:
        conversation = Conversation(
            shop_id=shop.id, staff_id=staff.id, created_at=now, updated_at=now
        )
        session.add(conversation)
        session.flush()
    return _add(
        session,
        conversation,
        text=clean,
        author=staff.name,
        by_operator=False,
        page=page,
        client_key=client_key,
        now=now,
    )


def answer(
    session: Session,
    conversation: Conversation,
    *,
    text: str,
    author: str,
    now: datetime,
    client_key: str = "",
) -> Message:
    """Store an answer of the operator."""
    return _add(
        session,
        conversation,
        text=_checked(text),
        author=author,
        by_operator=True,
        page="",
        client_key=client_key,
        now=now,
    )


def _checked(text: str) -> str:
    clean = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not clean:
        raise InputError(problem("empty_message", "Write something first.", field="text"))
    if len(clean) > TEXT_LENGTH_MAX:
        template = "A message has at most {most} characters; this one has {count}."
        raise InputError(
            problem("long_message", template, field="text", most=TEXT_LENGTH_MAX, count=len(clean))
        )
    return clean


def _add(
    session: Session,
    conversation: Conversation,
    *,
    text: str,
    author: str,
    by_operator: bool,
    page: str,
    client_key: str,
    now: datetime,
) -> Message:
    # The conversation is part of the key: nobody can claim another's message by guessing.
    key = f"{conversation.id}:{client_key[:40]}" if client_key else None
    if key is not None:
        known = session.scalar(select(Message).where(Message.client_key == key))
        if known is not None:
            return known
    message = Message(
        shop_id=conversation.shop_id,
        conversation_id=conversation.id,
        by_operator=by_operator,
        author=author,
        text=text,
        page=page[:255],
        client_key=key,
        sent_at=now,
    )
    session.add(message)
    session.flush()
    conversation.updated_at = now
    conversation.closed_at = None
    # Who writes has read what stands above.
    _see(conversation, message.id, by_operator=by_operator)
    return message


def list_messages(session: Session, conversation: Conversation) -> Sequence[Message]:
    """Return the latest messages, oldest first."""
    latest = (
        select(Message)
        .where(Message.conversation_id == conversation.id)
        .order_by(Message.id.desc())
        .limit(MESSAGES_SHOWN)
    )
    return session.scalars(latest).all()[::-1]


def see(session: Session, conversation: Conversation, *, by_operator: bool) -> bool:
    """Mark everything as seen by one side; return whether anything was new."""
    newest = select(func.max(Message.id)).where(Message.conversation_id == conversation.id)
    last = session.scalar(newest) or 0
    before = conversation.seen_by_operator_id if by_operator else conversation.seen_by_staff_id
    _see(conversation, last, by_operator=by_operator)
    return before < last


def _see(conversation: Conversation, message_id: int, *, by_operator: bool) -> None:
    if by_operator:
        conversation.seen_by_operator_id = message_id
    else:
        conversation.seen_by_staff_id = message_id


def unread_by_staff(session: Session, shop_id: int, staff_id: int) -> int:
    """Return how many answers a person has not seen."""
    count = (
        select(func.count())
        .select_from(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.shop_id == shop_id,
            Conversation.staff_id == staff_id,
            Message.by_operator,
            Message.id > Conversation.seen_by_staff_id,
        )
    )
    return session.scalar(count) or 0


def unread_by_operator(session: Session) -> int:
    """Return how many messages of all shops no operator has seen."""
    count = (
        select(func.count())
        .select_from(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(~Message.by_operator, Message.id > Conversation.seen_by_operator_id)
    )
    return session.scalar(count) or 0


def list_inbox(session: Session, *, closed: bool = False, limit: int = 100) -> list[InboxRow]:
    """Return conversations of all shops, the latest first; closed ones or the others."""
    is_closed = Conversation.closed_at.is_not(None)
    last_id = (
        select(func.max(Message.id))
        .where(Message.conversation_id == Conversation.id)
        .correlate(Conversation)
        .scalar_subquery()
    )
    unread = (
        select(func.count())
        .select_from(Message)
        .where(
            Message.conversation_id == Conversation.id,
            ~Message.by_operator,
            Message.id > Conversation.seen_by_operator_id,
        )
        .correlate(Conversation)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Conversation, Shop, Staff, Message, unread)
        .join(Shop, Shop.id == Conversation.shop_id)
        .join(Staff, Staff.id == Conversation.staff_id)
        .join(Message, Message.id == last_id)
        .where(is_closed if closed else ~is_closed)
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    return [InboxRow(*row) for row in rows]


def close_conversation(conversation: Conversation, now: datetime) -> None:
    """Put a conversation aside; the next message brings it back."""
    conversation.closed_at = now
