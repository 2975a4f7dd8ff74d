"""Webhooks out: subscriptions, deliveries with their headers, retries, and the faults on the way.

Nothing is sent by itself: `send_due` delivers what is due now; a thread of the served simulator
calls it, and so do tests. Payloads are made in payloads.py.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from regulars.simulator.faults import Faults
from regulars.simulator.money import milli_instant
from regulars.simulator.payloads import payload_of
from regulars.simulator.shop import Event, Shop

#: Sends one delivery and returns the HTTP status; raises OSError when nothing answered in time.
Send = Callable[[str, dict[str, str], bytes], int]

#: Eight retries over four hours, each wait twice the one before.
RETRIES = 8
RETRY_SECONDS = tuple(14_400 * 2**n / 255 for n in range(RETRIES))
#: Deliveries kept for the log.
LOG_MAX = 5_000

#: Every topic the simulator can send, beside those that the schema names.
TOPICS = [
    "app/uninstalled",
    "app/scopes_update",
    "bulk_operations/finish",
    "customer.joined_segment",
    "customer.left_segment",
    "customer.tags_added",
    "customer.tags_removed",
    "customers/create",
    "customers/delete",
    "customers/disable",
    "customers/enable",
    "customers/merge",
    "customers/purchasing_summary",
    "customers/update",
    "customers_email_marketing_consent/update",
    "customers_marketing_consent/update",
    "orders/cancelled",
    "orders/create",
    "orders/delete",
    "orders/edited",
    "orders/paid",
    "orders/updated",
    "order_transactions/create",
    "products/create",
    "products/delete",
    "products/update",
    "refunds/create",
    "segments/create",
    "segments/delete",
    "segments/update",
    "shop/update",
]
#: These come from the app's configuration: always sent, never subscribed to.
COMPLIANCE_TOPICS = ("customers/data_request", "customers/redact", "shop/redact")


def enum_of(topic: str) -> str:
    """Return the name of a topic in the schema's enum."""
    return topic.replace("/", "_").replace(".", "_").upper()


TOPIC_OF = {enum_of(topic): topic for topic in TOPICS}


