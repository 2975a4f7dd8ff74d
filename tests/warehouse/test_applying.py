"""What each kind of fact does to the warehouse."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from pyroaring import BitMap

from regulars.warehouse import Applied, LogEntry, Warehouse
from regulars.warehouse.facts import (
    AddressFact,
    CustomerDeleted,
    CustomerFact,
    CustomerRedacted,
    CustomersMerged,
    LineFact,
    MetafieldFact,
    OrderDeleted,
    OrderFact,
    ProductFact,
    RefundChange,
    RefundFact,
    StoreCreditFact,
)
from regulars.warehouse.record import CustomerRecord

START = datetime(2024, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


NOW = day(100)


def order(
    order_id: str, customer_id: str | None, on: int, amount: int, **told: object
) -> OrderFact:
    fields = {"updated_at": day(on), **told}
    return OrderFact(
        order_id=order_id,
        customer_id=customer_id,
        processed_at=day(on),
        total_amount=amount,
        **fields,  # type: ignore[arg-type]
    )


def record(warehouse: Warehouse, customer_id: str) -> CustomerRecord:
    (found,) = warehouse.records(warehouse.customer_nos([customer_id]).values())
    return found


def sums(warehouse: Warehouse, customer_id: str) -> tuple[object, object]:
    values = record(warehouse, customer_id).values
    return values["order_count"], values["spent_amount"]


def test_a_customer_is_read_back_as_told(warehouse: Warehouse) -> None:
    warehouse.apply(
        [
            CustomerFact(
                customer_id="1",
                updated_at=day(1),
                display_name="Ana",
                email="Ana@Example.COM",
                added_at=day(0),
                tags=("VIP", "vip", "東京"),
                addresses=(AddressFact("US", "NY", "New York City", "10001", 40.7, -74.0),),
                company_ids=("7",),
                metafields=(MetafieldFact("facts.size", "number_integer", "3"),),
                store_credit=(StoreCreditFact("12.50", "USD"),),
            )
        ],
        at=NOW,
    )

    ana = record(warehouse, "1")

    assert ana.values["display_name"] == "Ana"
    assert ana.values["email_domain"] == "example.com"
    assert ana.values["added_at"] == day(0)
    assert ana.tags == ("VIP", "東京")
    assert [place.city_key for place in ana.places] == ["US-NY-NewYorkCity"]
    assert ana.company_ids == {"7"}
    assert ana.metafields == {"facts.size": ("number_integer", "3")}
    assert [credit.balance for credit in ana.store_credit] == [Decimal("12.5")]


def test_an_order_is_read_back_with_lines_products_and_refunds(warehouse: Warehouse) -> None:
    warehouse.apply(
        [
            order(
                "o1",
                "1",
                2,
                1000,
                tags=("Gift", "gift"),
                discount_codes=("SALE",),
                lines=(LineFact(product_id="p1", quantity=2, amount=900, vendor="Kyoto"),),
                refunds=(RefundFact(refund_id="r1", refunded_at=day(3), amount=300),),
            ),
            ProductFact(
                product_id="p1", updated_at=day(1), tags=("Tea",), collections=(("c", "C"),)
            ),
        ],
        at=NOW,
    )

    (only,) = record(warehouse, "1").orders

    assert (only.total_amount, only.tag_keys, only.discount_code_keys) == (
        1000,
        {"gift"},
        {"sale"},
    )
    assert [(refund.refunded_at, refund.amount) for refund in only.refunds] == [(day(3), 300)]
    assert [(line.product_tag_keys, line.collection_ids) for line in only.lines] == [
        (frozenset({"tea"}), frozenset({"c"}))
    ]
    assert sums(warehouse, "1") == (1, 700)


def test_an_order_of_an_unknown_customer_makes_a_bare_customer(warehouse: Warehouse) -> None:
    applied = warehouse.apply([order("o1", "77", 1, 500)], at=NOW)

    assert len(applied.new_customer_nos) == 1
    assert sums(warehouse, "77") == (1, 500)


def test_cancelled_and_test_orders_are_not_counted(warehouse: Warehouse) -> None:
    warehouse.apply(
        [
            order("o1", "1", 1, 500),
            order("o2", "1", 2, 700, cancelled_at=day(3)),
            order("o3", "1", 2, 900, is_test=True),
        ],
        at=NOW,
    )

    assert sums(warehouse, "1") == (1, 500)
    assert {found.order_id for found in record(warehouse, "1").orders} == {"o1", "o2"}


def test_a_refund_told_before_its_order_is_counted_when_the_order_comes(
    warehouse: Warehouse,
) -> None:
    refund = RefundFact(refund_id="r1", refunded_at=day(5), amount=200)
    warehouse.apply([RefundChange(order_id="o1", refund=refund)], at=NOW)
    warehouse.apply([order("o1", "1", 1, 500)], at=NOW)

    assert sums(warehouse, "1") == (1, 300)


def test_an_older_order_state_is_ignored_and_touches_nobody(warehouse: Warehouse) -> None:
    warehouse.apply([order("o1", "1", 1, 500, updated_at=day(9))], at=NOW)
    applied = warehouse.apply([order("o1", "1", 1, 900, updated_at=day(8))], at=NOW)

    assert applied.is_empty
    assert sums(warehouse, "1") == (1, 500)


def test_an_order_that_changes_hands_touches_both_customers(warehouse: Warehouse) -> None:
    warehouse.apply([order("o1", "1", 1, 500)], at=NOW)
    applied = warehouse.apply([order("o1", "2", 1, 500, updated_at=day(2))], at=NOW)

    assert applied.customer_nos == set(warehouse.customer_nos(["1", "2"]).values())
    assert sums(warehouse, "1") == (0, 0)
    assert sums(warehouse, "2") == (1, 500)


def test_a_deleted_order_does_not_come_back_by_a_late_older_update(warehouse: Warehouse) -> None:
    warehouse.apply([order("o1", "1", 1, 500)], at=NOW)
    deleted = warehouse.apply([OrderDeleted("o1", day(5))], at=NOW)
    late = warehouse.apply([order("o1", "1", 1, 500, updated_at=day(4))], at=NOW)

    assert deleted.customer_nos == set(warehouse.customer_nos(["1"]).values())
    assert late.is_empty
    assert sums(warehouse, "1") == (0, 0)


def test_a_partial_fact_leaves_what_it_does_not_tell(warehouse: Warehouse) -> None:
    warehouse.apply(
        [CustomerFact(customer_id="1", updated_at=day(1), email="a@x.jp", note="likes tea")], at=NOW
    )
    warehouse.apply([CustomerFact(customer_id="1", updated_at=day(2), email="b@x.jp")], at=NOW)

    values = record(warehouse, "1").values

    assert (values["email"], values["note"]) == ("b@x.jp", "likes tea")


def test_a_late_older_fact_fills_only_what_nothing_newer_told(warehouse: Warehouse) -> None:
    warehouse.apply([CustomerFact(customer_id="1", updated_at=day(2), email="b@x.jp")], at=NOW)
    warehouse.apply(
        [CustomerFact(customer_id="1", updated_at=day(1), email="a@x.jp", note="likes tea")], at=NOW
    )

    values = record(warehouse, "1").values

    assert (values["email"], values["note"]) == ("b@x.jp", "likes tea")


def test_tags_change_by_the_set_and_by_single_tags_whatever_their_case(
    warehouse: Warehouse,
) -> None:
    warehouse.apply([CustomerFact(customer_id="1", updated_at=day(1), tags=("VIP", "new"))], at=NOW)
    warehouse.apply(
        [
            CustomerFact(customer_id="1", tags_at=day(3), tags_removed=("vip",)),
            CustomerFact(customer_id="1", tags_at=day(3), tags_added=("Gold",)),
            CustomerFact(customer_id="1", updated_at=day(2), tags=("VIP", "old")),
        ],
        at=NOW,
    )

    assert record(warehouse, "1").tags == ("Gold", "old")


def test_consent_is_kept_by_its_own_instant(warehouse: Warehouse) -> None:
    told = {"customer_id": "1", "email_subscription_status": "SUBSCRIBED"}
    warehouse.apply([CustomerFact(**told, consent_at=day(5))], at=NOW)  # type: ignore[arg-type]
    later = CustomerFact(
        customer_id="1",
        updated_at=day(9),
        consent_at=day(4),
        email="a@x.jp",
        email_subscription_status="UNSUBSCRIBED",
    )
    warehouse.apply([later], at=NOW)

    values = record(warehouse, "1").values

    assert (values["email"], values["email_subscription_status"]) == ("a@x.jp", "SUBSCRIBED")


def test_what_shopify_counts_beyond_our_orders_is_unseen(warehouse: Warehouse) -> None:
    warehouse.apply(
        [
            order("o1", "1", 1, 500),
            CustomerFact(
                customer_id="1", updated_at=day(5), shopify_order_count=4, shopify_spent_amount=2000
            ),
            # After the figures were told, so not among them.
            order("o2", "1", 6, 700),
        ],
        at=NOW,
    )

    values = record(warehouse, "1").values

    assert (values["order_count"], values["unseen_order_count"]) == (2, 3)
    assert (values["spent_amount"], values["unseen_spent_amount"]) == (1200, 1500)


def test_merging_moves_the_orders_also_those_that_come_late(warehouse: Warehouse) -> None:
    warehouse.apply([order("o1", "1", 1, 500), order("o2", "2", 2, 300)], at=NOW)
    merged = warehouse.apply([CustomersMerged(kept_id="1", removed_id="2", at=day(5))], at=NOW)
    warehouse.apply([order("o3", "2", 3, 100)], at=NOW)

    nos = warehouse.customer_nos(["1", "2"])

    assert merged.customer_nos == set(nos.values())
    assert merged.gone_customer_nos == {nos["2"]}
    assert sums(warehouse, "1") == (3, 900)
    assert warehouse.universe("all") == BitMap([nos["1"]])


def test_redaction_takes_everything_personal_and_keeps_the_sums(warehouse: Warehouse) -> None:
    personal = CustomerFact(
        customer_id="1",
        updated_at=day(1),
        display_name="canary-name",
        email="canary@example.com",
        phone="+81-canary",
        note="canary-note",
        tags=("canary-tag",),
        addresses=(AddressFact("JP", "JP-13", "canary-city"),),
        metafields=(MetafieldFact("facts.canary", "x", "canary-value"),),
    )
    warehouse.apply([personal, order("o1", "1", 1, 500)], at=NOW)
    warehouse.apply([CustomerRedacted("1", day(5))], at=NOW)
    # Whatever is told later is not taken in again.
    warehouse.apply([personal], at=NOW)

    found = record(warehouse, "1")
    with warehouse.reader() as cursor:
        tables = [
            name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        ]
        held = "".join(repr(cursor.table(name).fetchall()) for name in tables)

    assert "canary" not in held
    assert sums(warehouse, "1") == (1, 500)
    assert found.values["deleted_at"] == day(5)
    assert not warehouse.universe("all")


def test_a_deleted_customer_told_of_again_later_is_back(warehouse: Warehouse) -> None:
    warehouse.apply([CustomerFact(customer_id="1", updated_at=day(1), email="a@x.jp")], at=NOW)
    warehouse.apply([CustomerDeleted("1", day(5))], at=NOW)
    gone = warehouse.universe("all")
    warehouse.apply([CustomerFact(customer_id="1", updated_at=day(6), note="back")], at=NOW)

    values = record(warehouse, "1").values

    assert not gone
    assert len(warehouse.universe("all")) == 1
    assert (values["email"], values["note"]) == (None, "back")


def test_buyers_are_customers_with_a_counted_order(warehouse: Warehouse) -> None:
    warehouse.apply(
        [
            order("o1", "1", 1, 500),
            order("o2", "2", 1, 500, cancelled_at=day(2)),
            CustomerFact(customer_id="3", updated_at=day(1)),
        ],
        at=NOW,
    )

    assert len(warehouse.universe("all")) == 3
    assert warehouse.universe("buyers") == BitMap(warehouse.customer_nos(["1"]).values())


def test_a_delivery_applied_before_does_nothing(warehouse: Warehouse) -> None:
    first = warehouse.apply([order("o1", "1", 1, 500)], at=NOW, event_keys=["e1"])
    again = warehouse.apply(
        [order("o1", "1", 1, 900, updated_at=day(2))], at=NOW, event_keys=["e1"]
    )

    assert (first.skipped, again.skipped) == (False, True)
    assert sums(warehouse, "1") == (1, 500)


def test_facts_and_memberships_are_kept_together_or_not_at_all(warehouse: Warehouse) -> None:
    def fail(cursor: duckdb.DuckDBPyConnection, applied: Applied) -> None:
        entries = [LogEntry(1, no, NOW, True, "order", 1) for no in applied.customer_nos]
        warehouse.log(entries)
        raise ValueError("the work after the facts failed")

    version = warehouse.data_version
    with pytest.raises(ValueError, match="failed"):
        warehouse.apply([order("o1", "1", 1, 500)], at=NOW, event_keys=["e1"], then=fail)

    assert warehouse.customer_nos(["1"]) == {}
    assert warehouse.current_members(1) == BitMap()
    assert warehouse.data_version == version
    assert not warehouse.apply([], at=NOW, event_keys=["e1"]).skipped


def test_then_sees_the_new_facts(warehouse: Warehouse) -> None:
    seen: list[object] = []

    def look(cursor: duckdb.DuckDBPyConnection, applied: Applied) -> None:
        seen.extend(
            r.values["order_count"] for r in warehouse.records(applied.customer_nos, cursor)
        )

    warehouse.apply([order("o1", "1", 1, 500)], at=NOW, then=look)

    assert seen == [1]


def test_the_data_version_rises_with_facts_and_not_with_memberships(warehouse: Warehouse) -> None:
    before = warehouse.data_version
    warehouse.apply([order("o1", "1", 1, 500)], at=NOW)
    with warehouse.transaction(changes_facts=False):
        warehouse.log([LogEntry(1, 0, NOW, True, "created", 1)])

    assert warehouse.data_version == before + 1


def test_facts_reach_until_the_latest_instant_any_of_them_names(warehouse: Warehouse) -> None:
    assert warehouse.facts_until() is None
    warehouse.apply([order("o1", "1", 1, 500, cancelled_at=day(7))], at=NOW)

    assert warehouse.facts_until() == day(7)


def test_whom_the_latest_versions_touched_is_known_until_something_else_is_written(
    warehouse: Warehouse,
) -> None:
    begun = warehouse.data_version
    first = warehouse.apply([order("1", "ana", 1, 100)], at=NOW)
    between = warehouse.data_version
    second = warehouse.apply([order("2", "bo", 2, 200)], at=NOW)

    assert warehouse.touched_since(begun) == first.customer_nos | second.customer_nos
    assert warehouse.touched_since(between) == second.customer_nos
    assert warehouse.touched_since(warehouse.data_version) == frozenset()

    with warehouse.transaction():
        pass
    assert warehouse.touched_since(between) is None
    with pytest.raises(ZeroDivisionError):
        warehouse.apply([order("3", "cleo", 3, 1)], at=NOW, then=lambda *_: 1 // 0)
    assert warehouse.touched_since(warehouse.data_version) == frozenset()


def tag_keys(warehouse: Warehouse, *facts: object) -> list[frozenset[str]]:
    """Apply facts and return the product tags of Ana's lines as that transaction sees them."""
    seen: list[frozenset[str]] = []

    def look(cursor: duckdb.DuckDBPyConnection, applied: Applied) -> None:
        for found in warehouse.records(applied.numbers.values(), cursor):
            seen.extend(line.product_tag_keys for one in found.orders for line in one.lines)

    warehouse.apply(facts, at=NOW, then=look)  # type: ignore[arg-type]
    return seen


