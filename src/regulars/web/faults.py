"""Errors as answers: a page with a way back for people, problem details for programs, one shape.

A bug of ours shows a reference and nothing else; its text goes to the log under that reference.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regulars.errors import (
    ConflictError,
    InputError,
    LimitError,
    NotFoundError,
    PermissionDenied,
    Problem,
    ShopifyError,
    problem,
)
from regulars.web import embedding
from regulars.web.deps import SignInNeeded, ToldProblem, Visit, open_visit, told
from regulars.web.i18n import N_, Localizer, preferred_language

log = logging.getLogger("regulars.web")

STATUS_OF: tuple[tuple[type[InputError], int], ...] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (LimitError, 422),
    (PermissionDenied, 403),
)

#: Codes of those whom we do not know, or no longer.
NOBODY = {"not_signed_in", "session_expired", "session_too_early", "not_a_session", "not_installed"}

TITLES = {
    400: N_("This request cannot be read"),
    401: N_("Please sign in"),
    403: N_("This is not allowed"),
    404: N_("This page does not exist"),
    405: N_("This cannot be done at this address"),
    409: N_("Something else stands in the way"),
    413: N_("This is too large"),
    415: N_("This kind of content is not understood"),
    422: N_("This cannot be used as it is"),
    429: N_("Too many tries"),
    500: N_("Something went wrong on our side"),
    502: N_("Shopify did not answer as expected"),
    503: N_("The app is not ready at the moment"),
}
#: What a person does at a page about a thing that is not there any more.
CHOOSE_AGAIN = N_(
    "It may have been deleted meanwhile. Load the page again and choose from the list."
)
#: What to do next, for whoever looks at a page; a person's mistake says it itself.
NEXT_STEPS = {
    400: N_("Go back, load the page again, and send it once more."),
    401: N_("Sign in and open the page again."),
    403: N_("Ask an owner of this installation, or choose another page from the menu."),
    404: N_(
        "It may have been deleted, or it belongs to another shop. Check the address, or choose"
        " another page from the menu."
    ),
    405: N_("Open the page from the menu and press its button there."),
    409: N_("Load the page again, look at what changed, and send it once more."),
    413: N_("Send a smaller file or a shorter text."),
    415: N_("Send a CSV file, or use the form of the page."),
    422: N_("Go back, change what is named here, and send it again."),
    429: N_("Wait a quarter of an hour, then try again."),
    500: N_("Try again. If it happens again, tell your operator the reference."),
    502: N_("Try again in a few minutes. The connection is shown under Settings."),
    503: N_("Try again in a minute."),
}


def install(app: FastAPI) -> None:
    """Register the answers for every kind of error."""

    @app.exception_handler(InputError)
    def _input_error(request: Request, error: InputError) -> Response:
        return _answer(request, status_of(error), error.problems)

    @app.exception_handler(ShopifyError)
    def _shopify_error(request: Request, error: ShopifyError) -> Response:
        text = "Shopify did not do what was asked: {reason}"
        return _answer(request, 502, [problem("shopify", text, reason=str(error))])

    @app.exception_handler(SignInNeeded)
    def _sign_in_needed(request: Request, _error: SignInNeeded) -> Response:
        return _to_sign_in(request)

    @app.exception_handler(HTTPException)
    def _http_error(request: Request, error: HTTPException) -> Response:
        detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
        code = HTTPStatus(error.status_code).name.lower()
        answer = _answer(request, error.status_code, [problem(code, "{text}", text=detail)])
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    def _validation_error(request: Request, error: RequestValidationError) -> Response:
        problems = [_unreadable(one["loc"], one["msg"]) for one in error.errors()]
        # A path like /segments/abc names nothing that exists.
        in_path = any(one["loc"][0] == "path" for one in error.errors())
        return _answer(request, 404 if in_path else 422, problems)


class CatchBugs:
    """Answer whatever nothing else answered for, inside the middleware that adds headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer for it when that raises."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except Exception as error:
            if started:
                raise
            answer = await run_in_threadpool(_bug, Request(scope, receive), error)
            await answer(scope, receive, send)


