"""GET /health: whether the app is up, and whether its shops are loaded. Tells nothing personal."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import JSONResponse, Response

from regulars.office.models.jobs import Job

router = APIRouter()


@router.get("/health")
def health(request: Request) -> Response:
    """Answer 200 when ready, 503 while a shop is loaded for the first time."""
    runtime = request.app.state.runtime
    with runtime.office.reading() as session:
        loading = session.scalars(
            select(Job).where(
                Job.kind == "backfill", Job.state.in_(("waiting", "running", "failed"))
            )
        ).all()
    if not loading:
        return JSONResponse({"state": "ready"})
    percent = int(100 * min(job.progress or 0 for job in loading))
    content = {"state": "loading", "percent": percent, "note": loading[0].note}
    return JSONResponse(content, status_code=503)
