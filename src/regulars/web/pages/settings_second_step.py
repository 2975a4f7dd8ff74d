"""Two-step sign-in of the reader: turned on with an authenticator app, and off again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import segno
from fastapi import APIRouter
from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.responses import Response

from regulars.errors import InputError
from regulars.office import second_factor
from regulars.office.models.staff import Staff
from regulars.web import sessions, team
from regulars.web.deps import SignedIn, Visit, field_messages

router = APIRouter(prefix="/settings/second-step")

#: Pixels a module of the picture is wide.
_SCALE = 4


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show whether codes are asked for, and how to begin or end it."""
    return _page(visit)


@router.post("")
def turn_on(visit: SignedIn) -> Response:
    """Ask for codes from now on, and show the recovery codes, once."""

    def act(session: Session, staff: Staff) -> Sequence[str]:
        sealer = visit.runtime.sealer
        secret = second_factor.offered(sealer, staff, visit.field("offer"))
        code = visit.field("code")
        made = second_factor.turn_on(
            session, sealer, staff, secret=secret, code=code, now=visit.now
        )
        sessions.end_other_sessions(session, staff, visit.session_token or "")
        return made

    return _changed(visit, act)


@router.post("/codes")
def make_codes(visit: SignedIn) -> Response:
    """Make new recovery codes and show them, once."""

    def act(session: Session, staff: Staff) -> Sequence[str]:
        team.Act(visit.author, visit.now).note(session, "recovery_codes_made", staff.login)
        return second_factor.make_recovery_codes(session, staff)

    return _changed(visit, act)


@router.post("/off")
def turn_off(visit: SignedIn) -> Response:
    """Ask for the password alone again."""

    def act(session: Session, staff: Staff) -> Sequence[str]:
        second_factor.turn_off(session, staff)
        return ()

    return _changed(visit, act)


def _changed(visit: Visit, act: Callable[[Session, Staff], Sequence[str]]) -> Response:
    """Do something to the reader's own sign-in once they have said their password."""
    try:
        with visit.office() as session:
            staff = session.get_one(Staff, visit.person.id)
            sessions.demand_password(staff, visit.field("current_password"))
            made = act(session, staff)
    except InputError as wrong:
        return _page(visit, wrong)
    if made:
        return _page(visit, made=made)
    return visit.go("/settings", visit.say("Two-step sign-in is off."))


def _page(visit: Visit, wrong: InputError | None = None, made: Sequence[str] = ()) -> Response:
    with visit.runtime.office.reading() as session:
        staff = session.get_one(Staff, visit.person.id)
        left = second_factor.recovery_codes_left(session, staff)
    return visit.page(
        "settings/second_step.html",
        status=422 if wrong else 200,
        told=field_messages(visit.problems(wrong)) if wrong else {},
        is_on=staff.has_second_step,
        has_password=staff.password_hash is not None,
        left=left,
        made=made,
        **({} if staff.has_second_step else _setting_up(visit, staff)),
    )


def _setting_up(visit: Visit, staff: Staff) -> Mapping[str, Any]:
    """Return what an app is told, as a picture and as a key to be typed."""
    secret, offer = _offer(visit, staff)
    picture = segno.make(second_factor.app_address(staff, secret), error="m")
    return {
        "offer": offer,
        "key": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": Markup(picture.svg_inline(scale=_SCALE, light="#fff")),  # noqa: S704
    }


def _offer(visit: Visit, staff: Staff) -> tuple[str, str]:
    """Return a new secret, or that of the form that came back: nobody has to scan twice."""
    brought = visit.field("offer")
    if brought:
        try:
            return second_factor.offered(visit.runtime.sealer, staff, brought), brought
        except InputError:
            pass
    return second_factor.offer(visit.runtime.sealer, staff)
