"""Inside the Shopify admin: a session token instead of cookies, and which shop may frame us.

The shop comes from the verified token alone. A page that comes without one is sent to the bounce
page, where Shopify's App Bridge fetches a token and comes back with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from sqlalchemy import select
from starlette.requests import Request

from regulars.errors import InputError, PermissionDenied, problem
from regulars.office import Shop, ShopToken
from regulars.office.models.staff import Staff, StaffShop
from regulars.runtime import connect_shop
from regulars.runtime.shopify import token_of
from regulars.shopify import SessionClaims, TokenDoor, open_http, verify_session_token
from regulars.shopify.http import is_shop_domain

if TYPE_CHECKING:
    from regulars.jobs import Jobs
    from regulars.runtime import Runtime

#: Shopify's rule: App Bridge is loaded from there and nowhere else. It changes without notice, so
#: no hash of it can be demanded.
BRIDGE = "https://cdn.shopify.com/shopifycloud/app-bridge.js"
ADMIN = "https://admin.shopify.com"
#: What people of the admin sign in as here; no password, no letter ever goes to it.
LOGIN_PREFIX = "shopify:"


@dataclass(frozen=True, slots=True)
class Frame:
    """The admin page around us: whose it is, and what pages inside need."""

    domain: str
    #: The session token of this request; good for a minute.
    token: str
    api_key: str
    bridge: str

    def with_token(self, address: str) -> str:
        """Return an address of ours that is let in, for a redirect inside the frame."""
        mark = "&" if "?" in address else "?"
        return f"{address}{mark}{urlencode({'id_token': self.token})}"


def given_token(request: Request, fields: Mapping[str, object]) -> str:
    """Return the session token of a request: of its header, address or form; empty for none."""
    header = request.headers.get("authorization", "")
    if header.lower().startswith("bearer ") and is_session_token(header[7:].strip()):
        return header[7:].strip()
    asked = request.query_params.get("id_token") or fields.get("id_token", "")
    return asked if isinstance(asked, str) else ""


def is_session_token(text: str) -> bool:
    """Whether a bearer text has the shape of a session token; our own keys have not."""
    return text.count(".") == 2


def verified(runtime: Runtime, token: str, now: datetime) -> SessionClaims:
    """Return what a token says; raises PermissionDenied for one that is not Shopify's for us."""
    settings = runtime.settings
    secret = settings.api_secret.get_secret_value()
    if not settings.api_key or not secret:
        text = "This installation is not set up as an app of Shopify."
        raise PermissionDenied(problem("not_an_app", text))
    return verify_session_token(token, client_id=settings.api_key, secrets=[secret], now=now)


def enter(runtime: Runtime, token: str, now: datetime) -> tuple[Staff, Shop, Frame]:
    """Return who comes in by a session token; raises PermissionDenied."""
    claims = verified(runtime, token, now)
    with runtime.office.reading() as session:
        shop = session.scalar(select(Shop).where(Shop.domain == claims.domain))
        is_here = shop is not None and session.get(ShopToken, shop.id) is not None
        staff = session.scalar(select(Staff).where(Staff.login == _login(claims)))
    if shop is None or not is_here:
        text = "The app is not installed in this shop. Open it from the Shopify admin."
        raise PermissionDenied(problem("not_installed", text))
    staff = staff or _make_staff(runtime, claims, shop, now)
    if staff.disabled_at is not None:
        text = "You may no longer use this app. Ask the person who runs it."
        raise PermissionDenied(problem("shut_out", text))
    return staff, shop, frame_of(runtime, claims.domain, token)


def frame_of(runtime: Runtime, domain: str, token: str) -> Frame:
    """Return the frame of a shop that was verified."""
    simulator = runtime.settings.simulator_url
    bridge = f"{simulator}/app-bridge.js" if simulator else BRIDGE
    return Frame(domain, token, runtime.settings.api_key, bridge)


