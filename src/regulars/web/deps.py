"""What a page or an API route is given: who asks, for which shop, in which language.

`Visit` is for pages, `ApiCall` for the API. The shop comes from the session, a key or the local
token and never from a form; every change asked for by a cookie has proved where its form came from.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from markupsafe import Markup
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from regulars import static_segments, support
from regulars.errors import InputError, NotFoundError, PermissionDenied, Problem, problem
from regulars.office import Shop, list_shops, no_shop
from regulars.office.audit import COMMAND_LINE
from regulars.office.models.staff import ApiKey, Staff, StaffSession, StaffShop
from regulars.office.signing_in import token_hash
from regulars.web import access, embedding, sessions
from regulars.web.i18n import LANGUAGES, Localizer, preferred_language
from regulars.web.templating import hx_attributes

if TYPE_CHECKING:
    from regulars.jobs import Jobs
    from regulars.runtime import Runtime

LANGUAGE_COOKIE = "regulars_language"
TOAST_COOKIE = "regulars_toast"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Forms of ours hold a few kilobytes; a query text of 20,000 characters is the largest part.
FORM_FIELDS_MAX = 2000
# Words of confirmation for frames; each is shown once, a moment later.
FRAMED_WORDS_MAX = 1000


class SignInNeeded(Exception):
    """Nobody is signed in; the page layer answers with the sign-in page and the way back."""


@dataclass
class Visit:
    """One request for a page, by a person or by nobody yet."""

    request: Request
    runtime: Runtime
    jobs: Jobs
    now: datetime
    language: str
    fields: FormData
    staff: Staff | None = None
    session_token: str | None = None
    shops: Sequence[Shop] = ()
    current_shop: Shop | None = None
    #: The Shopify admin around this page; None outside it.
    frame: embedding.Frame | None = None

    @property
    def shop(self) -> Shop:
        """The shop being looked at; raises NotFoundError while there is none at all."""
        if self.current_shop is None:
            raise NotFoundError(problem("no_shop_yet", "There is no shop here yet."))
        return self.current_shop

    @property
    def person(self) -> Staff:
        """Who is signed in; pages that ask for `SignedIn` always have somebody."""
        if self.staff is None:
            raise SignInNeeded
        return self.staff

    @property
    def is_operator(self) -> bool:
        """Whether this person runs the installation."""
        return self.staff is not None and self.staff.role == "owner"

    @property
    def unread_count(self) -> int:
        """How many answers of the operator this person has not seen."""
        if self.staff is None or self.current_shop is None:
            return 0
        with self.runtime.office.reading() as session:
            return support.unread_by_staff(session, self.current_shop.id, self.staff.id)

    @property
    def inbox_count(self) -> int:
        """How many messages of all shops no operator has seen; 0 for everybody else."""
        if not self.is_operator:
            return 0
        with self.runtime.office.reading() as session:
            return support.unread_by_operator(session)

    @property
    def announcements(self) -> Sequence[support.Announcement]:
        """What is told to this shop, the latest first."""
        today = self.say.local(self.now).date()
        occasions: support.Occasions = {}
        if self.current_shop is not None:
            with self.runtime.office.reading() as session:
                occasions = static_segments.announced_days(session, self.current_shop, today)
        return support.announcements(self.language, today, occasions)

    @property
    def unread_announcements(self) -> Sequence[support.Announcement]:
        """What this person has not read under What's new."""
        if self.staff is None:
            return ()
        told = self.announcements
        with self.runtime.office.reading() as session:
            return support.unread(session, self.staff.id, told)

    @property
    def author(self) -> str:
        """Who is to be named as the one who did something."""
        return self.staff.name if self.staff else ""

    def note_look(self) -> None:
        """Note in the audit log that this page shows who single customers are."""
        access.note(self, self.shop)

    def titles(self, of: str, ids: Sequence[str]) -> Mapping[str, str]:
        """Return what the shop calls products, collections and categories, for sentences."""
        return self.runtime.warehouse(self.shop).titles(of, ids)

    @property
    def say(self) -> Localizer:
        """Translates and formats for this reader and shop."""
        shop = self.current_shop
        zone = shop.zone if shop else ZoneInfo("UTC")
        return Localizer(self.language, zone, shop.currency if shop else "USD")

    @property
    def nonce(self) -> str:
        """The nonce of this answer's content security policy."""
        return str(self.request.state.nonce)

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks, for a part of a page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def toast(self) -> str:
        """The word of confirmation that the page before left for this one."""
        if self.frame is not None:
            words: dict[str, str] = self.request.app.state.words
            return words.get(self.request.query_params.get("told", ""), "")
        return unquote(self.request.cookies.get(TOAST_COOKIE, ""))

    def field(self, name: str, default: str = "") -> str:
        """Return one text field of the form that was sent."""
        value = self.fields.get(name, default)
        return value if isinstance(value, str) else default

    @contextmanager
    def office(self) -> Iterator[Session]:
        """Open an office transaction."""
        with self.runtime.office.session(self.author or None) as session:
            yield session

    def problems(self, error: InputError) -> Sequence[ToldProblem]:
        """Tell the problems of an error in the reader's language."""
        return [told(one, self.say.template) for one in error.problems]

    def context(self, **values: object) -> dict[str, Any]:
        """Return everything that a template of ours may name, with these values."""
        nonce = self.nonce
        say = self.say
        return {
            "visit": self,
            "here": self.request.url.path,
            "say": say,
            "_": say,
            "ngettext": say.ngettext,
            "nonce": nonce,
            "hx": lambda **attributes: hx_attributes(nonce, **attributes),
            "form_token": sessions.form_token(self.session_token) if self.session_token else "",
            "static": self.request.app.state.assets.address,
            "languages": LANGUAGES,
            "now": self.now,
            "code": lambda text: Markup("<code>{}</code>").format(text),
            "strong": lambda text: Markup("<strong>{}</strong>").format(text),
            # What Shopify or a log said is English whatever the reader's language.
            "english": english,
            "why_halted": lambda text, reason: why_halted(text, reason, say),
            "problems": (),
            "dialog_as_page": False,
            **values,
        }

    def render(self, template: str, **values: object) -> str:
        """Return a template as text."""
        environment = self.request.app.state.templates
        text: str = environment.get_template(template).render(self.context(**values))
        return text

    def page(self, template: str, /, *, status: int = 200, **values: object) -> HTMLResponse:
        """Answer with a template."""
        answer = HTMLResponse(self.render(template, **values), status_code=status)
        if self.toast and not self.is_fragment:
            answer.delete_cookie(TOAST_COOKIE)
        return answer

    def dialog(
        self, template: str, /, *, status: int = 200, back: str = "/", **values: object
    ) -> HTMLResponse:
        """Answer with a dialog: a fragment for htmx, else a page of its own that holds it.

        `back` is where Cancel leads without script.
        """
        if self.is_fragment:
            return self.page(template, status=status, back=back, **values)
        inner = self.render(template, dialog_as_page=True, back=back, **values)
        return self.page("dialog_page.html", status=status, inner=Markup(inner))  # noqa: S704 - our own template's output

    def go(self, address: str, toast: str | None = None) -> Response:
        """Send the reader to another page of ours, with a word of confirmation there."""
        if self.frame is not None:
            address, toast = self._framed_address(self.frame, address, toast), None
        if self.is_fragment:
            answer = Response(status_code=204, headers={"HX-Redirect": address})
        else:
            answer = RedirectResponse(address, status_code=303)
        if toast:
            answer.set_cookie(TOAST_COOKIE, quote(toast), max_age=30, httponly=True, samesite="lax")
        return answer

    def _framed_address(self, frame: embedding.Frame, address: str, toast: str | None) -> str:
        """Return an address that works without cookies: with its token, and the word's key."""
        if toast:
            words: dict[str, str] = self.request.app.state.words
            key = secrets.token_urlsafe(12)
            words[key] = toast
            while len(words) > FRAMED_WORDS_MAX:
                words.pop(next(iter(words)))
            address += f"{'&' if '?' in address else '?'}told={key}"
        return frame.with_token(address)


