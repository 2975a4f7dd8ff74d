"""Personal data on Shopify's word or a person's: exports, redactions, the end of a shop."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from regulars import privacy
from regulars.errors import ConflictError, TokenRejected, problem
from regulars.jobs import live, queue
from regulars.jobs.run import JobRun
from regulars.office import Shop, audit
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.installation import KeptAnswer
from regulars.office.models.privacy import PrivacyRequest
from regulars.office.models.shops import ShopToken
from regulars.office.models.staff import Staff, StaffShop
from regulars.office.models.uploads import Upload
from regulars.runtime import Runtime
from regulars.runtime.shopify import app_uninstalled
from regulars.segments.uploads import unfinished
from regulars.shopify import read_shop
from regulars.tags import tasks
from regulars.warehouse.facts import CustomerRedacted

log = logging.getLogger(__name__)

SHOPIFY = "Shopify"
NOTHING: Mapping[str, object] = MappingProxyType({})


def read_event(runtime: Runtime, shop: Shop, event: InboxEvent, payload: Mapping[str, Any]) -> None:
    """Start what a compliance webhook, or the end of an installation, asks for."""
    if event.topic == "app/uninstalled":
        disconnect(runtime, shop, event.triggered_at)
    elif event.topic == "shop/redact":
        with runtime.office.session() as session:
            erase_later(session, shop, runtime.clock(), author=SHOPIFY)
    elif event.topic in {"customers/data_request", "customers/redact"}:
        kind = "export" if event.topic == "customers/data_request" else "redaction"
        if kind == "redaction":
            # The shop's copy may have forgotten the addresses; nobody says them again.
            customer = payload["customer"]
            _forget_traces(runtime, shop, str(customer["id"]), customer)
        with runtime.office.session() as session:
            ask(
                session,
                shop,
                kind=kind,
                customer_id=str(payload["customer"]["id"]),
                event_id=event.event_id,
                author=SHOPIFY,
                now=runtime.clock(),
            )


def ask(
    session: Session,
    shop: Shop,
    *,
    kind: str,
    customer_id: str,
    event_id: str,
    author: str,
    now: datetime,
) -> PrivacyRequest:
    """Take a request; a redaction is carried out by itself, an export waits to be fetched."""
    row = privacy.ask(
        session,
        shop,
        kind=kind,
        customer_id=customer_id,
        event_id=event_id,
        author=author,
        now=now,
    )
    if kind == "redaction" and row.state == "open":
        arguments: dict[str, object] = {"request_id": row.id}
        key = str(row.id)
        queue.enqueue(
            session, shop_id=shop.id, kind="redact_customer", now=now, key=key, arguments=arguments
        )
    return row


def _forget_traces(
    runtime: Runtime, shop: Shop, customer_id: str, told: Mapping[str, object] = NOTHING
) -> None:
    """Take what names a person out of texts, files and waiting lists, which know no numbers.

    `told` is what Shopify calls them by. Done before the facts go, which know the rest.
    """
    warehouse = runtime.warehouse(shop)
    called = {"emails": [told.get("email")], "phones": [told.get("phone")]}
    traces = privacy.traces_of(warehouse, customer_id, **called)
    with runtime.office.session() as session:
        privacy.redact_texts(session, shop, traces)
        uploads = unfinished(session, shop)
    privacy.forget_in_files(shop, uploads, runtime.settings.home_folder, traces)
    privacy.forget_keys(warehouse, traces)


def redact_customer(run: JobRun) -> None:
    """Carry a redaction out; doing it twice changes nothing."""
    runtime, shop = run.runtime, run.shop
    with runtime.office.reading() as session:
        row = privacy.find_request(session, shop, int(str(run.arguments["request_id"])))
    now = runtime.clock()
    _forget_traces(runtime, shop, row.customer_id)
    live.apply_facts(runtime, shop, [CustomerRedacted(row.customer_id, now)], now=now)
    privacy.redact_warehouse(runtime.warehouse(shop), row.customer_id)
    with runtime.office.session(row.author) as session:
        privacy.redact_office(session, shop, row.customer_id, now)
        found = privacy.find_request(session, shop, row.id)
        privacy.close(found, author=row.author, now=now)
    runtime.warehouse(shop).checkpoint()
    runtime.office.checkpoint()


def disconnect(runtime: Runtime, shop: Shop, at: datetime) -> None:
    """Let go of a shop that uninstalled the app: its token is gone, its data waits for the word."""
    with runtime.office.session(SHOPIFY) as session:
        token = session.get(ShopToken, shop.id)
        if token is not None and token.saved_at > at:
            # Told late: the app was installed again meanwhile.
            return
        if token is not None:
            session.delete(token)
        session.get_one(Shop, shop.id).disconnected_at = at
        # Nobody asks Shopify from here on, so nobody else would tell.
        tasks.excuse_all(session, shop.id, app_uninstalled(), at)
    runtime.forget(shop.id)


def erase_later(session: Session, shop: Shop, now: datetime, *, author: str) -> None:
    """Have everything of a shop erased. The job belongs to no shop: it outlives this one."""
    arguments: dict[str, object] = {"shop_id": shop.id, "author": author}
    key = str(shop.id)
    queue.enqueue(session, shop_id=None, kind="erase_shop", now=now, key=key, arguments=arguments)


def erase_shop(run: JobRun) -> None:
    """Erase everything of a shop, unless Shopify's word is overtaken by a new installation."""
    runtime = run.runtime
    author = str(run.arguments["author"])
    with runtime.office.reading() as session:
        shop = session.get(Shop, int(str(run.arguments["shop_id"])))
    if shop is None:
        return
    if author == SHOPIFY and _is_installed(runtime, shop):
        with runtime.office.session() as session:
            _note(session, "shop_kept", shop, author, runtime.clock())
        return
    erase(runtime, shop, author=author)


