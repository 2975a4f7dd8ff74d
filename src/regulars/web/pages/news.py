"""What's new: announcements with their dates, and who has read them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from regulars import support
from regulars.web.deps import SignedIn
from regulars.web.pages.sign_in import safe_path

router = APIRouter(prefix="/news")


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show every announcement, the latest first."""
    today = visit.say.local(visit.now).date()
    return visit.page(
        "news/show.html",
        listed=visit.announcements,
        unread={one.name for one in visit.unread_announcements},
        today=today,
    )


@router.post("/read")
def read(visit: SignedIn) -> Response:
    """Remember that one announcement, or all, were read."""
    wanted = visit.field("name")
    names = {one.name for one in visit.unread_announcements}
    with visit.office() as session:
        for name in names & {wanted} if wanted else names:
            support.dismiss(session, visit.person.id, name, visit.now)
    return visit.go(safe_path(visit.field("next") or "/news"))