@dataclass(frozen=True)
class ToldProblem:
    """One problem in the reader's language, with the places kept."""

    message: str
    code: str
    field: str | None
    suggestion: str | None
    start: int | None
    length: int | None
    line: int | None
    column: int | None
    row: int | None


def english(text: object) -> Markup:
    """Mark a text as English, for whoever reads the page aloud."""
    return Markup('<span lang="en">{}</span>').format(text)


def why_halted(text: str, reason: Mapping[str, Any] | None, say: Localizer) -> str:
    """Tell why tag work stands still; what an earlier version wrote stays English."""
    if reason is None:
        return english(text)
    return Problem(reason["code"], reason["template"], reason["values"]).told(say.template)


def told(one: Problem, translate: Callable[[str], str]) -> ToldProblem:
    """Tell one problem through a translation."""
    return ToldProblem(
        message=one.told(translate),
        code=one.code,
        field=one.field,
        suggestion=one.suggestion,
        start=one.start,
        length=one.length,
        line=one.line,
        column=one.column,
        row=one.row,
    )


async def read_form(request: Request) -> FormData:
    """Read the fields of a form once; empty for what carries none."""
    kind = request.headers.get("content-type", "")
    if request.method in SAFE_METHODS or not kind.startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        return FormData()
    return await request.form(max_fields=FORM_FIELDS_MAX)


