"""Settings: the reader's own, the shop's facts, and its connection to Shopify."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from regulars.errors import InputError, problem
from regulars.office import Shop
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.shops import ShopToken
from regulars.office.models.staff import Staff
from regulars.segments import list_segments
from regulars.web import sessions
from regulars.web.deps import SignedIn, Visit, field_messages
from regulars.web.i18n import LANGUAGES, N_

router = APIRouter(prefix="/settings")

UNIVERSES = {
    "all": N_("All customers in the customer list"),
    "buyers": N_("Customers with at least one order that is not cancelled"),
}


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show all settings."""
    return _page(visit)


@router.post("/me")
def save_me(visit: SignedIn) -> Response:
    """Save the reader's own settings."""
    if visit.field("language") not in LANGUAGES:
        text = 'There is no language "{language}" here.'
        language = visit.field("language")
        wrong = InputError(problem("unknown_language", text, language=language, field="language"))
        return _page(visit, wrong)
    with visit.office() as session:
        staff = session.get_one(Staff, visit.person.id)
        staff.language = visit.field("language")
        staff.name = visit.field("name").strip()[:255] or staff.name
        staff.shortcuts = visit.field("shortcuts") == "on"
    return visit.go("/settings", visit.say("Saved."))


@router.post("/password")
def save_password(visit: SignedIn) -> Response:
    """Set a password for signing in without a link; the present one is asked for where there is."""
    try:
        with visit.office() as session:
            staff = session.get_one(Staff, visit.person.id)
            if staff.password_hash is not None:
                sessions.demand_password(staff, visit.field("current_password"))
            sessions.set_password(staff, visit.field("password"))
            sessions.end_other_sessions(session, staff, visit.session_token or "")
    except InputError as wrong:
        return _page(visit, wrong)
    text = visit.say("The password is set. Other browsers were signed out.")
    return visit.go("/settings", text)


@router.post("/shop")
def save_shop(visit: SignedIn) -> Response:
    """Choose who counts as everybody; every segment is counted anew when that changes."""
    universe = visit.field("universe")
    if universe not in UNIVERSES:
        wrong = InputError(problem("universe", "Choose one of the two.", field="universe"))
        return _page(visit, wrong)
    with visit.office() as session:
        shop = session.get_one(Shop, visit.shop.id)
        is_new = shop.universe != universe
        shop.universe = universe
        if is_new:
            for segment in list_segments(session, shop):
                visit.jobs.refresh_segment_later(session, shop, segment.id, "universe")
    return visit.go("/settings", visit.say("Saved."))


def _page(visit: Visit, wrong: InputError | None = None) -> Response:
    told = field_messages(visit.problems(wrong)) if wrong else {}
    return visit.page(
        "settings/show.html",
        status=422 if wrong else 200,
        told=told,
        universes=UNIVERSES,
        **(_shop_values(visit) if visit.current_shop else {}),
    )


def _shop_values(visit: Visit) -> dict[str, Any]:
    with visit.runtime.office.reading() as session:
        token = session.get(ShopToken, visit.shop.id)
        last = select(InboxEvent.received_at).where(InboxEvent.shop_id == visit.shop.id)
        return {
            "token": token,
            "last_webhook_at": session.scalar(last.order_by(InboxEvent.id.desc()).limit(1)),
        }
