"""The doors from Shopify: the app inside the admin, and the consent page of one outside it."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from regulars.errors import InputError, PermissionDenied, ShopifyError, problem
from regulars.runtime import connect_shop
from regulars.runtime.shopify import token_of
from regulars.shopify import authorize_url, open_http, verify_callback, verify_install_query
from regulars.web import embedding
from regulars.web.deps import Anyone, Visit

router = APIRouter()

STATE_COOKIE = "regulars_state"
STATE_SECONDS = 600


@router.get("/embedded")
def enter(visit: Anyone) -> Response:
    """Let the admin's frame in; a shop that is new is installed first."""
    runtime, request = visit.runtime, visit.request
    token = embedding.given_token(request, {})
    if token:
        try:
            embedding.install(runtime, visit.jobs, token, visit.now)
            _staff, _shop, frame = embedding.enter(runtime, token, visit.now)
        except PermissionDenied as refused:
            if refused.code != "session_expired":
                raise
        else:
            return RedirectResponse(frame.with_token("/"), status_code=303)
    domain = embedding.framing_shop(runtime, request, visit.now) or _signed_shop(visit)
    return RedirectResponse(_bounce(visit, domain, "/embedded"), status_code=303)


@router.get("/embedded/bounce")
def bounce(visit: Anyone) -> Response:
    """Show the page on which App Bridge fetches a token; it knows nothing about anybody."""
    runtime, request = visit.runtime, visit.request
    way_back = request.query_params.get("shopify-reload", "")
    domain = embedding.framing_shop(runtime, request, visit.now) or _proved_shop(visit)
    if domain is None or not embedding.is_ours(request, way_back):
        text = "This address is not complete. Open the app from the Shopify admin."
        raise InputError(problem("bounce_incomplete", text))
    request.state.framed_by = embedding.ancestors(runtime.settings.simulator_url, domain)
    request.state.bridge_origin = runtime.settings.simulator_url
    frame = embedding.frame_of(runtime, domain, "")
    return visit.page("embedded/bounce.html", bridge=frame)


@router.get("/auth")
def begin(visit: Anyone) -> Response:
    """Send whoever opens the app outside the admin to Shopify's consent page."""
    settings = visit.runtime.settings
    domain = _signed_shop(visit)
    embedding.demand_allowed(visit.runtime, domain)
    state = secrets.token_urlsafe(24)
    address = authorize_url(
        domain,
        client_id=settings.api_key,
        scopes=settings.scopes,
        redirect_uri=f"{settings.address}/auth/callback",
        state=state,
    )
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(
        STATE_COOKIE,
        state,
        max_age=STATE_SECONDS,
        secure=visit.request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/auth/callback")
def end(visit: Anyone) -> Response:
    """Take Shopify's code for a token, connect the shop and begin to load it."""
    runtime = visit.runtime
    state = visit.request.cookies.get(STATE_COOKIE, "")
    pairs = visit.request.query_params.multi_items()
    found = verify_callback(pairs, secrets=_secrets(visit), state=state, now=visit.now)
    embedding.demand_allowed(runtime, found.domain)
    http = open_http(loopback_allowed=bool(runtime.settings.simulator_url))
    try:
        grant = embedding.door_of(runtime, found.domain, http).redeem(found.code)
    except ShopifyError as error:
        text = "Shopify gave no access: {reason}"
        raise PermissionDenied(problem("no_access", text, reason=error)) from error
    finally:
        http.close()
    shop = connect_shop(runtime, found.domain, token_of(grant))
    with visit.office() as session:
        visit.jobs.backfill_later(session, shop)
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(STATE_COOKIE)
    return answer


def _signed_shop(visit: Visit) -> str:
    """Return the shop of a query that Shopify signed; raises PermissionDenied."""
    pairs = visit.request.query_params.multi_items()
    return verify_install_query(pairs, secrets=_secrets(visit), now=visit.now)


def _proved_shop(visit: Visit) -> str | None:
    """Return a shop that we proved ourselves a moment ago: on its way to a first installation."""
    domain = visit.request.query_params.get("shop", "")
    proof = visit.request.query_params.get("proof", "")
    kept: dict[str, str] = visit.request.app.state.proved_shops
    return domain if proof and kept.get(proof) == domain else None


def _bounce(visit: Visit, domain: str, path: str) -> str:
    kept: dict[str, str] = visit.request.app.state.proved_shops
    proof = secrets.token_urlsafe(16)
    kept[proof] = domain
    while len(kept) > 1000:
        kept.pop(next(iter(kept)))
    base = str(visit.request.base_url).rstrip("/")
    return f"{embedding.bounce_address(domain, base + path)}&proof={proof}"


def _secrets(visit: Visit) -> list[str]:
    secret = visit.runtime.settings.api_secret.get_secret_value()
    if not secret or not visit.runtime.settings.api_key:
        text = "This installation is not set up as an app of Shopify."
        raise PermissionDenied(problem("not_an_app", text))
    return [secret]