def status_of(error: InputError) -> int:
    """Return the HTTP status of a person's mistake."""
    if error.code in NOBODY:
        return 401
    if error.code == "too_many_tries":
        return 429
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), 422)


def _unreadable(location: Sequence[object], reason: str) -> Problem:
    # Whether it stood in the address or in what was sent says nothing to whoever sent it.
    place = ".".join(str(part) for part in location[1:] or location)
    field = str(location[-1])
    return problem("unreadable_value", "{place}: {reason}", field=field, place=place, reason=reason)


def _bug(request: Request, error: Exception) -> Response:
    # Without letters and digits that look alike: it is read out on the telephone.
    reference = "".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTUVWXYZ") for _ in range(6))
    log.error("reference %s: %s %s", reference, request.method, request.url.path, exc_info=error)
    text = "Something went wrong on our side (reference {reference})."
    return _answer(request, 500, [problem("our_fault", text, reference=reference)])


def _to_sign_in(request: Request) -> Response:
    now = request.app.state.runtime.clock()
    domain = embedding.framing_shop(request.app.state.runtime, request, now)
    if domain is not None and embedding.is_framed(request):
        return _to_bounce(request, domain)
    way_back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = "/sign-in?next=" + quote(way_back if request.method == "GET" else "/", safe="")
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": address})
    return Response(status_code=303, headers={"Location": address})


def _to_bounce(request: Request, domain: str) -> Response:
    """Send a page of the frame that has no token any more to where it gets one."""
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in {"id_token", "told"}
    ]
    path = request.url.path if request.method == "GET" else "/"
    back = f"{str(request.base_url).rstrip('/')}{path}?{urlencode(kept)}"
    address = embedding.bounce_address(domain, back)
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": address})
    return Response(status_code=303, headers={"Location": address})


def _answer(request: Request, status: int, problems: Sequence[Problem]) -> Response:
    if request.url.path.startswith(("/api/", "/webhooks/")):
        return problem_details(request, status, problems)
    return _error_page(request, status, problems)


def problem_details(request: Request, status: int, problems: Sequence[Problem]) -> Response:
    """Answer a program: application/problem+json with our codes."""
    language = preferred_language(request.headers.get("accept-language", ""))
    # A program reads English as the command line writes it.
    translate = str if language == "en" else Localizer(language, ZoneInfo("UTC"), "USD").template
    errors = [_as_json(told(one, translate)) for one in problems]
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, HTTPStatus(status).phrase),
        "status": status,
        "code": problems[0].code,
        "detail": " ".join(str(one["message"]) for one in errors),
        "errors": errors,
        "request_id": request.state.request_id,
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def _as_json(one: ToldProblem) -> dict[str, object]:
    places = {
        "field": one.field,
        "row": one.row,
        "line": one.line,
        "column": one.column,
        "start": one.start,
        "length": one.length,
        "suggestion": one.suggestion,
    }
    given = {name: value for name, value in places.items() if value is not None}
    return {"code": one.code, "message": one.message, **given}


def _for_page(one: Problem, visit: Visit) -> str:
    """Tell a problem with what can be done on a page, in place of a command."""
    sentence = one.sentence(visit.say.template)
    return sentence if one.command is None else f"{sentence} {visit.say(CHOOSE_AGAIN)}"


def _error_page(request: Request, status: int, problems: Sequence[Problem]) -> Response:
    visit = open_visit(request, FormData())
    messages = [_for_page(one, visit) for one in problems]
    title = visit.say(TITLES.get(status, TITLES[500]))
    # That a page is not there is said by its title.
    is_nowhere = status == 404 and request.method == "GET"
    shown = [message for message in messages if message and not is_nowhere]
    if not shown or status >= 500:
        shown.append(visit.say(NEXT_STEPS.get(status, NEXT_STEPS[500])))
    template = "errors/fragment.html" if visit.is_fragment else "errors/page.html"
    answer = visit.page(
        template,
        status=status,
        title=title,
        messages=shown,
        code=status,
        is_sent=request.method == "POST",
    )
    if visit.is_fragment:
        answer.headers["HX-Retarget"] = "#notices"
        answer.headers["HX-Reswap"] = "innerHTML"
    return answer
