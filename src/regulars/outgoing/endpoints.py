"""Endpoints and their deliveries as rows: make, change, list, send again, forget."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import httpx
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from regulars.errors import InputError, LimitError, NotFoundError, Problem, problem
from regulars.office import Shop
from regulars.office.models.outgoing import Delivery, Endpoint
from regulars.outgoing.events import EVENTS, FLOW_EVENTS, TEST, body_of
from regulars.sealing import Sealer
from regulars.shopify.http import is_public

# More than a store's programs; each costs a look at every change.
ENDPOINTS_MAX = 20
ADDRESS_LENGTH_MAX = 2000
HANDLE_LENGTH_MAX = 100
#: So that a leaked secret is found by the programs that look for such in public code.
SECRET_PREFIX = "regulars_whsec_"  # noqa: S105 - how secrets begin, not one


def create_endpoint(
    session: Session,
    sealer: Sealer,
    shop: Shop,
    *,
    kind: str,
    address: str,
    events: Sequence[str],
    followed_key: int,
    author: str,
    now: datetime,
    loopback_allowed: bool = False,
) -> tuple[Endpoint, str | None]:
    """Make an endpoint that is told of what happens from now on; returns it with its secret.

    The secret is shown once. Raises InputError for an address or events that cannot be used.
    """
    clean, chosen = _checked(kind, address, events, loopback_allowed)
    count = session.scalar(select(func.count()).where(Endpoint.shop_id == shop.id)) or 0
    if count >= ENDPOINTS_MAX:
        text = "A shop has at most {most} endpoints. Delete one that is not needed any more."
        raise LimitError(problem("endpoints_max", text, most=ENDPOINTS_MAX))
    secret = SECRET_PREFIX + secrets.token_urlsafe(32) if kind == "webhook" else None
    row = Endpoint(
        shop_id=shop.id,
        kind=kind,
        address=clean,
        events=chosen,
        created_at=now,
        created_by=author,
        followed_key=followed_key,
    )
    session.add(row)
    session.flush()
    if secret is not None:
        row.secret = sealer.seal(secret, _about(row))
    return row, secret


def change_endpoint(
    session: Session,
    row: Endpoint,
    *,
    now: datetime,
    followed_key: int,
    events: Sequence[str] | None = None,
    is_on: bool | None = None,
) -> None:
    """Choose other events, switch off, or on again: then it is told of what happens from now on."""
    if events is not None:
        problems = _event_problems(row.kind, events)
        if problems:
            raise InputError(*problems)
        row.events = sorted(set(events))
    if is_on is False and row.disabled_at is None:
        row.disabled_at, row.problem = now, None
    if is_on is True and row.disabled_at is not None:
        row.disabled_at = row.problem = row.failing_since = None
        row.followed_key = followed_key
    session.flush()


def delete_endpoint(session: Session, row: Endpoint) -> None:
    """Take an endpoint and its deliveries away."""
    session.delete(row)


def find_endpoint(session: Session, shop: Shop, endpoint_id: int) -> Endpoint:
    """Return an endpoint of this shop; raises NotFoundError."""
    row = session.get(Endpoint, endpoint_id)
    if row is None or row.shop_id != shop.id:
        raise NotFoundError(problem("no_endpoint", "There is no such endpoint in this shop."))
    return row


def list_endpoints(session: Session, shop: Shop) -> Sequence[Endpoint]:
    """Return the endpoints of a shop, in the order they were made."""
    rows = select(Endpoint).where(Endpoint.shop_id == shop.id)
    return session.scalars(rows.order_by(Endpoint.id)).all()


def listening(session: Session, shop_id: int) -> Sequence[Endpoint]:
    """Return the endpoints of a shop that are told of things at present."""
    rows = select(Endpoint).where(Endpoint.shop_id == shop_id, Endpoint.disabled_at.is_(None))
    return session.scalars(rows.order_by(Endpoint.id)).all()


# Asked after every batch of orders, and so built once.
_ANY_TOLD: Final = (
    select(Endpoint.id)
    .where(Endpoint.shop_id == bindparam("shop"), Endpoint.disabled_at.is_(None))
    .limit(1)
)


def is_told(session: Session, shop_id: int) -> bool:
    """Whether anybody is told of what happens in a shop."""
    return session.scalar(_ANY_TOLD, {"shop": shop_id}) is not None


def list_deliveries(
    session: Session,
    endpoint: Endpoint,
    *,
    state: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[Delivery]:
    """Return deliveries of an endpoint, newest first."""
    rows = select(Delivery).where(Delivery.endpoint_id == endpoint.id)
    if state:
        rows = rows.where(Delivery.state == state)
    if before is not None:
        rows = rows.where(Delivery.id < before)
    return session.scalars(rows.order_by(Delivery.id.desc()).limit(limit)).all()


def test_endpoint(session: Session, shop: Shop, row: Endpoint, now: datetime) -> Delivery:
    """Have a test event sent to an endpoint."""
    event_id = f"test-{secrets.token_hex(8)}"
    sent = Delivery(
        shop_id=shop.id,
        endpoint_id=row.id,
        event_id=event_id,
        event=TEST,
        body=body_of(shop, TEST, event_id, now, {}),
        state="waiting",
        done_count=0,
        attempt_count=0,
        next_attempt_at=now,
        created_at=now,
    )
    session.add(sent)
    session.flush()
    return sent


def replay(
    session: Session, endpoint: Endpoint, now: datetime, delivery_id: int | None = None
) -> int:
    """Send one delivery again, whatever became of it, or all that failed; return how many."""
    rows = update(Delivery).where(Delivery.endpoint_id == endpoint.id)
    if delivery_id is None:
        rows = rows.where(Delivery.state == "failed")
    else:
        rows = rows.where(Delivery.id == delivery_id)
    again = rows.values(
        state="waiting", attempt_count=0, done_count=0, next_attempt_at=now, finished_at=None
    )
    count: int = session.execute(again).rowcount  # type: ignore[attr-defined]
    if delivery_id is not None and count == 0:
        raise NotFoundError(problem("no_delivery", "There is no such delivery."))
    return count


def forget_old(session: Session, now: datetime, days: int) -> None:
    """Forget deliveries that ended long ago, and those that nobody will take any more."""
    before = now - timedelta(days=days)
    session.execute(delete(Delivery).where(Delivery.created_at < before))


def _about(row: Endpoint) -> str:
    return f"endpoints/{row.id}/secret"


def open_secret(sealer: Sealer, row: Endpoint) -> str:
    """Return what deliveries of an endpoint are signed with."""
    return sealer.open(row.secret or b"", _about(row))


def seal_anew(session: Session, sealer: Sealer) -> int:
    """Seal every secret with the present key; return how many were sealed with an older one."""
    count = 0
    for row in session.scalars(select(Endpoint).where(Endpoint.secret.is_not(None))):
        if row.secret is not None and not sealer.is_present(row.secret):
            row.secret = sealer.seal(sealer.open(row.secret, _about(row)), _about(row))
            count += 1
    return count


def _checked(
    kind: str, address: str, events: Sequence[str], loopback_allowed: bool
) -> tuple[str, list[str]]:
    clean = address.strip()
    problems = _event_problems(kind, events)
    if kind == "webhook":
        problems += _address_problems(clean, loopback_allowed)
    elif kind == "flow":
        is_handle = clean.replace("-", "").replace("_", "").isalnum() and clean.isascii()
        if not is_handle or len(clean) > HANDLE_LENGTH_MAX:
            text = "Write the handle of the Flow trigger in your app, like regulars-customer-moved."
            problems.append(problem("flow_handle", text, field="address"))
    else:
        text = "An endpoint is a webhook or Shopify Flow."
        problems.append(problem("endpoint_kind", text, field="kind"))
    if problems:
        raise InputError(*problems)
    return clean, sorted(set(events))


def _event_problems(kind: str, events: Sequence[str]) -> list[Problem]:
    known = FLOW_EVENTS if kind == "flow" else tuple(EVENTS)
    wrong = [one for one in events if one not in known]
    if wrong:
        text = 'There is no event "{event}" here. There are: {events}.'
        told = ", ".join(known)
        return [problem("unknown_event", text, field="events", event=wrong[0][:64], events=told)]
    if not events:
        return [problem("no_events", "Choose at least one event.", field="events")]
    return []


def _address_problems(address: str, loopback_allowed: bool) -> list[Problem]:
    text = (
        "Write an address that begins with https:// and that everybody can reach, without a port."
    )
    wrong = problem("endpoint_address", text, field="address")
    if len(address) > ADDRESS_LENGTH_MAX or any(ord(sign) < 33 for sign in address):
        return [wrong]
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        return [wrong]
    if loopback_allowed and url.host == "127.0.0.1" and not url.userinfo:
        return []
    is_fine = url.scheme == "https" and url.port is None and not url.userinfo and not url.fragment
    try:
        is_reachable = is_public(str(ipaddress.ip_address(url.host.strip("[]"))))
    except ValueError:
        is_reachable = "." in url.host.strip(".") and not url.host.endswith((".local", ".internal"))
    return [] if is_fine and is_reachable else [wrong]
