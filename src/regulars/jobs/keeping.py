"""Keeping the installation: backups as jobs, and secrets sealed with a new key."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars import outgoing
from regulars.clock import is_over
from regulars.jobs import queue
from regulars.jobs.run import JobRun
from regulars.office import Shop, ShopToken, audit, read_token, save_token, second_factor
from regulars.office.models.jobs import Job
from regulars.runtime import Runtime
from regulars.runtime.backups import back_up, check, keep_newest
from regulars.sealing import change_key, forget_older_keys
from regulars.settings import Settings

DAY = timedelta(days=1)
#: Marks the copies that are made by themselves.
DAILY = "daily"


def make_backup(run: JobRun) -> None:
    """Copy the installation, and remove older copies where that was asked for."""
    runtime, asked = run.runtime, run.arguments
    run.report(note="Copying")
    folder = Path(str(asked["folder"])) if asked.get("folder") else None
    made = back_up(runtime, folder, with_key=bool(asked.get("with_key")))
    run.report(0.7, "Reading the copy again")
    check(made)
    keep = asked.get("keep")
    gone = keep_newest(made.folder.parent, int(str(keep))) if keep else 0
    with runtime.office.session() as session:
        audit.record(
            session,
            act="backup_made",
            about=made.folder.name,
            author=str(asked.get("author", "Regulars")),
            at=runtime.clock(),
            details={"bytes": made.byte_count, "with_key": made.has_key, "removed": gone},
        )
    result = {"folder": str(made.folder), "bytes": made.byte_count, "removed": gone}
    run.report(1.0, "Copied", {"result": result})


def last_backup(session: Session) -> Job | None:
    """Return the newest backup that came to an end, well or not."""
    found = select(Job).where(Job.kind == "make_backup", Job.state.in_(("succeeded", "given_up")))
    return session.scalar(found.order_by(Job.id.desc()).limit(1))


def enqueue_due(session: Session, now: datetime, settings: Settings) -> None:
    """Have a copy made once a day where copies are to be kept."""
    if not settings.backups_kept:
        return
    if is_over(queue.last_asked(session, "make_backup", key=DAILY), DAY, now):
        asked: dict[str, object] = {"keep": settings.backups_kept}
        queue.enqueue(
            session, shop_id=None, kind="make_backup", now=now, key=DAILY, arguments=asked
        )


def renew_key(runtime: Runtime, author: str) -> int:
    """Seal every secret with a new key and forget the older ones; return how many there are.

    Should this stop in the middle, the older keys still open what is not sealed anew.
    """
    path = runtime.settings.home_folder / "secret.key"
    # In place: whoever saves a renewed token at this moment has the same sealer in hands.
    sealer = runtime.sealer
    sealer.take_over(change_key(path))
    now = runtime.clock()
    count = 0
    with runtime.office.session(author) as session:
        for shop in session.scalars(select(Shop).join(ShopToken, ShopToken.shop_id == Shop.id)):
            token = read_token(session, sealer, shop.id)
            if token is not None:
                save_token(session, sealer, shop, token, now)
                count += 1
        count += outgoing.seal_anew(session, sealer)
        count += second_factor.seal_anew(session, sealer)
        audit.record(
            session,
            act="secrets_sealed_anew",
            about="secret.key",
            author=author,
            at=now,
            details={"secrets": count},
        )
    forget_older_keys(path)
    return count
