"""Settings: other programs that are told what happens, and what was sent to them."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from regulars import outgoing
from regulars.errors import InputError
from regulars.web import telling
from regulars.web.deps import OperatorVisit, Visit, field_messages
from regulars.web.i18n import N_

router = APIRouter(prefix="/settings/endpoints")

PAGE_ROWS = 50
EVENTS = {
    "customers.joined": N_("customers joined a segment"),
    "customers.left": N_("customers left a segment"),
    "tag.assigned": N_("a tag was assigned"),
    "tag.failed": N_("a tag could not be assigned"),
    "tag.removed": N_("a tag was removed"),
    "tracking.started": N_("a revenue tracking began"),
    "tracking.finished": N_("a revenue tracking ended"),
    "tracking.cancelled": N_("a revenue tracking was cancelled"),
    "test": N_("a test"),
}
KINDS = {"webhook": N_("Webhook"), "flow": N_("Shopify Flow")}
STATES = {
    "waiting": N_("waiting"),
    "delivered": N_("delivered"),
    "failed": N_("given up"),
}
TONES = {"waiting": "busy", "delivered": "good", "failed": "bad"}


@router.get("")
def show_all(visit: OperatorVisit) -> Response:
    """Show the endpoints of the shop."""
    return _list(visit)


@router.post("")
def create(visit: OperatorVisit) -> Response:
    """Make an endpoint and show its secret, once."""
    kind = visit.field("kind")
    wanted = [str(one) for one in visit.fields.getlist("events")]
    if kind == "flow":
        # Flow's triggers are about customers; the other boxes do not concern it.
        wanted = [one for one in wanted if one in outgoing.FLOW_EVENTS]
    try:
        _row, secret = telling.create(
            visit, visit.shop, kind=kind, address=visit.field("address"), events=wanted
        )
    except InputError as wrong:
        return _list(visit, wrong=wrong)
    if secret is None:
        return visit.go("/settings/endpoints", visit.say("The endpoint was made."))
    return _list(visit, made=secret)


@router.get("/{endpoint_id:int}")
def show(visit: OperatorVisit, endpoint_id: int) -> Response:
    """Show one endpoint with what was sent to it."""
    return _one(visit, endpoint_id)


@router.post("/{endpoint_id:int}/events")
def choose_events(visit: OperatorVisit, endpoint_id: int) -> Response:
    """Choose what it is told of."""
    wanted = [str(one) for one in visit.fields.getlist("events")]
    try:
        telling.change(visit, visit.shop, endpoint_id, events=wanted)
    except InputError as wrong:
        return _one(visit, endpoint_id, wrong=wrong)
    return visit.go(f"/settings/endpoints/{endpoint_id}", visit.say("Saved."))


@router.post("/{endpoint_id:int}/switch")
def switch(visit: OperatorVisit, endpoint_id: int) -> Response:
    """Switch it off, or on again."""
    telling.change(visit, visit.shop, endpoint_id, is_on=visit.field("to") == "on")
    return visit.go(f"/settings/endpoints/{endpoint_id}", visit.say("Saved."))


@router.post("/{endpoint_id:int}/test")
def test(visit: OperatorVisit, endpoint_id: int) -> Response:
    """Send a test event."""
    telling.test(visit, visit.shop, endpoint_id)
    return visit.go(f"/settings/endpoints/{endpoint_id}", visit.say("The test is on its way."))


@router.post("/{endpoint_id:int}/replay")
def replay(visit: OperatorVisit, endpoint_id: int) -> Response:
    """Send one delivery again, or all that were given up."""
    given = visit.field("delivery")
    number = int(given) if given.isdecimal() and len(given) < 16 else None
    telling.replay(visit, visit.shop, endpoint_id, number)
    return visit.go(f"/settings/endpoints/{endpoint_id}", visit.say("It is sent again."))


@router.get("/{endpoint_id:int}/delete")
def show_delete(visit: OperatorVisit, endpoint_id: int) -> Response:
    """Show the dialog that asks again."""
    with visit.runtime.office.reading() as session:
        row = outgoing.find_endpoint(session, visit.shop, endpoint_id)
    return visit.dialog("endpoints/delete.html", endpoint=row)


@router.post("/{endpoint_id:int}/delete")
def delete(visit: OperatorVisit, endpoint_id: int) -> Response:
    """Take it away."""
    telling.delete(visit, visit.shop, endpoint_id)
    return visit.go("/settings/endpoints", visit.say("The endpoint was deleted."))


def _list(visit: Visit, *, wrong: InputError | None = None, made: str = "") -> Response:
    with visit.runtime.office.reading() as session:
        rows = outgoing.list_endpoints(session, visit.shop)
    return visit.page(
        "endpoints/list.html",
        status=422 if wrong else 200,
        endpoints=rows,
        made=made,
        **_names(),
        **_told(visit, wrong),
    )


def _one(visit: Visit, endpoint_id: int, *, wrong: InputError | None = None) -> Response:
    given = visit.request.query_params.get("cursor", "")
    before = int(given) if given.isdecimal() and len(given) < 16 else None
    with visit.runtime.office.reading() as session:
        row = outgoing.find_endpoint(session, visit.shop, endpoint_id)
        rows = outgoing.list_deliveries(session, row, before=before, limit=PAGE_ROWS + 1)
    shown = rows[:PAGE_ROWS]
    return visit.page(
        "endpoints/show.html",
        status=422 if wrong else 200,
        endpoint=row,
        deliveries=shown,
        cursor=shown[-1].id if len(rows) > PAGE_ROWS else None,
        choosable=outgoing.FLOW_EVENTS if row.kind == "flow" else tuple(outgoing.EVENTS),
        has_failed=any(one.state == "failed" for one in shown),
        last_answer=lambda problem: _last_answer(visit, problem),
        **_names(),
        **_told(visit, wrong),
    )


def _last_answer(visit: Visit, problem: str) -> str:
    """Say what came of a delivery in the reader's language; what Shopify said stays as it is."""
    answered = re.fullmatch(r"The receiver answered with status (\d+)\.", problem)
    if answered:
        return visit.say("The receiver answered with status {status}.", status=answered[1])
    if problem.startswith("The address could not be reached"):
        return visit.say("The address could not be reached.")
    return problem


def _names() -> dict[str, Any]:
    return {
        "events": EVENTS,
        "choosable_events": tuple(outgoing.EVENTS),
        "kinds": KINDS,
        "states": STATES,
        "tones": TONES,
    }


def _told(visit: Visit, wrong: InputError | None) -> dict[str, Any]:
    """Return an error's messages and what was typed, for a form that is shown again."""
    if wrong is None:
        return {"told": {}, "typed": {}, "chosen": ()}
    return {
        "told": field_messages(visit.problems(wrong)),
        "typed": visit.fields,
        "chosen": [str(one) for one in visit.fields.getlist("events")],
    }
