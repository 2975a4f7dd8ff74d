"""The operator's inbox: conversations of all shops, and answering them."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from regulars import support
from regulars.errors import InputError
from regulars.office import Shop, audit
from regulars.office.models.staff import Staff
from regulars.office.models.support import Conversation
from regulars.web.deps import OperatorVisit, Visit

router = APIRouter(prefix="/operator/inbox")


@router.get("")
def show_list(visit: OperatorVisit) -> Response:
    """Show the open conversations, or those put aside."""
    is_closed = visit.request.query_params.get("state") == "closed"
    with visit.runtime.office.reading() as session:
        rows = support.list_inbox(session, closed=is_closed)
    template = "inbox/rows.html" if visit.is_fragment else "inbox/list.html"
    return visit.page(template, rows=rows, is_closed=is_closed)


@router.get("/badge")
def show_badge(visit: OperatorVisit) -> Response:
    """Show how many messages wait."""
    return visit.page("inbox/badge.html")


@router.get("/{conversation_id:int}")
def show(visit: OperatorVisit, conversation_id: int) -> Response:
    """Show one conversation."""
    return visit.page("inbox/show.html", **_values(visit, conversation_id))


@router.get("/{conversation_id:int}/log")
def show_log(visit: OperatorVisit, conversation_id: int) -> Response:
    """Show its messages as they stand."""
    return visit.page("inbox/log.html", **_values(visit, conversation_id))


@router.post("/{conversation_id:int}/seen")
def see(visit: OperatorVisit, conversation_id: int) -> Response:
    """Mark its messages as seen."""
    with visit.office() as session:
        found = support.find_conversation(session, conversation_id)
        is_new = support.see(session, found, by_operator=True)
    if is_new:
        _publish(visit, found)
    return visit.page("inbox/badge.html")


@router.post("/{conversation_id:int}/messages")
def answer(visit: OperatorVisit, conversation_id: int) -> Response:
    """Answer."""
    try:
        with visit.office() as session:
            found = support.find_conversation(session, conversation_id)
            support.answer(
                session,
                found,
                text=visit.field("text"),
                author=visit.author,
                client_key=visit.field("client_key"),
                now=visit.now,
            )
            shop = session.get_one(Shop, found.shop_id)
            visit.jobs.tell_of_messages_later(session, shop, found.id, by_operator=True)
    except InputError as wrong:
        values = _values(visit, conversation_id)
        values |= {"draft": visit.field("text"), "told": visit.problems(wrong)}
        template = "inbox/talk.html" if visit.is_fragment else "inbox/show.html"
        return visit.page(template, status=422, **values)
    _publish(visit, found)
    if visit.is_fragment:
        return visit.page("inbox/talk.html", **_values(visit, conversation_id))
    return visit.go(f"/operator/inbox/{conversation_id}", visit.say("Your answer was sent."))


@router.post("/{conversation_id:int}/close")
def close(visit: OperatorVisit, conversation_id: int) -> Response:
    """Put it aside until somebody writes again."""
    with visit.office() as session:
        found = support.find_conversation(session, conversation_id)
        support.close_conversation(found, visit.now)
        support.see(session, found, by_operator=True)
        staff = session.get_one(Staff, found.staff_id)
        audit.record(
            session,
            act="conversation_closed",
            about=staff.name,
            author=visit.author,
            at=visit.now,
            shop_id=found.shop_id,
        )
    _publish(visit, found)
    return visit.go("/operator/inbox", visit.say("The conversation was put aside."))


def _values(visit: Visit, conversation_id: int) -> dict[str, Any]:
    with visit.runtime.office.reading() as session:
        found = support.find_conversation(session, conversation_id)
        messages = support.list_messages(session, found)
        shop = session.get_one(Shop, found.shop_id)
        staff = session.get_one(Staff, found.staff_id)
    unseen = [one for one in messages if not one.by_operator and one.id > found.seen_by_operator_id]
    return {
        "conversation": found,
        "messages": messages,
        "writer": staff,
        "of_shop": shop,
        "client_key": secrets.token_urlsafe(18),
        "draft": "",
        "told": (),
        "has_unseen": bool(unseen),
    }


def _publish(visit: Visit, found: Conversation) -> None:
    visit.runtime.news.publish(
        found.shop_id, "chat", conversation_id=found.id, staff_id=found.staff_id
    )
