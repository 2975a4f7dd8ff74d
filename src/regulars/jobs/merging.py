"""Customers who were merged at Shopify: their tags' rows follow, at once and again every night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from regulars.office import Shop
from regulars.runtime import Runtime
from regulars.tags.merging import Merge, concerned, follow_merge
from regulars.warehouse.facts import CustomersMerged, Fact


def merges_in(runtime: Runtime, shop: Shop, facts: Sequence[Fact]) -> list[Merge]:
    """Return the merges that facts tell of, with both customers' tags; ask before applying."""
    told = [fact for fact in facts if isinstance(fact, CustomersMerged)]
    if not told:
        return []
    warehouse = runtime.warehouse(shop)
    tags: dict[str, list[str]] = {}
    with warehouse.reader() as cursor:
        # The tags of the customers of these ids.
        rows = cursor.execute(
            "SELECT c.customer_id, t.tag FROM customers c LEFT JOIN customer_tags t"
            " USING (customer_no) WHERE list_contains($1, c.customer_id)",
            [sorted({one for fact in told for one in (fact.kept_id, fact.removed_id)})],
        ).fetchall()
    for customer_id, tag in rows:
        tags.setdefault(customer_id, []).extend([tag] if tag is not None else [])
    return [
        Merge(fact.removed_id, fact.kept_id, tags.get(fact.kept_id), tags.get(fact.removed_id))
        for fact in told
    ]


def follow(runtime: Runtime, shop: Shop, merges: Sequence[Merge], now: datetime) -> None:
    """Move what tag work knows of merged customers; news of the segments start the work."""
    if not merges:
        return
    with runtime.office.session() as session:
        moved = [follow_merge(session, shop.id, merge, now) for merge in merges]
    if any(moved):
        runtime.news.publish(shop.id, "segments", counts={})


def follow_missed(runtime: Runtime, shop: Shop, now: datetime) -> None:
    """Move what a stop in the middle left with customers who were merged away."""
    with runtime.warehouse(shop).reader() as cursor:
        # Who was merged away, and into whom.
        rows = cursor.execute(
            "SELECT gone.customer_id, kept.customer_id FROM customers gone"
            " JOIN customers kept ON kept.customer_no = gone.merged_into_no"
        ).fetchall()
    into = dict(rows)
    if not into:
        return
    with runtime.office.reading() as session:
        left = sorted(set(concerned(session, shop.id, into)))
    follow(runtime, shop, [Merge(one, into[one]) for one in left], now)