def install(runtime: Runtime, jobs: Jobs, token: str, now: datetime) -> None:
    """Change a session token into an access token where the shop has none yet, and load it."""
    claims = verified(runtime, token, now)
    demand_allowed(runtime, claims.domain)
    with runtime.office.reading() as session:
        shop = session.scalar(select(Shop).where(Shop.domain == claims.domain))
        is_connected = shop is not None and shop.disconnected_at is None
        if is_connected and shop and session.get(ShopToken, shop.id) is not None:
            return
    http = open_http(loopback_allowed=bool(runtime.settings.simulator_url))
    try:
        grant = door_of(runtime, claims.domain, http).exchange(token)
    finally:
        http.close()
    connected = connect_shop(runtime, claims.domain, token_of(grant))
    with runtime.office.session() as session:
        jobs.backfill_later(session, connected)


def door_of(runtime: Runtime, domain: str, http: object) -> TokenDoor:
    """Return the token endpoint of a shop, or of the pretend Shopify."""
    settings = runtime.settings
    return TokenDoor(
        domain,
        client_id=settings.api_key,
        client_secret=settings.api_secret.get_secret_value(),
        http=http,  # type: ignore[arg-type]
        clock=runtime.clock,
        base_url=settings.simulator_url or None,
    )


def demand_allowed(runtime: Runtime, domain: str) -> None:
    """Refuse a shop that this installation is not for; raises PermissionDenied."""
    allowed = {one.strip().lower() for one in runtime.settings.shops_allowed.split(",")} - {""}
    if allowed and domain not in allowed:
        text = "This installation is not for {domain}. Ask the person who runs it."
        raise PermissionDenied(problem("shop_not_allowed", text, domain=domain))


def framing_shop(runtime: Runtime, request: Request, now: datetime) -> str | None:
    """Return the shop that may frame the bounce page: of an ended token, or an installed one."""
    token = request.query_params.get("id_token", "")
    if token:
        domain = _ended(runtime, token, now)
        if domain is not None:
            return domain
    domain = request.query_params.get("shop", "")
    if not is_shop_domain(domain):
        return None
    with runtime.office.reading() as session:
        known = session.scalar(select(Shop.id).where(Shop.domain == domain))
    return domain if known is not None else None


def _ended(runtime: Runtime, token: str, now: datetime) -> str | None:
    """Return whose token this was when it was good: its signature still proves that."""
    import jwt

    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        was_good_at = datetime.fromtimestamp(int(claims["exp"]) - 1, now.tzinfo)
        return verified(runtime, token, min(was_good_at, now)).domain
    except (jwt.InvalidTokenError, InputError, KeyError, ValueError, TypeError, OverflowError):
        return None


def is_framed(request: Request) -> bool:
    """Whether a browser asks for a document inside a frame."""
    return (
        request.headers.get("sec-fetch-dest") == "iframe"
        or "id_token" in request.query_params
        or request.query_params.get("embedded") == "1"
    )


def bounce_address(domain: str, way_back: str) -> str:
    """Return the address of the bounce page that leads back to a page of ours."""
    return "/embedded/bounce?" + urlencode({"shop": domain, "shopify-reload": way_back})


def is_ours(request: Request, address: str) -> bool:
    """Whether an address that App Bridge would go to is one of this app."""
    parts = urlsplit(address)
    return parts.scheme in {"http", "https"} and parts.netloc == request.url.netloc


def ancestors(runtime_url: str, domain: str) -> str:
    """Return who may frame a page of this shop: its admin, and the pretend one beside us."""
    pretend = f" {runtime_url}" if runtime_url else ""
    return f"https://{domain} {ADMIN}{pretend}"


def _login(claims: SessionClaims) -> str:
    return f"{LOGIN_PREFIX}{claims.staff_id[:60]}@{claims.domain}"


def _make_staff(runtime: Runtime, claims: SessionClaims, shop: Shop, now: datetime) -> Staff:
    with runtime.office.session() as session:
        login = _login(claims)
        staff = session.scalar(select(Staff).where(Staff.login == login))
        if staff is None:
            name = f"Shopify {claims.staff_id[:60]}"
            staff = Staff(login=login, name=name, role="member", created_at=now)
            session.add(staff)
            session.flush()
            session.add(StaffShop(staff_id=staff.id, shop_id=shop.id))
    return staff
