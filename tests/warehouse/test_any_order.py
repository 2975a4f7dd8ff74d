"""Facts end in the same state in whatever order, batches and repetition they are told."""

import random
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.warehouse import Warehouses, WarehouseSettings
from regulars.warehouse.dump import dump_facts
from regulars.warehouse.facts import (
    UNSET,
    AddressFact,
    CustomerDeleted,
    CustomerFact,
    CustomerRedacted,
    CustomersMerged,
    Fact,
    LineFact,
    MetafieldFact,
    OrderDeleted,
    OrderFact,
    ProductDeleted,
    ProductFact,
    RefundChange,
    RefundFact,
)
from tests.exploring import looking

START = datetime(2024, 1, 1, tzinfo=UTC)
CUSTOMERS = ("1", "2", "3", "4")
ORDERS = ("o1", "o2", "o3")


def moment(tick: int) -> datetime:
    return START + timedelta(hours=tick)


def customer_fact(rng: random.Random, tick: int) -> CustomerFact:
    """Return a fact that tells some fields, as each webhook tells others."""
    told: dict[str, object] = {}
    maybe = {
        "email": lambda: rng.choice(["Ana@Example.com", None, f"a{tick}@x.jp"]),
        "display_name": lambda: f"name {tick}",
        "note": lambda: rng.choice([None, f"note {tick}"]),
        "email_subscription_status": lambda: rng.choice(["SUBSCRIBED", "UNSUBSCRIBED"]),
        "shopify_order_count": lambda: rng.randrange(6),
        "shopify_spent_amount": lambda: rng.randrange(5000),
        "tags": lambda: tuple(rng.sample(["vip", "VIP", "new", "Straße"], rng.randrange(4))),
        "tags_added": lambda: (rng.choice(["vip", "Vip", "gold"]),),
        "tags_removed": lambda: (rng.choice(["VIP", "new"]),),
        "addresses": lambda: (AddressFact("US", "NY", f"New York {tick}"),),
        "metafields": lambda: (MetafieldFact("facts.size", "single_line_text_field", str(tick)),),
    }
    for name, value in maybe.items():
        if rng.random() < 0.4:
            told[name] = value()
    if told.keys() & {"tags_added", "tags_removed"}:
        told.pop("tags", None)
    return CustomerFact(
        customer_id=rng.choice(CUSTOMERS),
        updated_at=moment(tick),
        consent_at=moment(tick - 1) if rng.random() < 0.3 else None,
        **told,  # type: ignore[arg-type]
    )


def order_fact(rng: random.Random, tick: int) -> OrderFact:
    order_id = rng.choice(ORDERS)
    refund = RefundFact(refund_id=f"r-{order_id}-{tick}", refunded_at=moment(tick), amount=tick)
    return OrderFact(
        order_id=order_id,
        customer_id=rng.choice([*CUSTOMERS, None]),
        processed_at=moment(rng.randrange(40)),
        updated_at=moment(tick),
        cancelled_at=moment(tick) if rng.random() < 0.2 else None,
        is_test=rng.random() < 0.1,
        total_amount=rng.randrange(1000),
        tags=("Gift",) if rng.random() < 0.5 else (),
        discount_codes=("SALE", "sale") if rng.random() < 0.3 else (),
        lines=(LineFact(product_id="p1", quantity=1, amount=tick),),
        refunds=(refund,) if rng.random() < 0.3 else (),
    )


def product_fact(rng: random.Random, tick: int) -> ProductFact:
    return ProductFact(
        product_id=rng.choice(["p1", "p2"]),
        updated_at=moment(tick),
        title=f"title {tick}",
        tags=(f"t{tick}",),
        collections=rng.choice([UNSET, ((f"c{tick}", "Collection"),), ()]),
    )


def ending_fact(rng: random.Random, tick: int) -> Fact:
    """Return the end of something: deletion, redaction, or a merge from a higher to a lower id."""
    kind = rng.randrange(5)
    if kind == 0:
        return CustomerDeleted(rng.choice(CUSTOMERS), moment(tick))
    if kind == 1:
        return CustomerRedacted(rng.choice(CUSTOMERS), moment(tick))
    if kind == 2:
        return OrderDeleted(rng.choice(ORDERS), moment(tick))
    if kind == 3:
        return ProductDeleted(rng.choice(["p1", "p2"]), moment(tick))
    return CustomersMerged(kept_id="1", removed_id="3", at=moment(tick))


def history(seed: int, length: int) -> list[Fact]:
    """Return facts as a shop would tell them, one an hour, oldest first."""
    rng = random.Random(seed)
    facts: list[Fact] = []
    for tick in range(length):
        kind = rng.random()
        if kind < 0.4:
            facts.append(customer_fact(rng, tick))
        elif kind < 0.7:
            facts.append(order_fact(rng, tick))
        elif kind < 0.8:
            refund = RefundFact(refund_id=f"c{tick}", refunded_at=moment(tick), amount=5)
            facts.append(RefundChange(order_id=rng.choice(ORDERS), refund=refund))
        elif kind < 0.9:
            facts.append(product_fact(rng, tick))
        else:
            facts.append(ending_fact(rng, tick))
    if not any(isinstance(fact, CustomersMerged) for fact in facts):
        facts.append(CustomersMerged(kept_id="2", removed_id="4", at=moment(length)))
    return facts


def told(batches: Sequence[Sequence[Fact]]) -> str:
    """Return what a new warehouse holds after these batches."""
    with tempfile.TemporaryDirectory() as folder:
        warehouses = Warehouses(Path(folder), WarehouseSettings(threads=1, memory_limit="300MB"))
        warehouse = warehouses.of(1)
        for batch in batches:
            warehouse.apply(batch, at=moment(1000))
        with warehouse.reader() as cursor:
            text = "".join(dump_facts(cursor))
        warehouses.close()
    return text


def shuffled(facts: Sequence[Fact], rng: random.Random) -> list[list[Fact]]:
    """Return the facts in another order, some told again, cut into batches."""
    again = [*facts, *rng.choices(facts, k=len(facts) // 2)]
    rng.shuffle(again)
    batches = []
    while again:
        size = rng.choice([1, 3, 10, 100])
        batches.append(again[:size])
        again = again[size:]
    return batches


@looking(6)
@given(seed=st.integers(0, 2**32), length=st.integers(2, 60))
def test_any_order_and_repetition_ends_in_the_state_of_the_order_of_events(
    seed: int, length: int
) -> None:
    facts = history(seed, length)
    in_order = told([[fact] for fact in facts] if length < 12 else [facts])
    out_of_order = told(shuffled(facts, random.Random(seed)))

    assert in_order == out_of_order


@pytest.mark.slow
@looking(8)
@given(seed=st.integers(0, 2**32))
def test_long_histories_end_the_same_in_any_order(seed: int) -> None:
    facts = history(seed, 120)

    assert told([facts]) == told(shuffled(facts, random.Random(seed + 1)))