def open_visit(request: Request, fields: Annotated[FormData, Depends(read_form)]) -> Visit:
    """Find out who visits; nobody is fine here. For the sign-in pages and error pages."""
    runtime = request.app.state.runtime
    visit = Visit(
        request=request,
        runtime=runtime,
        jobs=request.app.state.jobs,
        now=runtime.clock(),
        language=_language(request, None),
        fields=fields,
    )
    framed = embedding.given_token(request, fields)
    token = request.cookies.get(session_cookie(request))
    if framed:
        _enter_frame(visit, framed)
    elif token:
        _recognize(visit, token)
    return visit


def signed_in(visit: Annotated[Visit, Depends(open_visit)]) -> Visit:
    """Demand a signed-in person, and for changes a form of ours."""
    if visit.staff is None:
        raise SignInNeeded
    # A session token is no ambient credential: only a page of ours can have put it there.
    if visit.frame is None:
        check_origin(visit.request, visit.session_token, visit.field("form_token"))
    return visit


def operator(visit: Annotated[Visit, Depends(signed_in)]) -> Visit:
    """Demand the person who runs the installation."""
    if not visit.is_operator:
        text = "Only an owner of this installation can do this. Ask one of them."
        raise PermissionDenied(problem("owner_only", text))
    return visit


#: A page's first argument.
SignedIn = Annotated[Visit, Depends(signed_in)]
OperatorVisit = Annotated[Visit, Depends(operator)]
Anyone = Annotated[Visit, Depends(open_visit)]


def session_cookie(request: Request) -> str:
    """Return the name of the session cookie: bound to the host wherever TLS allows it."""
    return "__Host-sid" if request.url.scheme == "https" else "regulars_sid"


def check_origin(request: Request, session_token: str | None, given_token: str) -> None:
    """Refuse a change that another site may have caused."""
    if request.method in SAFE_METHODS:
        return
    is_ours = same_origin(request) and (
        request.headers.get("hx-request") == "true"
        or (session_token is not None and sessions.is_form_token(session_token, given_token))
    )
    if not is_ours:
        text = "This form did not come from this app. Open the page again and repeat the step."
        raise PermissionDenied(problem("foreign_form", text))


