"""Settings: requests about personal data, and how well the installation is."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from starlette.responses import Response

from regulars import privacy
from regulars.errors import InputError, problem
from regulars.jobs import privacy as privacy_jobs
from regulars.web import health, personal
from regulars.web.deps import OperatorVisit, SignedIn, Visit, field_messages
from regulars.web.i18n import N_

router = APIRouter(prefix="/settings")

KINDS = {"export": N_("Export the data"), "redaction": N_("Erase the data")}
STATES = {"open": N_("open"), "done": N_("done"), "void": N_("nothing left")}
TONES = {"open": "warn", "done": "good", "void": "plain"}
CONNECTIONS = {
    "connected": N_("Connected"),
    "disconnected": N_("Disconnected"),
    "without_token": N_("Not connected"),
    "files": N_("Made from files"),
}
CONNECTION_TONES = {"connected": "good", "disconnected": "bad", "without_token": "warn"}
CUSTOMER_ID_MAX = 64
PAGE_ROWS = 50


@router.get("/privacy")
def show(visit: SignedIn) -> Response:
    """Show the requests of the shop."""
    return _page(visit)


@router.post("/privacy")
def ask(visit: SignedIn) -> Response:
    """Take a request; a removal begins at once."""
    customer_id = visit.field("customer_id").strip()
    kind = visit.field("kind")
    try:
        if not 0 < len(customer_id) <= CUSTOMER_ID_MAX or not customer_id.isprintable():
            text = "Write the customer's number: the end of the address of their page in Shopify."
            raise InputError(problem("no_customer_id", text, field="customer_id"))
        if kind == "redaction" and visit.field("sure") != "on":
            text = "Tick that you are sure: this cannot be undone."
            raise InputError(problem("not_sure", text, field="sure"))
        with visit.office() as session:
            privacy_jobs.ask(
                session,
                visit.shop,
                kind=kind,
                customer_id=customer_id,
                event_id=f"asked-{secrets.token_hex(8)}",
                author=visit.author,
                now=visit.now,
            )
    except InputError as wrong:
        return _page(visit, wrong)
    visit.jobs.wake_work()
    return visit.go("/settings/privacy", visit.say("The request was taken."))


@router.post("/privacy/{request_id:int}/file")
def fetch(visit: SignedIn, request_id: int) -> Response:
    """Send everything that is kept about the customer; the request is then answered."""
    return personal.answer(visit, visit.shop, request_id)


@router.get("/health")
def show_health(visit: OperatorVisit) -> Response:
    """Show how well the installation is."""
    found = health.look(visit.runtime, visit.jobs.inbox.unknown_count)
    return visit.page(
        "settings/health.html",
        health=found,
        connections=CONNECTIONS,
        connection_tones=CONNECTION_TONES,
    )


def _page(visit: Visit, wrong: InputError | None = None) -> Response:
    given = visit.request.query_params.get("cursor", "")
    before = int(given) if given.isdecimal() and len(given) < 16 else None
    with visit.runtime.office.reading() as session:
        rows = privacy.list_requests(session, visit.shop, before=before, limit=PAGE_ROWS + 1)
    shown = rows[:PAGE_ROWS]
    return visit.page(
        "settings/privacy.html",
        status=422 if wrong else 200,
        requests=shown,
        cursor=shown[-1].id if len(rows) > PAGE_ROWS else None,
        kinds=KINDS,
        states=STATES,
        tones=TONES,
        told=field_messages(visit.problems(wrong)) if wrong else {},
        typed=visit.fields if wrong else {},
    )
