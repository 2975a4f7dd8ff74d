"""Two states of an order with the same second end the same way, whichever arrives first."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from regulars.warehouse import Warehouses
from regulars.warehouse.facts import OrderFact, RefundFact

AT = datetime(2024, 1, 1, tzinfo=UTC)
SMALL, LARGE = (
    RefundFact(refund_id=name, refunded_at=AT + timedelta(hours=1), amount=amount)
    for name, amount in (("r1", 100), ("r2", 200))
)


def order(**values):
    told = {"processed_at": AT, "updated_at": AT + timedelta(hours=1), "total_amount": 1000}
    return OrderFact(order_id="o1", customer_id="1", **(told | values))


PLAIN = order()
CANCELLED = order(cancelled_at=AT + timedelta(hours=1))
CANCELLED_AND_REFUNDED = order(cancelled_at=AT + timedelta(hours=1), refunds=(SMALL,), tags=("x",))
REFUNDED = order(refunds=(SMALL,), tags=("once",))
REFUNDED_TWICE = order(refunds=(SMALL, LARGE), tags=("twice",))


@pytest.mark.parametrize(
    ("states", "last"),
    [
        ((PLAIN, CANCELLED), CANCELLED),
        ((PLAIN, REFUNDED, REFUNDED_TWICE), REFUNDED_TWICE),
        ((PLAIN, CANCELLED, CANCELLED_AND_REFUNDED), CANCELLED_AND_REFUNDED),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_later_state_of_one_second_stands(tmp_path, states, last, together):
    warehouses = Warehouses(tmp_path)
    warehouse = warehouses.of(1)
    ways = [(last,), *itertools.permutations(states)]
    for number, way in enumerate(ways):
        facts = [named(state, str(number)) for state in way]
        for batch in [facts] if together else [[one] for one in facts]:
            warehouse.apply(batch, at=AT + timedelta(hours=2))

    records = warehouse.records(
        warehouse.customer_nos(str(one) for one in range(len(ways))).values()
    )
    ends = {
        (order.cancelled_at, order.tag_keys, order.total_amount, len(order.refunds))
        for record in records
        for order in record.orders
    }
    assert (len(records), len(ends)) == (len(ways), 1)
    warehouses.close()


def named(state: OrderFact, name: str) -> OrderFact:
    """Return the state as one of another order, by another customer."""
    refunds = tuple(replace(one, refund_id=name + one.refund_id) for one in state.refunds)
    return replace(state, order_id=name, customer_id=name, refunds=refunds)