def erase(runtime: Runtime, shop: Shop, *, author: str) -> None:
    """Erase a shop: rows, files, and the people who came in through its admin alone."""
    runtime.erase(shop.id)
    home = runtime.settings.home_folder
    with runtime.office.session() as session:
        row = session.get(Shop, shop.id)
        if row is None:
            return
        uploads = session.scalars(select(Upload.id).where(Upload.shop_id == shop.id)).all()
        only_here = [
            one
            for one in session.scalars(
                select(StaffShop.staff_id).where(StaffShop.shop_id == shop.id)
            )
            if (staff := session.get(Staff, one)) is not None and staff.login.startswith("shopify:")
        ]
        session.execute(delete(Staff).where(Staff.id.in_(only_here)))
        # What was answered to programs may quote the shop; it is kept for a day at most.
        session.execute(delete(KeptAnswer))
        session.delete(row)
        session.flush()
        _note(session, "shop_erased", shop, author, runtime.clock())
    for path in (home / "imports").glob(f"{shop.name}-*.csv"):
        path.unlink()
    for number in uploads:
        (home / "uploads" / f"{number}.csv").unlink(missing_ok=True)
    for backup in (home / "backups").glob("*/"):
        for path in backup.glob(f"shops/{shop.id}.duckdb*"):
            path.unlink()
    shutil.rmtree(home / "shops" / f"incoming-{shop.id}", ignore_errors=True)


def _is_installed(runtime: Runtime, shop: Shop) -> bool:
    with runtime.office.reading() as session:
        if session.get(ShopToken, shop.id) is None:
            return False
    try:
        read_shop(runtime.shopify(shop))
    except TokenRejected:
        return False
    return True


def _note(session: Session, act: str, shop: Shop, author: str, at: datetime) -> None:
    audit.record(session, act=act, about=shop.name, author=author, at=at, shop_id=shop.id)


def demand_name(shop: Shop, given: str) -> None:
    """Refuse an erasure whose asker did not write the shop's name; raises ConflictError."""
    if given != shop.name:
        text = 'Write the shop\'s name, "{name}", to erase it for good.'
        raise ConflictError(problem("erase_name", text, name=shop.name, field="confirm"))
