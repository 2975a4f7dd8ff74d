"""Repeated requests: a POST with an Idempotency-Key is done once and answered alike each time.

The key belongs to its caller, who has to be let in first: an API key that was taken back is told
nothing of what it was told before, and strangers leave nothing here. A request that failed by our
own fault, or for want of a right, is not kept: the next one is a new try.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regulars.errors import ConflictError, InputError, problem
from regulars.office.models.installation import KeptAnswer
from regulars.web.deps import find_caller
from regulars.web.faults import problem_details, status_of

if TYPE_CHECKING:
    from regulars.runtime import Runtime

KEY_LENGTH_MAX = 255
NOT_KEPT = {401, 403, 429}


class KeepAnswers:
    """Answer a repeated POST of the API from what is kept."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self.app = app
        self.runtime = runtime
        # What was being answered when the last app died is answered by nobody any more.
        with runtime.office.session() as session:
            session.execute(delete(KeptAnswer).where(KeptAnswer.status.is_(None)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything else on untouched."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        key = headers.get("idempotency-key")
        is_ours = scope["type"] == "http" and scope["path"].startswith("/api/")
        if key is None or not is_ours or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        if not await run_in_threadpool(_is_let_in, request):
            await self.app(scope, receive, send)
            return
        try:
            body = await request.body()
        except HTTPException:
            # It brings too much, which the app tells better.
            await self.app(scope, receive, send)
            return
        caller = _caller(headers)
        fingerprint = hashlib.sha256(
            b"\0".join([scope["path"].encode(), scope["query_string"], body])
        ).digest()
        try:
            kept = await run_in_threadpool(
                self._begin, caller, key, fingerprint, self.runtime.clock()
            )
        except InputError as error:
            answer = problem_details(request, status_of(error), error.problems)
            await answer(scope, receive, send)
            return
        if kept is not None:
            answer = Response(kept.body, kept.status or 200, media_type=kept.media_type)
            answer.headers["Idempotent-Replayed"] = "true"
            await answer(scope, receive, send)
            return
        await self._answer_anew(scope, body, send, caller, key)

    async def _answer_anew(
        self, scope: Scope, body: bytes, send: Send, caller: str, key: str
    ) -> None:
        status, media_type, parts = 500, "", [b""]

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def watching(message: Message) -> None:
            nonlocal status, media_type
            if message["type"] == "http.response.start":
                status = message["status"]
                media_type = Headers(raw=message["headers"]).get("content-type", "")
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, replay, watching)
        finally:
            answer = (status, media_type, b"".join(parts))
            await run_in_threadpool(self._end, caller, key, answer)

    def _begin(self, caller: str, key: str, fingerprint: bytes, now: datetime) -> KeptAnswer | None:
        if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
            text = "An Idempotency-Key has 1 to {most} plain characters."
            raise InputError(problem("idempotency_key", text, most=KEY_LENGTH_MAX))
        try:
            with self.runtime.office.session() as session:
                kept = session.get(KeptAnswer, (caller, key))
                if kept is None:
                    row = KeptAnswer(
                        caller=caller, key=key, fingerprint=fingerprint, created_at=now, body=b""
                    )
                    session.add(row)
                    return None
        except IntegrityError:
            raise _still_running() from None
        if kept.fingerprint != fingerprint:
            text = "This Idempotency-Key was used for another request. Choose a new one."
            raise InputError(problem("idempotency_key_used", text))
        if kept.status is None:
            raise _still_running()
        return kept

    def _end(self, caller: str, key: str, answer: tuple[int, str, bytes]) -> None:
        status, media_type, body = answer
        with self.runtime.office.session() as session:
            kept = session.get(KeptAnswer, (caller, key))
            if kept is None:
                return
            if status >= 500 or status in NOT_KEPT:
                session.delete(kept)
                return
            kept.status, kept.media_type, kept.body = status, media_type, body


def _is_let_in(request: Request) -> bool:
    try:
        find_caller(request)
    except InputError:
        return False
    return True


def _still_running() -> ConflictError:
    text = "The first request with this Idempotency-Key is still being answered. Ask again soon."
    return ConflictError(problem("idempotency_key_running", text))


def _caller(headers: Headers) -> str:
    proof = headers.get("authorization") or headers.get("cookie") or ""
    return hashlib.sha256(proof.encode()).hexdigest()