def same_origin(request: Request) -> bool:
    """Whether the browser says that this request comes from a page of ours."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.url.netloc


def shops_of(session: Session, staff: Staff) -> Sequence[Shop]:
    """Return the shops that a person may see: an owner all, a member those of the invitation."""
    if staff.role == "owner":
        return list_shops(session)
    own = select(StaffShop.shop_id).where(StaffShop.staff_id == staff.id)
    return session.scalars(select(Shop).where(Shop.id.in_(own)).order_by(Shop.name)).all()


def _enter_frame(visit: Visit, token: str) -> None:
    """Let somebody of the Shopify admin in; whoever is refused stays nobody."""
    runtime = visit.runtime
    try:
        visit.staff, shop, visit.frame = embedding.enter(runtime, token, visit.now)
    except PermissionDenied:
        return
    visit.shops, visit.current_shop = [shop], shop
    visit.language = _language(visit.request, visit.staff)
    state, simulator = visit.request.state, runtime.settings.simulator_url
    state.framed_by = embedding.ancestors(simulator, visit.frame.domain)
    state.bridge_origin = simulator


def _recognize(visit: Visit, token: str) -> None:
    with visit.runtime.office.reading() as session:
        found = sessions.find_session(session, token, visit.now)
        if found is None:
            return
        row, staff = found
        visit.staff, visit.session_token = staff, token
        visit.language = _language(visit.request, staff)
        visit.shops = shops_of(session, staff)
        chosen = [shop for shop in visit.shops if shop.id == row.shop_id]
        visit.current_shop = next(iter([*chosen, *visit.shops]), None)
        is_stale = visit.now - row.seen_at > timedelta(minutes=1)
    if is_stale:
        with visit.runtime.office.session() as session:
            kept = session.get(StaffSession, token_hash(token))
            if kept is not None:
                kept.seen_at = visit.now


def _language(request: Request, staff: Staff | None) -> str:
    for choice in (staff.language if staff else None, request.cookies.get(LANGUAGE_COOKIE)):
        if choice is not None and choice in LANGUAGES:
            return choice
    return preferred_language(request.headers.get("accept-language", ""))


@dataclass
class ApiCall:
    """One request to the API, by a program, the command line or a page."""

    request: Request
    runtime: Runtime
    jobs: Jobs
    now: datetime
    #: Who is to be named as the one who did something.
    author: str
    #: None: every shop.
    shop_ids: frozenset[int] | None
    may_write: bool
    #: Whether names, addresses and single customers may be told.
    may_see_customers: bool = True
    #: The person who is signed in; None for programs.
    staff: Staff | None = None

    @contextmanager
    def office(self) -> Iterator[Session]:
        """Open an office transaction."""
        with self.runtime.office.session(self.author or None) as session:
            yield session

    def shop(self, name: str) -> Shop:
        """Return the shop of the address; NotFoundError alike for unknown ones and others' ones."""
        with self.runtime.office.reading() as session:
            shop = session.scalar(select(Shop).where(Shop.name == name))
        if shop is None or (self.shop_ids is not None and shop.id not in self.shop_ids):
            raise NotFoundError(no_shop(name))
        return shop

    def customers_of(self, name: str) -> Shop:
        """Return the shop of the address for somebody who is told who its customers are.

        That they were told stands in the audit log. Files that leave are noted where they are sent.
        """
        self.require_customers()
        shop = self.shop(name)
        access.note(self, shop)
        return shop

    def require_customers(self) -> None:
        """Demand a caller that may see who the customers are."""
        if not self.may_see_customers:
            text = "This API key may not see who the customers are. Make one that may in Settings."
            raise PermissionDenied(problem("no_customers_key", text))

    @property
    def person(self) -> Staff:
        """Who is signed in; raises PermissionDenied for programs, which have no chat."""
        if self.staff is None:
            text = "This belongs to a person: sign in. A key or the command line has none of it."
            raise PermissionDenied(problem("person_only", text))
        return self.staff

    def require_local(self) -> None:
        """Demand the machine's own command line, or the signed-in owner."""
        if self.shop_ids is not None:
            text = "A shop's API key cannot do this. Use the command on the machine itself."
            raise PermissionDenied(problem("installation_only", text))


def api_call(request: Request) -> ApiCall:
    """Find out who calls the API; raises PermissionDenied for nobody."""
    _refuse_large_numbers(request)
    _refuse_unknown_parameters(request)
    call = find_caller(request)
    if not call.may_write and request.method not in SAFE_METHODS:
        text = "This API key may read only. Make one that may write in Settings."
        raise PermissionDenied(problem("read_only_key", text))
    return call


