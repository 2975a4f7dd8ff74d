"""Security headers on every answer, and a fresh nonce per request.

Pure ASGI, so that streams pass through untouched and no answer, errors included, goes out without.
"""

from __future__ import annotations

import secrets
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Everything that a page of ours never needs is switched off.
PERMISSIONS = (
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), "
    "payment=(), usb=(), browsing-topics=()"
)
#: What every answer says. Written as the server sends it: these go out by hundreds a second.
ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", PERMISSIONS.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

#: What an answer says that has no content, and so asks for nothing.
EMPTY: Final = (
    *ALWAYS,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"content-length", b"0"),
)

#: Where App Bridge comes from and speaks to; the only thing that is ever loaded from elsewhere.
BRIDGE_ORIGIN = "https://cdn.shopify.com"


def framed_policy(nonce: str, framed_by: str, bridge_origin: str) -> str:
    """Return the policy inside the admin: framed by one verified shop, with Shopify's App Bridge.

    App Bridge brings parts of its own and says nothing of trusted types, so those are not demanded.
    """
    bridge = bridge_origin or BRIDGE_ORIGIN
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}' {bridge}; style-src 'self'; "
        f"img-src 'self' data:; connect-src 'self' {bridge}; form-action 'self'; "
        f"base-uri 'none'; frame-ancestors {framed_by}"
    )


def content_security_policy(nonce: str) -> str:
    """Return the policy: no inline code, no eval, nothing from elsewhere, not in a frame."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types htmx"
    )


class SecurityHeaders:
    """Give each request a nonce and an id, and each answer its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(18)
        request_id = secrets.token_hex(6)
        scope.setdefault("state", {}).update(nonce=nonce, request_id=request_id)
        secure = scope.get("scheme") == "https"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = [
                    *ALWAYS,
                    (b"content-security-policy", _policy(scope, nonce).encode()),
                    (b"x-request-id", request_id.encode()),
                ]
                if secure:
                    ours.append((b"strict-transport-security", b"max-age=31536000"))
                names = {name for name, _ in ours}
                theirs = [one for one in message["headers"] if one[0].lower() not in names]
                if not any(name.lower() == b"cache-control" for name, _ in theirs):
                    ours.append((b"cache-control", b"no-store"))
                message["headers"] = theirs + ours
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _policy(scope: Scope, nonce: str) -> str:
    """Choose the policy: only a page that verified who frames it has said so in its state."""
    framed_by = scope["state"].get("framed_by")
    if framed_by is None:
        return content_security_policy(nonce)
    return framed_policy(nonce, framed_by, scope["state"].get("bridge_origin", ""))
