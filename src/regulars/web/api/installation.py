"""/installation: health, backups, the key of secrets, how long things are kept; for owners."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select

from regulars.errors import NotFoundError, problem
from regulars.jobs import keeping
from regulars.office import choices
from regulars.office.models.jobs import Job
from regulars.runtime.backups import list_backups
from regulars.web import health, team
from regulars.web.api.shapes import Asked, JobOut, job_out, require_command_line
from regulars.web.deps import ApiCaller

router = APIRouter(prefix="/installation", tags=["installation"])


class BackupIn(Asked):
    """Where to, and what with."""

    #: A folder of the app's machine; null: `backups` in the home folder.
    folder: str | None = None
    #: Keep so many of the newest copies in that folder; null: all.
    keep: Annotated[int | None, Field(ge=1, le=1000)] = None
    with_key: bool = False


class BackupOut(BaseModel):
    """One copy."""

    name: str
    made_at: datetime
    bytes: int
    shops: int
    has_key: bool


class BackupsOut(BaseModel):
    """The copies in the home folder, newest first."""

    backups: list[BackupOut]


class SealedOut(BaseModel):
    """How many secrets were sealed anew."""

    count: int


class ChoicesOut(BaseModel):
    """How long things are kept, in days, and who is written to."""

    audit_days: int
    chat_days: int
    job_days: int
    delivery_days: int
    notice_email: str


class ChoicesChange(Asked):
    """What is to be changed; what is left out stays."""

    audit_days: int | None = None
    chat_days: int | None = None
    job_days: int | None = None
    delivery_days: int | None = None
    notice_email: str | None = None


@router.get("/health")
def show_health(call: ApiCaller) -> health.Health:
    """Look at the whole installation."""
    call.require_local()
    return health.look(call.runtime, call.jobs.inbox.unknown_count)


@router.get("/backups")
def backups(call: ApiCaller) -> BackupsOut:
    """List the copies in the home folder."""
    call.require_local()
    found = list_backups(call.runtime.settings.home_folder / "backups")
    return BackupsOut(
        backups=[
            BackupOut(
                name=one.folder.name,
                made_at=one.made_at,
                bytes=one.byte_count,
                shops=one.shop_count,
                has_key=one.has_key,
            )
            for one in found
        ]
    )


@router.post("/backups", status_code=202)
def back_up(call: ApiCaller, asked: BackupIn) -> JobOut:
    """Copy the installation while it runs; the answer is a job to look at until it is done."""
    require_command_line(call)
    arguments: dict[str, object] = {**asked.model_dump(), "author": call.author}
    with call.office() as session:
        job = call.jobs.later(session, "make_backup", None, arguments=arguments)
    return job_out(job)


@router.get("/jobs/{job_id}")
def show_job(call: ApiCaller, job_id: int) -> JobOut:
    """Show how far a job of the installation is."""
    call.require_local()
    with call.runtime.office.reading() as session:
        job = session.scalar(select(Job).where(Job.id == job_id, Job.shop_id.is_(None)))
    if job is None:
        raise NotFoundError(problem("no_job", "There is no job {id}.", id=job_id))
    return job_out(job)


@router.post("/secrets/renewal", status_code=201)
def renew(call: ApiCaller) -> SealedOut:
    """Seal every token and secret with a new key, and forget the older ones."""
    require_command_line(call)
    return SealedOut(count=keeping.renew_key(call.runtime, call.author))


@router.get("/choices")
def show_choices(call: ApiCaller) -> ChoicesOut:
    """Show how long things are kept, and who is written to."""
    call.require_local()
    with call.runtime.office.reading() as session:
        kept = {name: choices.days(session, name) for name in choices.DAYS}
        return ChoicesOut(**kept, notice_email=choices.notice_email(session))


@router.patch("/choices")
def change_choices(call: ApiCaller, asked: ChoicesChange) -> ChoicesOut:
    """Change them."""
    call.require_local()
    given = asked.model_dump(exclude_none=True)
    with call.office() as session:
        changed = [
            name
            for name, value in given.items()
            if (
                choices.set_notice_email(session, str(value))
                if name == choices.NOTICE_EMAIL
                else choices.set_days(session, name, str(value))
            )
        ]
        for name in changed:
            team.Act(call.author, call.now).note(session, "choice_changed", name)
    return show_choices(call)
