"""The queue: jobs as rows, taken under a lease with a fencing number.

Says nothing about what a job does. A worker that was paused past its lease finds its number
outdated and writes nothing more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import and_, case, exists, func, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from regulars.errors import RegularsError
from regulars.office.models.jobs import Job

#: Longer than the slowest step between two reports. What a dead process held is freed at once by
#: `free_all`, since only one process works on a home.
LEASE = timedelta(minutes=15)
ATTEMPTS_MAX = 8
#: Waiting time after the first failure; doubles up to BACK_OFF_MAX.
BACK_OFF = timedelta(seconds=5)
BACK_OFF_MAX = timedelta(minutes=30)


class LeaseLost(RegularsError):
    """Somebody else works this job now; this worker stops without writing."""


def enqueue(
    session: Session,
    *,
    shop_id: int | None,
    kind: str,
    now: datetime,
    key: str = "",
    arguments: dict[str, object] | None = None,
    due_at: datetime | None = None,
) -> Job:
    """Add a job, or return the one that already waits for the same kind, shop and key."""
    waiting = session.scalar(
        select(Job).where(
            Job.shop_id == shop_id,
            Job.kind == kind,
            Job.key == key,
            Job.state.in_(("waiting", "failed")),
        )
    )
    if waiting is not None:
        waiting.due_at = min(waiting.due_at, due_at or now)
        waiting.arguments = {**waiting.arguments, **(arguments or {})}
        return waiting
    job = Job(
        shop_id=shop_id,
        kind=kind,
        key=key,
        arguments=arguments or {},
        state="waiting",
        due_at=due_at or now,
        attempt_count=0,
        fence=0,
        note="",
        created_at=now,
    )
    session.add(job)
    session.flush()
    return job


def last_asked(
    session: Session, kind: str, *, shop_id: int | None = None, key: str | None = None
) -> datetime | None:
    """Return when a job of this kind and shop, and of this key if one is given, was made last."""
    made = select(Job.created_at).where(Job.kind == kind, Job.shop_id == shop_id)
    with_key = made if key is None else made.where(Job.key == key)
    return session.scalar(with_key.order_by(Job.id.desc()).limit(1))


def follow_clock(session: Session, now: datetime) -> None:
    """Let what a clock that was set back made wait be due now."""
    ahead = or_(Job.created_at > now, Job.leased_until > now + LEASE)
    waiting = update(Job).where(Job.state.in_(("waiting", "failed")), ahead)
    made_at = case((Job.created_at > now, now), else_=Job.created_at)
    session.execute(waiting.values(due_at=now, created_at=made_at, leased_until=None))


def take(session: Session, now: datetime, kinds: Collection[str] = ()) -> Job | None:
    """Take the job that has been due longest, or one whose worker went silent.

    `kinds` are those looked at; none means all.
    """
    due = and_(Job.state.in_(("waiting", "failed")), Job.due_at <= now)
    silent = and_(Job.state == "running", Job.leased_until <= now)
    # Two jobs of one kind, shop and key never run at once: the second waits for the first.
    other = aliased(Job)
    same_runs = exists().where(
        other.state == "running",
        other.leased_until > now,
        other.kind == Job.kind,
        other.key == Job.key,
        func.coalesce(other.shop_id, 0) == func.coalesce(Job.shop_id, 0),
    )
    job = session.scalar(
        select(Job)
        .where(or_(due, silent), ~same_runs, Job.kind.in_(kinds) if kinds else true())
        .order_by(Job.due_at, Job.id)
        .limit(1)
    )
    if job is not None:
        _lease(job, now)
    return job


def take_this(session: Session, job_id: int, now: datetime) -> Job | None:
    """Take one job that waits, whenever it is due; None where somebody else has it or did it."""
    job = session.scalar(select(Job).where(Job.id == job_id, Job.state.in_(("waiting", "failed"))))
    if job is None:
        return None
    with_same_key = select(Job.id).where(
        Job.state == "running",
        Job.leased_until > now,
        Job.kind == job.kind,
        Job.key == job.key,
        func.coalesce(Job.shop_id, 0) == (job.shop_id or 0),
    )
    if session.scalar(with_same_key.limit(1)) is not None:
        return None
    _lease(job, now)
    return job


def is_running(session: Session, shop_id: int, kinds: Collection[str]) -> bool:
    """Return whether a job of one of these kinds is being worked for a shop."""
    found = select(Job.id).where(
        Job.shop_id == shop_id, Job.kind.in_(kinds), Job.state == "running"
    )
    return session.scalar(found.limit(1)) is not None


def _lease(job: Job, now: datetime) -> None:
    job.state = "running"
    job.fence += 1
    job.leased_until = now + LEASE


def free_all(session: Session, now: datetime) -> None:
    """Let everything be taken again that an earlier process was working on."""
    held = update(Job).where(Job.state == "running")
    session.execute(held.values(state="waiting", due_at=now, leased_until=None))


def report(
    session: Session,
    job: Job,
    now: datetime,
    *,
    progress: float | None = None,
    note: str | None = None,
    cursor: dict[str, object] | None = None,
) -> None:
    """Renew the lease and store where the work stands; raises LeaseLost."""
    values: dict[str, object] = {"leased_until": now + LEASE}
    if progress is not None:
        values["progress"] = progress
    if note is not None:
        values["note"] = note
    if cursor is not None:
        values["cursor"] = cursor
    _write(session, job, values)


def succeed(session: Session, job: Job, now: datetime) -> None:
    """Mark a job as done."""
    _write(session, job, {"state": "succeeded", "finished_at": now, "progress": 1.0, "note": ""})


def postpone(session: Session, job: Job, due_at: datetime) -> None:
    """Let a job wait for its next step; this is no failure."""
    _write(session, job, {"state": "waiting", "due_at": due_at})


def fail(session: Session, job: Job, now: datetime, problem: str, *, final: bool = False) -> None:
    """Store a failed try; the job is tried again later, or given up after the last try."""
    attempts = job.attempt_count + 1
    values: dict[str, object] = {"attempt_count": attempts, "problem": problem[:2000]}
    if final or attempts >= ATTEMPTS_MAX:
        values |= {"state": "given_up", "finished_at": now}
    else:
        values |= {"state": "failed", "due_at": now + back_off(attempts)}
    _write(session, job, values)


def back_off(attempts: int) -> timedelta:
    """Return how long to wait after so many failed tries."""
    return min(BACK_OFF * float(2 ** (attempts - 1)), BACK_OFF_MAX)


def next_due(session: Session, kinds: Collection[str] = ()) -> datetime | None:
    """Return when the next waiting job of these kinds, or of any, is due."""
    asked = Job.kind.in_(kinds) if kinds else true()
    return session.scalar(
        select(func.min(Job.due_at)).where(Job.state.in_(("waiting", "failed")), asked)
    )


def _write(session: Session, job: Job, values: dict[str, object]) -> None:
    written = session.execute(
        update(Job).where(Job.id == job.id, Job.fence == job.fence).values(values)
    )
    if written.rowcount != 1:  # type: ignore[attr-defined]
        raise LeaseLost(f"job {job.id} was taken over")
