"""Sending deliveries: signed, tried again with growing pauses, and given up in the end."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from regulars.clock import Clock
from regulars.errors import ShopifyError, Throttled
from regulars.office import Office
from regulars.office.models.outgoing import Delivery, Endpoint
from regulars.outgoing.endpoints import open_secret
from regulars.outgoing.events import JOINED, TEST
from regulars.sealing import Sealer

log = logging.getLogger(__name__)

SIGNATURE = "Regulars-Signature"
# Receivers answer at once and work later, as ours does.
TIMEOUT = httpx.Timeout(10.0)
#: Pauses double from the first to the longest: twelve tries take about five hours.
PAUSE_FIRST = timedelta(seconds=10)
PAUSE_MAX = timedelta(hours=1)
ATTEMPTS_MAX = 12
#: An endpoint that took nothing for so long is switched off.
FAILING_MAX = timedelta(days=3)
#: After so many failures in a row nothing more is tried in this run.
FAILURES_IN_A_ROW = 3
BATCH = 50
#: The path of a customer in Flow's payload.
FLOW_CUSTOMER = "customer_id"

#: Tells Flow of one customer; raises ShopifyError.
Flow = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Senders:
    """The ways out: an HTTP client that reaches public addresses only, and the shop's Flow."""

    http: httpx.Client
    flow: Flow


class NotTaken(Exception):
    """A receiver did not take a delivery; the text says why, without anything it answered."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(reason)


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Return the header that proves a delivery: its time, and a hash over time and body."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hexdigest()}"


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends deliveries of a shop's endpoints and writes down what became of them."""

    office: Office
    sealer: Sealer
    senders: Senders
    clock: Clock

    def run(self, endpoint_id: int) -> timedelta | None:
        """Send what is due; return how long until the next try, None for none."""
        failures = 0
        while failures < FAILURES_IN_A_ROW:
            with self.office.reading() as session:
                endpoint = session.get(Endpoint, endpoint_id)
                due = _due(session, endpoint_id, self.clock())
            if endpoint is None or endpoint.disabled_at is not None or not due:
                break
            for delivery in due:
                failures = 0 if self._try(endpoint, delivery) else failures + 1
                if failures >= FAILURES_IN_A_ROW:
                    break
        return _until_next(self.office, endpoint_id, self.clock())

    def _try(self, endpoint: Endpoint, delivery: Delivery) -> bool:
        try:
            if endpoint.kind == "flow":
                status = _send_to_flow(self.office, self.senders.flow, endpoint, delivery)
            else:
                secret = open_secret(self.sealer, endpoint)
                http = self.senders.http
                status = _post(http, endpoint.address, secret, delivery, now=self.clock())
        except NotTaken as error:
            _failed(self.office, delivery, error, self.clock())
            return False
        _delivered(self.office, delivery, status, self.clock())
        return True


def _due(session: Session, endpoint_id: int, now: datetime) -> list[Delivery]:
    # What is of a later instant, or pauses longer than anything does, is due as well: the clock was
    # set back.
    rows = select(Delivery).where(
        Delivery.endpoint_id == endpoint_id,
        Delivery.state == "waiting",
        or_(
            Delivery.next_attempt_at <= now,
            Delivery.next_attempt_at > now + PAUSE_MAX,
            and_(Delivery.created_at > now, Delivery.attempt_count == 0),
        ),
    )
    return list(session.scalars(rows.order_by(Delivery.id).limit(BATCH)))


def _until_next(office: Office, endpoint_id: int, now: datetime) -> timedelta | None:
    with office.reading() as session:
        endpoint = session.get(Endpoint, endpoint_id)
        if endpoint is None or endpoint.disabled_at is not None:
            return None
        next_at = session.scalar(
            select(func.min(Delivery.next_attempt_at)).where(
                Delivery.endpoint_id == endpoint_id, Delivery.state == "waiting"
            )
        )
    # What is due now and was left after failures waits a little as well.
    return max(next_at - now, PAUSE_FIRST) if next_at is not None else None


def _post(
    http: httpx.Client, address: str, secret: str, delivery: Delivery, *, now: datetime
) -> int | None:
    body = orjson.dumps(delivery.body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Regulars",
        "Regulars-Event": delivery.event,
        "Regulars-Event-Id": delivery.event_id,
        "Regulars-Delivery": str(delivery.id),
        SIGNATURE: signature(secret, body, now),
    }
    try:
        # Only the status counts: what is answered is not read, so its length does not matter.
        with http.stream(
            "POST", address, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False
        ) as answer:
            status = answer.status_code
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise NotTaken(f"The address could not be reached ({type(error).__name__}).") from error
    except ShopifyError as error:
        raise NotTaken(str(error)) from error
    if not 200 <= status < 300:
        raise NotTaken(f"The receiver answered with status {status}.", status)
    return status


def _send_to_flow(office: Office, flow: Flow, endpoint: Endpoint, delivery: Delivery) -> int | None:
    """Tell Flow of each customer; whom it was told of is noted, so that a stop repeats nobody."""
    data: Any = delivery.body["data"]
    customers = [] if delivery.event == TEST else data["customer_ids"]
    for place, payload in _payloads(delivery, data, customers):
        try:
            flow(endpoint.address, payload)
        except Throttled as error:
            raise NotTaken("Shopify asked us to slow down.") from error
        except ShopifyError as error:
            raise NotTaken(str(error)) from error
        with office.session() as session:
            session.get_one(Delivery, delivery.id).done_count = place + 1
    return None


def _payloads(
    delivery: Delivery, data: Any, customers: list[str]
) -> Iterable[tuple[int, dict[str, object]]]:
    for place, customer_id in enumerate(customers):
        if place < delivery.done_count or not customer_id.isdecimal():
            continue
        yield (
            place,
            {
                FLOW_CUSTOMER: int(customer_id),
                "Segment": data["segment"]["name"],
                "Change": "joined" if delivery.event == JOINED else "left",
                "Cause": data["cause"],
            },
        )


def _delivered(office: Office, delivery: Delivery, status: int | None, now: datetime) -> None:
    with office.session() as session:
        row = session.get(Delivery, delivery.id)
        if row is None:
            return
        row.state, row.status, row.problem, row.finished_at = "delivered", status, None, now
        row.attempt_count += 1
        session.get_one(Endpoint, row.endpoint_id).failing_since = None


def _failed(office: Office, delivery: Delivery, error: NotTaken, now: datetime) -> None:
    with office.session() as session:
        row = session.get(Delivery, delivery.id)
        if row is None:
            return
        row.attempt_count += 1
        row.status, row.problem = error.status, str(error)[:500]
        row.next_attempt_at = now + pause_after(row.attempt_count)
        if row.attempt_count >= ATTEMPTS_MAX:
            row.state, row.finished_at = "failed", now
        endpoint = session.get_one(Endpoint, row.endpoint_id)
        endpoint.failing_since = endpoint.failing_since or now
        if now - endpoint.failing_since >= FAILING_MAX:
            endpoint.disabled_at, endpoint.problem = now, row.problem
            log.warning("endpoint %s was switched off: it took nothing for days", endpoint.id)


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after the n-th failure of a delivery."""
    doublings = min(attempts - 1, 20)
    return min(PAUSE_FIRST * (1 << doublings), PAUSE_MAX)
