"""Why one customer belongs to a segment, or to the rule that is being edited."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from regulars.engine import explain
from regulars.errors import InputError, NotFoundError, QueryError, problem
from regulars.language import parse
from regulars.language.tree import Node
from regulars.segments import find_segment
from regulars.web.deps import SignedIn, Visit
from regulars.web.editing import read_rows, written
from regulars.web.explaining import name_of, placed, reason, turning
from regulars.web.figures import find_customers
from regulars.web.other_days import day_over, end_of, labels, past_day

router = APIRouter(prefix="/segments")


@router.get("/{segment_id:int}/why/{customer_id}")
def show(visit: SignedIn, segment_id: int, customer_id: str) -> Response:
    """Explain a customer's membership of a saved segment."""
    with visit.runtime.office.reading() as session:
        segment = find_segment(session, visit.shop, segment_id)
    day = visit.request.query_params.get("as_of", "")
    past = past_day(visit, segment.query, day)
    back = f"/segments/{segment_id}" + (f"?as_of={day}" if past else "")
    as_of = past.as_of if past else None
    return _explain(visit, parse(segment.query), customer_id, back, as_of)


@router.post("/why")
def show_for_draft(visit: SignedIn) -> Response:
    """Explain a customer against the rule as it stands in the editor."""
    text = visit.field("query") or written(read_rows(dict(visit.fields))).text
    try:
        tree = parse(text)
    except QueryError:
        again = "The rule cannot be read at the moment. Correct the marked place first."
        raise QueryError(problem("unreadable_draft", again)) from None
    return _explain(visit, tree, visit.field("customer"), "/segments", _as_of(visit))


@router.post("/test-customer")
def test_customer(visit: SignedIn) -> Response:
    """Find customers by words and say for each whether the rule keeps them."""
    visit.note_look()
    words = visit.field("who").strip()
    found = find_customers(visit.runtime.warehouse(visit.shop), words, most=6) if words else []
    try:
        tree = parse(visit.field("query"))
        members = visit.runtime.evaluator(visit.shop).members(
            tree, visit.runtime.context(visit.shop, _as_of(visit))
        )
    except QueryError:
        members = None
    return visit.page("editor/tested.html", words=words, found=found, members=members)


def _as_of(visit: Visit) -> datetime | None:
    """Return the instant that the editor's preview looks at; None for now and for no day."""
    try:
        day = day_over(visit, visit.field("as_of").strip())
    except InputError:
        return None
    return end_of(visit, day) if day else None


def _explain(
    visit: Visit, tree: Node, customer_id: str, back: str, as_of: datetime | None = None
) -> Response:
    warehouse = visit.runtime.warehouse(visit.shop)
    numbers = warehouse.customer_nos([customer_id])
    records = warehouse.records(numbers.values())
    if not records:
        text = "There is no customer {customer} in this shop."
        raise NotFoundError(problem("no_customer", text, customer=customer_id))
    visit.note_look()
    context = visit.runtime.context(visit.shop, as_of)
    explained = explain(tree, records[0], context, now=visit.now)
    told = reason(explained, visit.say, warehouse.titles)
    return visit.dialog(
        "segments/why.html",
        back=back,
        name=name_of(records[0]),
        customer_id=customer_id,
        at=as_of or visit.now,
        unknown=labels((leaf.attribute for leaf in explained.unknown), visit.language),
        explained=explained,
        reason=told,
        turns=[
            (placed(one.sentence, one.segment, visit.say), one) for one in turning(explained, told)
        ],
    )
