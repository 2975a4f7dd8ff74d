"""Help: answers for the page one is on, and the chat with the operator; the live stream of both."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from regulars import support
from regulars.errors import InputError
from regulars.runtime import Item, News
from regulars.web.deps import Anyone, SignedIn, Visit

router = APIRouter(prefix="/help")

# A comment this often keeps proxies from closing a silent stream.
HEARTBEAT_SECONDS = 20
# A stream ends after this time and is opened anew: whoever was signed out meanwhile gets no more.
STREAM_SECONDS = 600


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show help as a page of its own."""
    return visit.page("help/show.html", **_values(visit))


@router.get("/panel")
def show_panel(visit: SignedIn) -> Response:
    """Show help beside the page that is open."""
    if not visit.is_fragment:
        return visit.go(f"/help?page={_page(visit)}")
    return visit.page("help/panel.html", **_values(visit))


@router.get("/shortcuts")
def show_shortcuts(visit: SignedIn) -> Response:
    """Show which keys do what."""
    return visit.dialog("help/shortcuts.html")


@router.get("/suggestions")
def show_suggestions(visit: SignedIn) -> Response:
    """Answer a question from the help texts, or offer those of the page."""
    return visit.page("help/suggestions.html", **_topics(visit))


@router.get("/log")
def show_log(visit: SignedIn) -> Response:
    """Show the messages as they stand."""
    return visit.page("help/log.html", **_talk(visit))


@router.post("/messages")
def write(visit: SignedIn) -> Response:
    """Send a message to the operator."""
    try:
        with visit.office() as session:
            message = support.write(
                session,
                visit.shop,
                visit.person,
                text=visit.field("text"),
                page=_page(visit),
                client_key=visit.field("client_key"),
                now=visit.now,
            )
            visit.jobs.tell_of_messages_later(
                session, visit.shop, message.conversation_id, by_operator=False
            )
    except InputError as wrong:
        values = {**_values(visit), "draft": visit.field("text"), "told": visit.problems(wrong)}
        template = "help/talk.html" if visit.is_fragment else "help/show.html"
        return visit.page(template, status=422, **values)
    _publish(visit, message.conversation_id)
    if visit.is_fragment:
        return visit.page("help/talk.html", **_values(visit))
    return visit.go(f"/help?page={_page(visit)}", visit.say("Your message was sent."))


@router.post("/seen")
def see(visit: SignedIn) -> Response:
    """Mark the answers as seen."""
    with visit.office() as session:
        found = support.conversation_of(session, visit.shop.id, visit.person.id)
        is_new = found is not None and support.see(session, found, by_operator=False)
    if found is not None and is_new:
        _publish(visit, found.id)
    return visit.page("help/badge.html")


@router.get("/badge")
def show_badge(visit: SignedIn) -> Response:
    """Show how many messages are unread."""
    return visit.page("help/badge.html")


@router.get("/stream")
async def stream(visit: Anyone) -> Response:
    """Tell this browser, for as long as it looks, that there is something new in the chat."""
    # Not a way to sign in: a page whose session ended must stop asking so often.
    if visit.staff is None:
        return Response(status_code=401)
    lines = _lines(visit.runtime.news, visit.staff.id, is_operator=visit.is_operator)
    return StreamingResponse(lines, media_type="text/event-stream")


async def _lines(news: News, staff_id: int, *, is_operator: bool) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    heard: asyncio.Queue[str] = asyncio.Queue(maxsize=100)

    def put(topic: str) -> None:
        # A full queue already says that there is something new.
        with contextlib.suppress(asyncio.QueueFull):
            heard.put_nowait(topic)

    def listen(item: Item) -> None:
        concerns = item.topic == "chat" and (is_operator or item.data.get("staff_id") == staff_id)
        if concerns or item.topic == "stopping":
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(put, item.topic)

    ends = loop.time() + STREAM_SECONDS
    stop = news.listen(listen)
    try:
        yield b": open\n\n"
        while loop.time() < ends:
            try:
                topic = await asyncio.wait_for(heard.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if topic == "stopping":
                return
            yield b"event: chat\ndata: new\n\n"
    finally:
        stop()


def _values(visit: Visit) -> dict[str, Any]:
    return {**_talk(visit), **_topics(visit)}


def _talk(visit: Visit) -> dict[str, Any]:
    with visit.runtime.office.reading() as session:
        found = support.conversation_of(session, visit.shop.id, visit.person.id)
        messages = support.list_messages(session, found) if found else []
        seen = found.seen_by_staff_id if found else 0
    return {
        "messages": messages,
        "page_path": _page(visit),
        "client_key": secrets.token_urlsafe(18),
        "draft": "",
        "told": (),
        "has_unseen": any(one.by_operator and one.id > seen for one in messages),
    }


def _topics(visit: Visit) -> dict[str, Any]:
    words = visit.request.query_params.get("q", "").strip()[:200]
    page = _page(visit)
    if words:
        topics = support.suggest(words, page, visit.language)
    else:
        topics = support.topics_of_page(page, visit.language)
    return {"topics": topics, "words": words, "page_path": page}


def _page(visit: Visit) -> str:
    given = visit.request.query_params.get("page") or visit.field("page") or "/"
    return given[:200] if given.startswith("/") and not given.startswith("//") else "/"


def _publish(visit: Visit, conversation_id: int) -> None:
    visit.runtime.news.publish(
        visit.shop.id, "chat", conversation_id=conversation_id, staff_id=visit.person.id
    )
