"""Signing in and out, by password and code or by a one-time link, and what the whole frame offers.

A link's GET shows a page with a button and changes nothing: mail scanners and previews open links.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathValue
from sqlalchemy import select
from starlette.responses import RedirectResponse, Response

from regulars.errors import InputError, NotFoundError, PermissionDenied, problem
from regulars.office import second_factor
from regulars.office.models.staff import Staff, StaffSession
from regulars.office.signing_in import token_hash
from regulars.web import sessions
from regulars.web.deps import (
    LANGUAGE_COOKIE,
    Anyone,
    SignedIn,
    ToldProblem,
    Visit,
    field_messages,
    same_origin,
    session_cookie,
)
from regulars.web.i18n import LANGUAGES

router = APIRouter()

YEAR_SECONDS = 365 * 24 * 3600


@router.get("/sign-in")
def show_sign_in(visit: Anyone) -> Response:
    """Show the form, or go on when already signed in."""
    way_on = safe_path(visit.request.query_params.get("next", "/"))
    if visit.staff is not None:
        return RedirectResponse(way_on, status_code=303)
    return _form(visit, way_on)


@router.post("/sign-in")
def sign_in(visit: Anyone) -> Response:
    """Check login and password."""
    _demand_own_form(visit)
    way_on = safe_path(visit.field("next", "/"))
    login, address = visit.field("login"), _address(visit)
    try:
        with visit.office() as session:
            staff = sessions.check_password(
                session, login, visit.field("password"), address, visit.now
            )
            has_second_step = staff.has_second_step
            start = second_factor.begin if has_second_step else sessions.start_session
            token = start(session, staff, visit.now)
    except InputError as refused:
        with visit.office() as session:
            sessions.record_attempt(session, login, address, visit.now)
        told = visit.problems(refused)
        return _form(visit, way_on, status=_status_of(refused), told=told, login=login)
    if has_second_step:
        return _code_form(visit, token, way_on)
    return _signed_in(visit, token, way_on)


@router.post("/sign-in/code")
def give_code(visit: Anyone) -> Response:
    """Check the code of the second step."""
    _demand_own_form(visit)
    way_on, step = safe_path(visit.field("next", "/")), visit.field("step")
    login, address = "", _address(visit)
    try:
        with visit.office() as session:
            login = second_factor.take_try(session, step, visit.now).login
            sessions.check_attempts(session, login, address, visit.now)
        with visit.office() as session:
            staff = second_factor.finish(
                session, visit.runtime.sealer, step, code=visit.field("code"), now=visit.now
            )
            token = sessions.start_session(session, staff, visit.now)
    except PermissionDenied as refused:
        return _form(visit, way_on, status=403, told=visit.problems(refused), login=login)
    except InputError as refused:
        with visit.office() as session:
            sessions.record_attempt(session, login, address, visit.now)
        told = visit.problems(refused)
        return _code_form(visit, step, way_on, status=_status_of(refused), told=told)
    return _signed_in(visit, token, way_on)


@router.get("/sign-in/{token}")
def show_link(visit: Anyone, token: Annotated[str, PathValue(max_length=100)]) -> Response:
    """Show the button that uses a one-time link; a script presses it."""
    return visit.page("sign_in/link.html", token=token)


@router.post("/sign-in/{token}")
def use_link(visit: Anyone, token: Annotated[str, PathValue(max_length=100)]) -> Response:
    """Sign in by a one-time link."""
    _demand_own_form(visit)
    try:
        with visit.office() as session:
            staff = sessions.use_sign_in_link(session, token, visit.now)
            cookie = sessions.start_session(session, staff, visit.now)
    except PermissionDenied as refused:
        return _form(visit, "/", status=403, told=visit.problems(refused))
    return _signed_in(visit, cookie, "/")


@router.post("/sign-out")
def sign_out(visit: SignedIn) -> Response:
    """End this browser's session."""
    with visit.office() as session:
        sessions.end_session(session, visit.session_token or "")
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(session_cookie(visit.request), secure=_is_secure(visit), httponly=True)
    return answer


@router.post("/language")
def choose_language(visit: Anyone) -> Response:
    """Remember the language, with the person where one is signed in."""
    _demand_own_form(visit)
    chosen = visit.field("language")
    if chosen not in LANGUAGES:
        text = 'There is no language "{language}" here.'
        raise InputError(problem("unknown_language", text, language=chosen, field="language"))
    if visit.staff is not None:
        with visit.office() as session:
            staff = session.get_one(Staff, visit.staff.id)
            staff.language = chosen
    answer = RedirectResponse(safe_path(visit.field("next", "/")), status_code=303)
    answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR_SECONDS, httponly=True, samesite="lax")
    return answer


@router.post("/shop")
def choose_shop(visit: SignedIn) -> Response:
    """Look at another shop from now on."""
    name = visit.field("shop")
    with visit.office() as session:
        known = {shop.name: shop.id for shop in visit.shops}
        if name not in known:
            text = 'There is no shop "{name}".'
            raise NotFoundError(problem("no_shop", text, name=name, field="shop"))
        digest = token_hash(visit.session_token or "")
        row = session.scalar(select(StaffSession).where(StaffSession.token_hash == digest))
        if row is not None:
            row.shop_id = known[name]
    return RedirectResponse("/", status_code=303)


def safe_path(address: str) -> str:
    """Return a path of ours, or the home page for anything that leads elsewhere."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    has_control = any(ord(letter) < 33 for letter in address)
    return address if is_ours and not has_control else "/"


def _status_of(refused: InputError) -> int:
    return 429 if refused.code == "too_many_tries" else 422


def _code_form(
    visit: Visit,
    step: str,
    way_on: str,
    *,
    status: int = 200,
    told: Sequence[ToldProblem] = (),
) -> Response:
    messages = field_messages(told)
    return visit.page("sign_in/code.html", status=status, step=step, way_on=way_on, told=messages)


def _form(visit: Visit, way_on: str, *, status: int = 200, **values: object) -> Response:
    told = values.pop("told", ())
    return visit.page(
        "sign_in/form.html",
        status=status,
        way_on=way_on,
        login=values.pop("login", ""),
        told=field_messages(told),  # type: ignore[arg-type]
    )


def _signed_in(visit: Visit, token: str, way_on: str) -> Response:
    answer = RedirectResponse(way_on, status_code=303)
    answer.set_cookie(
        session_cookie(visit.request),
        token,
        max_age=sessions.ABSOLUTE_DAYS * 24 * 3600,
        secure=_is_secure(visit),
        httponly=True,
        samesite="lax",
    )
    return answer


def _demand_own_form(visit: Visit) -> None:
    if not same_origin(visit.request):
        text = "This form did not come from this app. Open the page again and repeat the step."
        raise PermissionDenied(problem("foreign_form", text))


def _is_secure(visit: Visit) -> bool:
    return visit.request.url.scheme == "https"


def _address(visit: Visit) -> str:
    return visit.request.client.host if visit.request.client else ""
