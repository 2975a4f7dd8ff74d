"""Sets: exact counts at every node, answers shared and kept, newer data seen, slow work stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from regulars.engine import Context, SetEvaluator, compile_query
from regulars.engine.bitmaps import bitmap_of
from regulars.engine.kept import Answer, AnswerCache
from regulars.engine.sets import at_least
from regulars.errors import LimitError, QueryError
from regulars.language import parse
from regulars.language.tree import Not
from regulars.warehouse.facts import CustomerDeleted, CustomerFact, OrderFact
from regulars.warehouse.record import CustomerRecord
from regulars.warehouse.warehouse import Warehouse
from tests.exploring import looking
from tests.shops import shop as told_shop

NOW = datetime(2024, 3, 15, 0, 0, tzinfo=UTC)
CONTEXT = Context(NOW, ZoneInfo("Asia/Tokyo"), "JPY")


@pytest.fixture
def basic(tmp_path: Path) -> Iterator[Warehouse]:
    warehouse = told_shop("basic").warehouse(tmp_path)
    yield warehouse
    warehouse.close()


class Counted:
    """A warehouse that counts how often it is read from, and may change before a reading."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.readings = 0
        self.before_reading: list[OrderFact] = []
        self.is_committing = False

    @property
    def data_version(self) -> int:
        return self.warehouse.data_version

    @property
    def settled_version(self) -> int | None:
        return None if self.is_committing else self.warehouse.settled_version

    def touched_since(self, version: int) -> frozenset[int] | None:
        return self.warehouse.touched_since(version)

    def are_products_as_in(self, version: int) -> bool:
        return self.warehouse.are_products_as_in(version)

    def records(
        self, customer_nos: Iterable[int], cursor: duckdb.DuckDBPyConnection | None = None
    ) -> list[CustomerRecord]:
        return self.warehouse.records(customer_nos, cursor)

    def reader(
        self, *, seconds: float | None = None
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        self.readings += 1
        if self.before_reading:
            self.warehouse.apply([self.before_reading.pop()], at=NOW)
        return self.warehouse.reader(seconds=seconds)


def order(name: str, order_id: str = "9001") -> OrderFact:
    return OrderFact(
        order_id=order_id, customer_id=name, processed_at=NOW, total_amount=50_000, updated_at=NOW
    )


def names(warehouse: Warehouse, members: BitMap) -> set[str]:
    return set(warehouse.customer_ids(members).values())


@pytest.mark.parametrize("is_committing", [False, True])
def test_a_state_that_is_being_left_is_asked_for_and_never_guessed(
    basic: Warehouse, is_committing: bool
) -> None:
    """While somebody commits, the reader says which state it sees."""
    counted = Counted(basic)
    counted.is_committing = is_committing
    evaluator = SetEvaluator(counted)
    tree = parse("number_of_orders >= 1")
    before = evaluator.members(tree, CONTEXT)
    (dee,) = basic.customer_nos(["dee"]).values()
    counted.before_reading = [
        OrderFact(
            order_id="9001",
            customer_id="dee",
            processed_at=NOW,
            total_amount=100,
            updated_at=NOW,
        )
    ]

    found = evaluator.members(parse("amount_spent >= 1 AND number_of_orders >= 1"), CONTEXT)

    assert dee not in before
    assert dee in found


def test_every_node_is_counted_and_the_funnel_runs(basic: Warehouse) -> None:
    tree = parse(
        "customer_tags CONTAINS 'vip' AND number_of_orders >= 1 AND NOT amount_spent > 1000"
    )

    counts = SetEvaluator(basic).counts(tree, CONTEXT)

    assert counts.total == 1
    assert counts.universe == 5
    assert [part.count for part in counts.root.parts] == [2, 3, 4]
    assert [part.running for part in counts.root.parts] == [2, 2, 1]
    assert counts.of(parse("amount_spent > 1000")) == 1


def test_a_funnel_of_or_grows(basic: Warehouse) -> None:
    tree = parse("customer_tags CONTAINS 'vip' OR number_of_orders = 0")

    counts = SetEvaluator(basic).counts(tree, CONTEXT)

    assert [part.running for part in counts.root.parts] == [2, 4]


def test_an_answer_is_shared_between_queries_and_negations(basic: Warehouse) -> None:
    counted = Counted(basic)
    evaluator = SetEvaluator(counted)
    evaluator.members(parse("customer_tags CONTAINS 'vip' AND amount_spent > 0"), CONTEXT)
    read_once = counted.readings

    evaluator.members(parse("amount_spent > 0 OR customer_tags NOT CONTAINS 'VIP'"), CONTEXT)

    assert counted.readings == read_once


def test_many_queries_are_answered_from_one_state_of_the_data(basic: Warehouse) -> None:
    counted = Counted(basic)
    texts = [
        "orders_placed MATCHES (count >= 2)",
        "customer_tags CONTAINS 'vip' AND NOT amount_spent > 1000",
        "amount_spent > 1000 OR products_purchased NOT MATCHES (quantity >= 2)",
        "customer_tags NOT CONTAINS 'VIP'",
    ]
    trees = [parse(text) for text in texts]
    expected = [SetEvaluator(basic).members(tree, CONTEXT) for tree in trees]

    found = SetEvaluator(counted).members_of_many(trees, CONTEXT)

    assert expected == found
    assert counted.readings == 1


def test_an_answer_is_kept_until_the_day_changes(basic: Warehouse) -> None:
    counted = Counted(basic)
    evaluator = SetEvaluator(counted)
    tree = parse("orders_placed MATCHES (date >= -7d)")
    evaluator.members(tree, CONTEXT)
    evaluator.members(tree, CONTEXT.at(datetime(2024, 3, 15, 14, 59, 59, tzinfo=UTC)))
    assert counted.readings == 1

    evaluator.members(tree, CONTEXT.at(datetime(2024, 3, 15, 15, 0, tzinfo=UTC)))

    assert counted.readings == 2


def test_new_data_is_seen_at_once(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic)
    tree = parse("amount_spent >= 50000")
    assert not evaluator.members(tree, CONTEXT)

    basic.apply([order("dee")], at=NOW)

    assert names(basic, evaluator.members(tree, CONTEXT)) == {"dee"}


def test_one_evaluation_sees_one_state_of_the_data(basic: Warehouse) -> None:
    """An order lands between a cached answer and the next statement; both must see it."""
    counted = Counted(basic)
    evaluator = SetEvaluator(counted)
    first, second = parse("number_of_orders >= 1"), parse("amount_spent >= 50000")
    evaluator.members(first, CONTEXT)
    counted.before_reading = [order("dee")]

    both = evaluator.members(parse("number_of_orders >= 1 AND amount_spent >= 50000"), CONTEXT)

    assert names(basic, both) == {"dee"}
    assert both == evaluator.members(second, CONTEXT)


def test_a_transaction_sees_its_own_data(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic)
    tree = parse("amount_spent >= 50000")
    seen: list[BitMap] = []
    basic.apply(
        [order("dee")],
        at=NOW,
        then=lambda cursor, _: seen.append(evaluator.members(tree, CONTEXT, cursor)),
    )

    assert names(basic, seen[0]) == {"dee"}


def test_the_deleted_are_in_no_universe(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic)
    numbers = basic.customer_nos(["ana", "bo"])
    basic.apply([CustomerDeleted("ana", NOW)], at=NOW)
    tree = parse("number_of_orders >= 0")

    assert numbers["ana"] not in evaluator.members(tree, CONTEXT)
    assert numbers["ana"] not in evaluator.members(Not(tree), CONTEXT)
    for record in basic.records([numbers["ana"]]):
        assert not compile_query(tree, CONTEXT)(record)


def test_orders_that_may_not_be_read_count_by_shopifys_figures(basic: Warehouse) -> None:
    told = CustomerFact(
        customer_id="dee", updated_at=NOW, shopify_order_count=4, shopify_spent_amount=900
    )
    basic.apply([told], at=NOW)
    evaluator = SetEvaluator(basic)
    tree = parse("number_of_orders = 4 AND amount_spent = 900 AND orders_placed IS NULL")
    (dee,) = basic.records(basic.customer_nos(["dee"]).values())

    buyers = Context(NOW, CONTEXT.zone, "JPY", "buyers")

    assert names(basic, evaluator.members(tree, buyers)) == {"dee"}
    assert compile_query(tree, buyers)(dee)


def test_what_cannot_be_answered_is_refused_before_work_starts(basic: Warehouse) -> None:
    counted = Counted(basic)
    tree = parse("amount_spent > 0 OR created_by_app_id = 5", evaluable=False)

    with pytest.raises(QueryError, match="created_by_app_id"):
        SetEvaluator(counted).members(tree, CONTEXT)

    assert counted.readings == 0


def test_an_unknown_set_is_never_an_empty_one(basic: Warehouse) -> None:
    with pytest.raises(LookupError, match="VIP"):
        SetEvaluator(basic).members(parse("segment = 'VIP'"), CONTEXT)


def test_too_slow_an_evaluation_is_stopped(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic, seconds_max=1e-9)

    with pytest.raises(LimitError):
        evaluator.members(parse("customer_tags CONTAINS 'x'"), CONTEXT)


def test_threads_share_one_evaluator(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic)
    trees = [parse(f"amount_spent >= {amount}") for amount in range(0, 40_000, 2_000)]
    expected = [SetEvaluator(basic).members(tree, CONTEXT) for tree in trees]
    found: dict[int, list[BitMap]] = {}

    def work(number: int) -> None:
        found[number] = [evaluator.members(tree, CONTEXT) for tree in trees]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [found[number] for number in range(4)] == [expected] * 4


def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    cache = AnswerCache(most_bytes=700)
    for key in "abc":
        cache.put(key, Answer(BitMap([1])))
    cache.get("a")
    cache.put("d", Answer(BitMap([2])))

    assert [key for key in "abcd" if cache.get(key) is not None] == ["a", "c", "d"]


def test_evaluators_may_share_a_cache_that_is_still_empty(basic: Warehouse) -> None:
    cache = AnswerCache()
    SetEvaluator(basic, cache=cache).members(parse("amount_spent > 0"), CONTEXT)

    assert len(cache) == 2


@looking(30)
@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=6), st.integers(1, 6))
def test_at_least_counts_the_sets_a_customer_is_in(groups: list[set[int]], count: int) -> None:
    expected = {one for one in range(31) if sum(one in group for group in groups) >= count}

    assert expected == set(at_least(count, [BitMap(group) for group in groups]))


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 65_536, 200_000])
@pytest.mark.parametrize("top", [65_536, 1_000_000, 2**31])
def test_numbers_become_the_same_bitmap_whatever_their_order(size: int, top: int) -> None:
    chance = np.random.default_rng(size + top)
    numbers = chance.integers(0, top, size).astype(np.uint32)

    assert BitMap(numbers.tolist()) == bitmap_of(numbers)
