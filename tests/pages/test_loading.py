"""Loading and comparing: what the newest comparison with Shopify found is shown, value by value."""

from __future__ import annotations

from regulars.jobs import queue
from regulars.office.models.jobs import Job

RESULT = {
    "deleted_customers": 0,
    "deleted_orders": 0,
    "differing": 3,
    "differences": [
        {
            "kind": "customers",
            "id": "11",
            "attribute": "customer_tags",
            "ours": "vip",
            "theirs": None,
        },
        {"kind": "orders", "id": "7", "attribute": "total_amount", "ours": "120", "theirs": "100"},
    ],
}


def compared(world) -> None:
    now = world.runtime.clock()
    with world.runtime.office.session() as session:
        job = queue.enqueue(session, shop_id=world.shop.id, kind="compare", now=now)
        found = session.get_one(Job, job.id)
        found.state, found.finished_at, found.cursor = "succeeded", now, {"result": RESULT}


def test_the_values_that_were_different_are_named(visitor, world):
    compared(world)

    page = visitor.get("/sync")

    for told in (
        "3 values were different",
        "Customer 11",
        "customer_tags",
        "Here: vip · At Shopify: -",
        "Order 7",
        "Here: 120 · At Shopify: 100",
        "The first 2 are shown.",
    ):
        assert told in page.text
