"""GET /health: whether the app is up, its shops loaded, nothing amiss. Tells nothing personal."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import func, select
from starlette.responses import JSONResponse, Response

from regulars.jobs import alarms
from regulars.office import Shop
from regulars.office.models.jobs import Job

router = APIRouter()


@router.get("/health")
def health(request: Request) -> Response:
    """Answer 200 when ready, 503 while a shop is first loaded or its file cannot be opened again.

    What needs a person is counted in `alarms`, by kind; it does not make the answer a 503, which
    would have the app restarted for no use. So is how often a file that DuckDB gave up was opened
    again, until the next start.
    """
    runtime = request.app.state.runtime
    lost = runtime.warehouses.reopen_lost()
    if lost:
        return JSONResponse({"state": "warehouse_stopped", "warehouses": lost}, status_code=503)
    with runtime.office.reading() as session:
        loading = session.scalars(
            select(Job).where(
                Job.kind == "backfill", Job.state.in_(("waiting", "running", "failed"))
            )
        ).all()
        counts: dict[str, int] = {}
        if session.scalar(select(func.count()).select_from(Shop)):
            counts = dict(alarms.counts(session))
    if runtime.warehouses.reopened_count:
        counts["reopened_warehouses"] = runtime.warehouses.reopened_count
    if not loading:
        state = "attention" if counts else "ready"
        return JSONResponse({"state": state, **({"alarms": counts} if counts else {})})
    percent = int(100 * min(job.progress or 0 for job in loading))
    content = {"state": "loading", "percent": percent, "note": loading[0].note}
    return JSONResponse(content, status_code=503)
