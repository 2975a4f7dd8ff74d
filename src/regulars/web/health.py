"""How well an installation is, for the person who runs it: one look, for page, API and command."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import regulars
from regulars.jobs import comparing, keeping, proving
from regulars.office import audit, list_shops
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.jobs import Job
from regulars.office.models.outgoing import Endpoint
from regulars.office.models.shops import Shop, ShopToken
from regulars.runtime.backups import list_backups

if TYPE_CHECKING:
    from regulars.runtime import Runtime


class ShopHealth(BaseModel):
    """One shop."""

    name: str
    title: str
    kind: str
    #: "connected", "disconnected" (uninstalled), "without_token" or "files".
    connection: str
    token_expires_at: datetime | None
    caught_up_at: datetime | None
    last_webhook_at: datetime | None
    #: Webhooks that wait to be applied, and those put aside after too many tries.
    waiting_count: int
    parked_count: int
    compared_at: datetime | None
    proved_at: datetime | None
    #: Segments whose kept members were found wrong and not right since; 0 is as it should be.
    wrong_count: int | None
    #: Endpoints of other programs that we stopped telling.
    stopped_endpoints: int
    warehouse_bytes: int


class Health(BaseModel):
    """The whole installation."""

    version: str
    at: datetime
    #: "ok", or what SQLite's own check found.
    office_check: str
    office_bytes: int
    free_bytes: int
    #: The newest backup in the home folder; backups elsewhere are not known here.
    backed_up_at: datetime | None
    #: When the newest backup, wherever it went, was read again and found whole; and why it was not.
    backup_checked_at: datetime | None
    backup_problem: str | None
    #: How many are kept of those made daily; 0: none are made by themselves.
    backups_kept: int
    audit_count: int
    #: The first entry of the audit log that does not fit; null when all do.
    audit_broken_at: int | None
    jobs_waiting: int
    jobs_given_up: int
    unknown_webhooks: int
    shops: list[ShopHealth]


def look(runtime: Runtime, unknown_webhooks: int) -> Health:
    """Look at everything once."""
    home = runtime.settings.home_folder
    backups = list_backups(home / "backups")
    with runtime.office.reading() as session:
        verdict, last = audit.verify(session), keeping.last_backup(session)
        shops = [_shop(runtime, session, shop) for shop in list_shops(session)]
        return Health(
            version=getattr(regulars, "__version__", "0"),
            at=runtime.clock(),
            office_check=_check(session),
            office_bytes=sum(path.stat().st_size for path in home.glob("office.db*")),
            free_bytes=shutil.disk_usage(home).free,
            backed_up_at=backups[0].made_at if backups else None,
            backup_checked_at=last.finished_at if last and last.state == "succeeded" else None,
            backup_problem=last.problem if last and last.state == "given_up" else None,
            backups_kept=runtime.settings.backups_kept,
            audit_count=verdict.count,
            audit_broken_at=verdict.broken_at,
            jobs_waiting=_count_jobs(session, ("waiting", "running", "failed")),
            jobs_given_up=_count_jobs(session, ("given_up",)),
            unknown_webhooks=unknown_webhooks,
            shops=shops,
        )


def _check(session: Session) -> str:
    if session.get_bind().dialect.name != "sqlite":
        return "ok"
    return str(session.scalar(text("PRAGMA quick_check(1)")))


def _count_jobs(session: Session, states: Sequence[str]) -> int:
    found = select(func.count()).select_from(Job).where(Job.state.in_(states))
    return session.scalar(found) or 0


def _shop(runtime: Runtime, session: Session, shop: Shop) -> ShopHealth:
    token = session.get(ShopToken, shop.id)
    events = select(func.count()).select_from(InboxEvent).where(InboxEvent.shop_id == shop.id)
    stopped = select(func.count()).where(Endpoint.shop_id == shop.id, Endpoint.problem.is_not(None))
    received = select(func.max(InboxEvent.received_at)).where(InboxEvent.shop_id == shop.id)
    comparison, proof = comparing.last_comparison(session, shop), proving.last_proof(session, shop)
    result = (proof.cursor or {}).get("result") if proof else None
    wrong = result.get("wrong") if isinstance(result, dict) else None
    return ShopHealth(
        name=shop.name,
        title=shop.title,
        kind=shop.kind,
        connection=_connection(shop, token),
        token_expires_at=token.expires_at if token else None,
        caught_up_at=shop.caught_up_at,
        last_webhook_at=session.scalar(received),
        waiting_count=session.scalar(events.where(InboxEvent.state == "waiting")) or 0,
        parked_count=session.scalar(events.where(InboxEvent.state == "quarantined")) or 0,
        compared_at=comparison.finished_at if comparison else None,
        proved_at=proof.finished_at if proof else None,
        wrong_count=len(wrong) if isinstance(wrong, list) else None,
        stopped_endpoints=session.scalar(stopped) or 0,
        warehouse_bytes=runtime.warehouse(shop).path.stat().st_size,
    )


def _connection(shop: Shop, token: ShopToken | None) -> str:
    if shop.kind == "imported":
        return "files"
    if shop.disconnected_at is not None:
        return "disconnected"
    return "connected" if token else "without_token"
