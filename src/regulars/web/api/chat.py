"""/shops/{shop}/conversation and /inbox: the chat, for the person who wrote and for the operator.

A conversation belongs to a signed-in person. A program with a key has none; the operator's side can
be worked by the command line as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from regulars import support
from regulars.office import Shop, audit
from regulars.office.models.staff import Staff
from regulars.office.models.support import Conversation, Message
from regulars.web.api.shapes import Asked
from regulars.web.deps import ApiCall, ApiCaller

router = APIRouter(tags=["chat"])


class MessageIn(Asked):
    """What is written; the same `client_key` again is stored once."""

    text: str
    page: Annotated[str, Field(max_length=200)] = ""
    client_key: Annotated[str, Field(max_length=40)] = ""


class MessageOut(BaseModel):
    """One message."""

    id: int
    by_operator: bool
    author: str
    text: str
    page: str
    sent_at: datetime


class ConversationOut(BaseModel):
    """The latest messages, oldest first."""

    id: int | None
    messages: list[MessageOut]
    unread_count: int


class InboxRowOut(BaseModel):
    """One conversation in the operator's list."""

    id: int
    shop: str
    staff: str
    last: MessageOut
    unread_count: int
    closed_at: datetime | None


class InboxOut(BaseModel):
    """Conversations of all shops, the latest first."""

    conversations: list[InboxRowOut]


@router.get("/shops/{shop}/conversation")
def show(call: ApiCaller, shop: str) -> ConversationOut:
    """Show what you and the operator wrote."""
    found = call.shop(shop)
    person = call.person
    with call.runtime.office.reading() as session:
        talk = support.conversation_of(session, found.id, person.id)
        messages = support.list_messages(session, talk) if talk else []
        unread = support.unread_by_staff(session, found.id, person.id)
    number = talk.id if talk else None
    return ConversationOut(id=number, messages=_all(messages), unread_count=unread)


@router.post("/shops/{shop}/conversation", status_code=201)
def write(call: ApiCaller, shop: str, asked: MessageIn) -> MessageOut:
    """Write to the operator."""
    found = call.shop(shop)
    with call.office() as session:
        message = support.write(
            session,
            found,
            call.person,
            text=asked.text,
            page=asked.page,
            client_key=asked.client_key,
            now=call.now,
        )
        call.jobs.tell_of_messages_later(session, found, message.conversation_id, by_operator=False)
    _publish(call, found.id, message.conversation_id, call.person.id)
    return _one(message)


@router.post("/shops/{shop}/conversation/seen", status_code=204)
def see(call: ApiCaller, shop: str) -> None:
    """Mark the answers as seen."""
    found = call.shop(shop)
    with call.office() as session:
        talk = support.conversation_of(session, found.id, call.person.id)
        if talk is not None:
            support.see(session, talk, by_operator=False)


@router.get("/inbox")
def inbox(call: ApiCaller, closed: Annotated[bool, Query()] = False) -> InboxOut:
    """List the conversations of all shops, for the operator."""
    call.require_local()
    with call.runtime.office.reading() as session:
        rows = support.list_inbox(session, closed=closed)
    return InboxOut(
        conversations=[
            InboxRowOut(
                id=row.conversation.id,
                shop=row.shop.name,
                staff=row.staff.name,
                last=_one(row.last),
                unread_count=row.unread_count,
                closed_at=row.conversation.closed_at,
            )
            for row in rows
        ]
    )


@router.get("/inbox/{conversation_id}")
def show_conversation(call: ApiCaller, conversation_id: int) -> ConversationOut:
    """Show one conversation, for the operator."""
    call.require_local()
    with call.runtime.office.reading() as session:
        talk = support.find_conversation(session, conversation_id)
        messages = support.list_messages(session, talk)
    unread = sum(not one.by_operator and one.id > talk.seen_by_operator_id for one in messages)
    return ConversationOut(id=talk.id, messages=_all(messages), unread_count=unread)


@router.post("/inbox/{conversation_id}/messages", status_code=201)
def answer(call: ApiCaller, conversation_id: int, asked: MessageIn) -> MessageOut:
    """Answer, as the operator."""
    call.require_local()
    with call.office() as session:
        talk = support.find_conversation(session, conversation_id)
        message = support.answer(
            session,
            talk,
            text=asked.text,
            author=call.author,
            client_key=asked.client_key,
            now=call.now,
        )
        shop = session.get_one(Shop, talk.shop_id)
        call.jobs.tell_of_messages_later(session, shop, talk.id, by_operator=True)
    _publish(call, talk.shop_id, talk.id, talk.staff_id)
    return _one(message)


@router.post("/inbox/{conversation_id}/seen", status_code=204)
def see_conversation(call: ApiCaller, conversation_id: int) -> None:
    """Mark a conversation as seen by the operator."""
    call.require_local()
    with call.office() as session:
        talk = support.find_conversation(session, conversation_id)
        support.see(session, talk, by_operator=True)


@router.post("/inbox/{conversation_id}/close", status_code=204)
def close(call: ApiCaller, conversation_id: int) -> None:
    """Put a conversation aside until somebody writes again."""
    call.require_local()
    with call.office() as session:
        talk: Conversation = support.find_conversation(session, conversation_id)
        support.close_conversation(talk, call.now)
        support.see(session, talk, by_operator=True)
        audit.record(
            session,
            act="conversation_closed",
            about=session.get_one(Staff, talk.staff_id).name,
            author=call.author,
            at=call.now,
            shop_id=talk.shop_id,
        )


def _publish(call: ApiCall, shop_id: int, conversation_id: int, staff_id: int) -> None:
    call.runtime.news.publish(shop_id, "chat", conversation_id=conversation_id, staff_id=staff_id)


def _all(messages: Sequence[Message]) -> list[MessageOut]:
    return [_one(one) for one in messages]


def _one(message: Message) -> MessageOut:
    return MessageOut.model_validate(message, from_attributes=True)
