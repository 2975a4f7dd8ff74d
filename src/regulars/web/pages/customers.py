"""One customer: the segments they belong to now, and those they joined and left, when and why."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from regulars.segments import list_segments
from regulars.web import moves
from regulars.web.deps import SignedIn
from regulars.web.figures import memberships_of, people

router = APIRouter(prefix="/customers")


# Ids of imported files may hold a slash, so the longer address is looked at first.
@router.get("/{customer_id:path}/log.csv")
def log_file(visit: SignedIn, customer_id: str) -> Response:
    """Send the history of one customer, all of it or as the page was narrowed."""
    number = moves.customer_number(visit.runtime, visit.shop, customer_id)
    asked = moves.narrowed(visit, customer_nos=[number])
    return moves.log_download(visit, asked, customer_id)


@router.get("/{customer_id:path}")
def show(visit: SignedIn, customer_id: str) -> Response:
    """Show one customer with their history."""
    shop, warehouse = visit.shop, visit.runtime.warehouse(visit.shop)
    number = moves.customer_number(visit.runtime, shop, customer_id)
    kept = warehouse.records([number])[0].values
    into = kept.get("merged_into_no")
    with visit.runtime.office.reading() as session:
        segments = list_segments(session, shop)
    since = memberships_of(warehouse, number)
    address = f"/customers/{quote(customer_id)}"
    asked = moves.narrowed(visit, customer_nos=[number])
    return visit.page(
        "customers/show.html",
        customer=people(warehouse, [number])[number],
        is_gone=kept.get("deleted_at") is not None,
        merged_into=warehouse.customer_ids([into])[into] if isinstance(into, int) else None,
        belongs=[(one, since[one.id]) for one in segments if one.id in since],
        **moves.log_values(visit, asked, address=address, file=f"{address}/log.csv"),
    )