def find_caller(request: Request) -> ApiCall:
    """Find out who calls, by token or session; raises PermissionDenied for nobody."""
    runtime = request.app.state.runtime
    now = runtime.clock()
    header = request.headers.get("authorization", "")
    if header.lower().startswith("bearer "):
        return _call_by_token(request, runtime, header[7:].strip(), now)
    return _call_by_session(request, runtime, now)


def _refuse_large_numbers(request: Request) -> None:
    """No row has a number that the database cannot hold."""
    repeated = [value for _name, value in request.query_params.multi_items()]
    given = [*request.path_params.values(), *repeated]
    digits = [text.lstrip("-") for text in map(str, given) if text.lstrip("-").isdecimal()]
    if any(len(text) > 18 for text in digits):
        raise NotFoundError(problem("no_such_number", "There is nothing with this number."))


def _refuse_unknown_parameters(request: Request) -> None:
    """Refuse what would be passed over: a misspelt `limt` would answer another question."""
    known = _parameters_of(request.scope["route"].dependant)
    unknown = sorted(request.query_params.keys() - set(known))
    if unknown:
        template = 'There is no parameter "{name}" here. Known here: {known}.'
        names = ", ".join(known) or "-"
        raise InputError(
            *(problem("unknown_parameter", template, name=one, known=names) for one in unknown)
        )


def _parameters_of(asked: Dependant) -> list[str]:
    own: list[str] = []
    for one in asked.query_params:
        kind = one.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            own += kind.model_fields
        else:
            own.append(one.alias)
    return [*own, *(name for inner in asked.dependencies for name in _parameters_of(inner))]


ApiCaller = Annotated[ApiCall, Depends(api_call)]


def _call_by_token(request: Request, runtime: Runtime, token: str, now: datetime) -> ApiCall:
    jobs = request.app.state.jobs
    if embedding.is_session_token(token):
        staff, shop, _frame = embedding.enter(runtime, token, now)
        own = frozenset({shop.id})
        return ApiCall(request, runtime, jobs, now, staff.name, own, may_write=True, staff=staff)
    local = getattr(runtime, "local_token", None)
    if local and hmac.compare_digest(token.encode(), str(local).encode()):
        return ApiCall(request, runtime, jobs, now, COMMAND_LINE, None, may_write=True)
    with runtime.office.session() as session:
        digest = token_hash(token)
        key = session.scalar(
            select(ApiKey).where(ApiKey.token_hash == digest, ApiKey.revoked_at.is_(None))
        )
        if key is None:
            raise PermissionDenied(_NOBODY)
        key.last_used_at = now
        shops = frozenset({key.shop_id})
        return ApiCall(
            request,
            runtime,
            jobs,
            now,
            key.name,
            shops,
            may_write=key.scope == "write",
            may_see_customers=key.scope != "read",
        )


def _call_by_session(request: Request, runtime: Runtime, now: datetime) -> ApiCall:
    token = request.cookies.get(session_cookie(request), "")
    with runtime.office.reading() as session:
        found = sessions.find_session(session, token, now) if token else None
        if found is None:
            raise PermissionDenied(_NOBODY)
        staff = found[1]
        shops = frozenset(shop.id for shop in shops_of(session, staff))
    check_origin(request, token, request.headers.get("x-form-token", ""))
    owner_sees = None if staff.role == "owner" else shops
    return ApiCall(
        request,
        runtime,
        request.app.state.jobs,
        now,
        staff.name,
        owner_sees,
        may_write=True,
        staff=staff,
    )


_NOBODY = problem("not_signed_in", "Send a valid API key as: Authorization: Bearer KEY")


def field_messages(problems: Sequence[ToldProblem]) -> Mapping[str, Sequence[ToldProblem]]:
    """Sort problems by their field; those without one stand under an empty name."""
    by_field: dict[str, list[ToldProblem]] = {}
    for one in problems:
        by_field.setdefault(one.field or "", []).append(one)
    return by_field