def test_a_batch_sees_products_as_they_are_by_then(warehouse: Warehouse) -> None:
    """What is kept of products between two batches is as good as reading them."""
    tea = LineFact(product_id="7", quantity=1, amount=5)
    first, second = (order(name, "ana", 1, 5, lines=(tea,)) for name in ("1", "2"))

    assert tag_keys(warehouse, first) == [frozenset()]

    warehouse.apply([ProductFact(product_id="7", updated_at=day(2), tags=("Green",))], at=NOW)

    assert tag_keys(warehouse, second) == [frozenset({"green"})] * 2

    told = ProductFact(product_id="7", updated_at=day(3), tags=("Black",))

    assert tag_keys(warehouse, told, first) == [frozenset({"black"})] * 2


def test_products_of_a_batch_that_was_rolled_back_are_forgotten(warehouse: Warehouse) -> None:
    tea = LineFact(product_id="7", quantity=1, amount=5)
    told = ProductFact(product_id="7", updated_at=day(3), tags=("Black",))

    def look_and_fail(cursor: duckdb.DuckDBPyConnection, applied: Applied) -> None:
        warehouse.records(applied.numbers.values(), cursor)
        raise LookupError("not today")

    with pytest.raises(LookupError):
        warehouse.apply([told, order("1", "ana", 1, 5, lines=(tea,))], at=NOW, then=look_and_fail)

    assert tag_keys(warehouse, order("1", "ana", 1, 5, lines=(tea,))) == [frozenset()]


def test_a_batch_tells_the_numbers_of_whom_it_names(warehouse: Warehouse) -> None:
    applied = warehouse.apply([order("1", "ana", 1, 5), order("2", "bo", 1, 5)], at=NOW)

    assert applied.numbers == warehouse.customer_nos(["ana", "bo"])
