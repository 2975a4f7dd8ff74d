"""How much a request may bring: refused before it is read, or as soon as it brings more.

Files go to a few addresses that have limits of their own and are read in pieces. Everything else is
read whole, so a stranger could fill the memory with it.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Forms and JSON: the longest queries, thousands of ids, an exchange of segments.
BYTES_MAX: Final = 8 * 1024**2
#: Addresses that take files.
_FILES: Final = re.compile(r"/api/v1/shops/[^/]+/uploads/content|/segments/(upload|static)(/.*)?")


class BoundBodies:
    """Answer with 413 where a request brings more than its address takes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count what it brings."""
        if scope["type"] != "http" or _FILES.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        # What is told ahead is refused unread; it may be a lie, so what comes is counted too.
        left = -1 if told.isdecimal() and int(told[:20]) > BYTES_MAX else BYTES_MAX

        async def counted() -> Message:
            nonlocal left
            message: Message = {}
            if left >= 0:
                message = await receive()
                left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