@dataclass(slots=True, eq=False)
class Subscription:
    """One subscription made by the API."""

    id: int
    topic_enum: str
    uri: str
    version: str
    created: int
    updated: int
    name: str | None = None
    filter: str | None = None
    include_fields: tuple[str, ...] = ()
    metafield_namespaces: tuple[str, ...] = ()
    #: Failures in a row.
    failures: int = 0

    @property
    def topic(self) -> str:
        """Return the topic's name in headers."""
        return TOPIC_OF.get(self.topic_enum, self.topic_enum.lower())


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way to one subscription."""

    uri: str
    headers: dict[str, str]
    body: bytes
    due: float
    subscription_id: int | None
    attempts: int = 0
    #: waiting, delivered, failed or dropped.
    status: str = "waiting"
    answers: list[str] = field(default_factory=list)

    @property
    def topic(self) -> str:
        """Return the topic, for the log."""
        return self.headers["X-Shopify-Topic"]


class Webhooks:
    """Subscriptions and deliveries of one simulator."""

    def __init__(self, shop: Shop, secret: str, faults: Faults, send: Send | None = None) -> None:
        self.shop = shop
        self.secret = secret
        self.faults = faults
        self.send = send
        self.subscriptions: dict[int, Subscription] = {}
        self.deliveries: list[Delivery] = []
        #: So many are kept before the log is shortened again; more while many wait.
        self._log_max = LOG_MAX
        #: Where compliance topics go, as the app's configuration names it.
        self.compliance_uri: str | None = None
        self.woken = threading.Event()
        shop.listeners.append(self.on_event)

    def on_event(self, event: Event) -> None:
        """Queue a delivery for each subscription to the event's topic."""
        if event.topic in COMPLIANCE_TOPICS:
            targets: list[tuple[str, Subscription | None]] = (
                [(self.compliance_uri, None)] if self.compliance_uri else []
            )
        else:
            targets = [(s.uri, s) for s in self.matching(event.topic)]
        if not targets:
            return
        body = payload_of(event, self.shop)
        event_id = str(uuid.uuid4())
        for uri, subscription in targets:
            self.queue(event.topic, uri, subscription, body, event_id)
        self.woken.set()

    def matching(self, topic: str) -> list[Subscription]:
        """Return the subscriptions to a topic, after the fault that takes one away."""
        chosen = [s for s in self.subscriptions.values() if s.topic == topic]
        if chosen and self.faults.strikes("deleted_subscription"):
            self.subscriptions.pop(chosen[0].id, None)
            return chosen[1:]
        return chosen

    def queue(
        self,
        topic: str,
        uri: str,
        subscription: Subscription | None,
        body: bytes,
        event_id: str,
    ) -> None:
        """Put one delivery into the queue, with the faults that concern it."""
        now = self.shop.now()
        delivery = Delivery(
            uri=uri,
            headers=self.headers(topic, subscription, body, event_id),
            body=body,
            due=now,
            subscription_id=subscription.id if subscription else None,
        )
        if self.faults.strikes("dropped_webhooks"):
            delivery.status = "dropped"
        if self.faults.strikes("late"):
            delivery.due += 60 * self.faults.random.randint(1, 240)
        self.deliveries.append(delivery)
        if self.faults.strikes("duplicate_webhook"):
            self.deliveries.append(
                Delivery(uri, dict(delivery.headers), body, delivery.due, delivery.subscription_id)
            )
        if len(self.deliveries) > self._log_max:
            self.forget_old()

    def forget_old(self) -> None:
        """Keep the log short: what is finished and old goes."""
        waiting = [d for d in self.deliveries if d.status == "waiting"]
        finished = [d for d in self.deliveries if d.status != "waiting"]
        self.deliveries = [*finished[-LOG_MAX // 2 :], *waiting]
        # What waits is looked through once per doubling, not at each event.
        self._log_max = max(LOG_MAX, 2 * len(waiting))

    def headers(
        self, topic: str, subscription: Subscription | None, body: bytes, event_id: str
    ) -> dict[str, str]:
        """Return the headers of one delivery."""
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        told = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
            "X-Shopify-Shop-Domain": self.shop.domain,
            "X-Shopify-API-Version": subscription.version if subscription else "2026-10",
            "X-Shopify-Webhook-Id": str(uuid.uuid4()),
            "X-Shopify-Triggered-At": milli_instant(self.shop.now()),
            "X-Shopify-Event-Id": event_id,
        }
        if subscription is not None and subscription.name:
            told["X-Shopify-Name"] = subscription.name
        return told

    def due(self) -> list[Delivery]:
        """Return the deliveries to try now, oldest first unless the fault shuffles them."""
        now = self.shop.now()
        with self.shop.lock:
            rows = [d for d in self.deliveries if d.status == "waiting" and d.due <= now]
        if len(rows) > 1 and self.faults.strikes("out_of_order"):
            self.faults.random.shuffle(rows)
        return rows

    def waiting(self) -> int:
        """Return how many deliveries still have to be made."""
        return sum(delivery.status == "waiting" for delivery in self.deliveries)

    def send_due(self, send: Send | None = None) -> int:
        """Try every delivery that is due, once; return how many arrived."""
        sender = send or self.send
        if sender is None:
            return 0
        return sum(self.attempt(delivery, sender) for delivery in self.due())

    def attempt(self, delivery: Delivery, send: Send) -> bool:
        """Try one delivery and note what came of it."""
        delivery.attempts += 1
        try:
            status = send(delivery.uri, delivery.headers, delivery.body)
            delivery.answers.append(str(status))
            arrived = 200 <= status < 300
        except OSError as problem:
            delivery.answers.append(type(problem).__name__)
            arrived = False
        with self.shop.lock:
            self.note(delivery, arrived)
        return arrived

    def note(self, delivery: Delivery, arrived: bool) -> None:
        """Settle a delivery, set its next try, or give it up with its subscription."""
        subscription = self.subscriptions.get(delivery.subscription_id or 0)
        if arrived:
            delivery.status = "delivered"
            if subscription is not None:
                subscription.failures = 0
            return
        if subscription is not None:
            subscription.failures += 1
        if delivery.attempts <= RETRIES:
            delivery.due = self.shop.now() + RETRY_SECONDS[delivery.attempts - 1]
            return
        delivery.status = "failed"
        # The retries are used up and nothing else got through meanwhile: the subscription goes.
        if subscription is not None and subscription.failures > RETRIES:
            self.subscriptions.pop(subscription.id, None)
