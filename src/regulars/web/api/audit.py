"""/audit: the audit log and the proof that nobody changed it; for the machine's owner alone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from regulars.office import audit
from regulars.web.deps import ApiCaller

router = APIRouter(prefix="/audit", tags=["audit"])


class AuditEntryOut(BaseModel):
    """One act."""

    number: int
    at: datetime
    author: str
    shop_id: int | None
    act: str
    about: str
    details: dict[str, Any]


class EntriesOut(BaseModel):
    """Entries, newest first."""

    entries: list[AuditEntryOut]
    #: Give it as `cursor` for the next page; null on the last one.
    next: int | None


class VerdictOut(BaseModel):
    """What a look through the chain found."""

    count: int
    #: The newest hash: note it elsewhere to prove later that nothing was cut off.
    head: str
    broken_at: int | None
    has_head: bool | None


@router.get("")
def index(
    call: ApiCaller,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> EntriesOut:
    """List what was done."""
    call.require_local()
    with call.runtime.office.reading() as session:
        rows = audit.list_entries(session, before=cursor, limit=limit + 1)
    shown = [AuditEntryOut.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return EntriesOut(entries=shown, next=shown[-1].number if len(rows) > limit else None)


@router.get("/verdict")
def verify(call: ApiCaller, head: Annotated[str | None, Query(max_length=64)] = None) -> VerdictOut:
    """Recompute the chain; `head` is a hash noted earlier, which must still stand in it."""
    call.require_local()
    with call.runtime.office.reading() as session:
        found = audit.verify(session, head)
    return VerdictOut.model_validate(found, from_attributes=True)
