"""Live: facts that arrive change memberships in the same transaction; then everybody is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from regulars.errors import InputError, problem
from regulars.jobs import merging, queue
from regulars.office import Shop
from regulars.office.models.inbox import InboxEvent
from regulars.runtime import Runtime
from regulars.segments import Changes, record_changes
from regulars.shopify import facts_from_webhook, to_read_again
from regulars.warehouse.applied import Applied
from regulars.warehouse.facts import (
    CustomerDeleted,
    CustomerFact,
    CustomerRedacted,
    CustomersMerged,
    Fact,
    OrderFact,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy.orm import Session

# Tagging a thousand customers brings a thousand webhooks; what those leave open is asked together.
GATHERED = timedelta(seconds=3)


def apply_facts(
    runtime: Runtime,
    shop: Shop,
    facts: Sequence[Fact],
    *,
    now: datetime,
    event_keys: Sequence[str] = (),
    also: Callable[[Session], object] | None = None,
) -> Changes:
    """Write facts and what they do to memberships in one transaction, then tell everybody.

    `also` writes to the office what is true from then on.
    """
    memberships, warehouse = runtime.memberships(shop), runtime.warehouse(shop)
    why, merges = causes(facts), merging.merges_in(runtime, shop, facts)
    with memberships.held():
        with memberships.changing(shop, now) as changing:

            def then(cursor: DuckDBPyConnection, applied: Applied) -> None:
                by_number = {applied.numbers[one]: cause for one, cause in why.items()}
                changing.follow(cursor, applied.customer_nos, by_number)

            applied = warehouse.apply(facts, at=now, event_keys=event_keys, then=then)
        record_changes(runtime.office, memberships, shop, changing.changes, now, also=also)
    if applied.product_ids:
        with runtime.office.session() as session:
            queue.enqueue(session, shop_id=shop.id, kind="refresh_products", now=now)
    merging.follow(runtime, shop, merges, now)
    tell(runtime, shop, changing.changes)
    if not applied.is_empty:
        runtime.news.publish(shop.id, "facts", orders=len(applied.order_ids))
    return changing.changes


def tell(runtime: Runtime, shop: Shop, changes: Changes) -> None:
    """Publish which segments have other members or another state now."""
    touched = {*changes.by_segment, *changes.evaluated, *changes.broken}
    if touched:
        memberships = runtime.memberships(shop)
        counts = {segment_id: memberships.count(segment_id) for segment_id in sorted(touched)}
        runtime.news.publish(shop.id, "segments", counts=counts)


def causes(facts: Sequence[Fact]) -> Mapping[str, str]:
    """Return why a customer's memberships may change, by customer id; the strongest cause wins."""
    why: dict[str, str] = {}
    for fact in facts:
        if isinstance(fact, CustomersMerged):
            why[fact.kept_id] = why[fact.removed_id] = "merged"
        elif isinstance(fact, CustomerDeleted | CustomerRedacted):
            why[fact.customer_id] = "deleted"
        elif isinstance(fact, OrderFact) and fact.customer_id is not None:
            if why.get(fact.customer_id) not in {"merged", "deleted"}:
                why[fact.customer_id] = "order"
        elif isinstance(fact, CustomerFact):
            why.setdefault(fact.customer_id, "profile")
    return why


#: Is given each event with its content: for what is not about facts.
Heard = Callable[[InboxEvent, Any], None]


def read_events(
    runtime: Runtime, shop: Shop, events: Sequence[InboxEvent], heard: Heard
) -> Sequence[Fact]:
    """Return the facts of webhooks, and start what else they ask for."""
    facts: list[Fact] = []
    again: dict[str, object] = {}
    for event in events:
        payload = _payload(event)
        facts += facts_from_webhook(event.topic, payload, event.triggered_at, shop.currency)
        object_again = to_read_again(event.topic, payload)
        if object_again is not None:
            kind, gid = object_again
            again[gid] = kind
        heard(event, payload)
    if again:
        _read_again_later(runtime, shop, again)
    return facts


def _payload(event: InboxEvent) -> Any:
    try:
        return orjson.loads(event.body or b"{}")
    except orjson.JSONDecodeError:
        raise InputError(problem("webhook_json", "The webhook is not JSON.")) from None


def _read_again_later(runtime: Runtime, shop: Shop, again: dict[str, object]) -> None:
    """Have objects read again: one job gathers what a burst of webhooks asks for."""
    now = runtime.clock()
    with runtime.office.session() as session:
        queue.enqueue(
            session,
            shop_id=shop.id,
            kind="read_again",
            arguments=again,
            now=now,
            due_at=now + GATHERED,
        )
