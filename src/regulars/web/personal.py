"""The file of one customer's data, for pages and API alike: written as it is fetched, and noted."""

from __future__ import annotations

from starlette.responses import Response

from regulars import privacy
from regulars.errors import ConflictError, problem
from regulars.office import Shop, audit
from regulars.web.deps import ApiCall, Visit


def answer(asker: ApiCall | Visit, shop: Shop, request_id: int) -> Response:
    """Answer with everything that is kept about the customer of a request, and close it."""
    with asker.office() as session:
        row = privacy.find_request(session, shop, request_id)
        if row.kind != "export" or row.state == "void":
            text = "There is nothing to hand out for this request."
            raise ConflictError(problem("nothing_to_export", text))
        told = privacy.export(
            session, asker.runtime.warehouse(shop), shop, row.customer_id, asker.now
        )
        privacy.close(row, author=asker.author, now=asker.now)
        audit.record(
            session,
            act="customer_exported",
            about=f"request {row.id}",
            author=asker.author,
            at=asker.now,
            shop_id=shop.id,
        )
    # A name of ours: ids of imported files may hold anything.
    name = f"customer-request-{row.id}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(privacy.file_of(told), headers=headers, media_type="application/json")
