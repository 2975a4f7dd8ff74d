"""Who is kept in memory is as the tables have them, whatever was told, taken back or forgotten."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.warehouse import Warehouse, Warehouses, WarehouseSettings
from regulars.warehouse import warehouse as reading_room
from regulars.warehouse.dump import dump_facts
from regulars.warehouse.facts import CustomerFact, Fact, LineFact, OrderFact, ProductFact
from regulars.warehouse.marks import mark_of
from regulars.warehouse.reading import read_sheets
from regulars.warehouse.sheets import Sheet, Sheets, pack
from tests.exploring import looking
from tests.warehouse.test_any_order import CUSTOMERS, history, moment


def order(number: int, customer_id: str, tick: int, **values) -> OrderFact:
    return OrderFact(
        order_id=f"n{number}",
        customer_id=customer_id,
        processed_at=moment(tick),
        updated_at=moment(tick),
        total_amount=100 + number,
        lines=(LineFact(product_id="p1", quantity=1, amount=100 + number),),
        **values,
    )


def plain_order(rng: random.Random, tick: int) -> OrderFact:
    """Return an order as most are: new or told again, of the same customer, nothing paid back."""
    number = rng.randrange(12)
    return order(
        number,
        CUSTOMERS[number % len(CUSTOMERS)],
        tick,
        tags=rng.choice([(), ("Gift", "gift")]),
        cancelled_at=moment(tick) if rng.random() < 0.2 else None,
        is_test=rng.random() < 0.1,
    )


def batches_of(seed: int, length: int) -> list[list[Fact]]:
    rng = random.Random(seed)
    facts = [
        plain_order(rng, tick) if rng.random() < 0.6 else fact
        for tick, fact in enumerate(history(seed, length))
    ]
    batches = []
    while facts:
        size = rng.choice([1, 1, 2, 5])
        batches.append(facts[:size])
        facts = facts[size:]
    return batches


def apply(warehouse: Warehouse, batch: Sequence[Fact], tick: int = 1000):
    """Apply as the live path does, which reads whoever changed; return those records."""
    found = []

    def then(cursor, applied):
        found.extend(warehouse.records(applied.customer_nos, cursor))

    warehouse.apply(batch, at=moment(tick), then=then)
    return found


def in_memory(warehouse: Warehouse) -> dict[int, bytes]:
    sheets = warehouse._memory.sheets
    found = {no: sheet.text for no in [*sheets._packed] if (sheet := sheets.find(no))}
    sheets.settle((), kept=True)
    return found


def in_tables(warehouse: Warehouse, nos) -> dict[int, bytes]:
    with warehouse.reader() as cursor:
        return {no: Sheet(no, text).text for no, text in read_sheets(cursor, nos)}


@looking(4)
@given(seed=st.integers(0, 2**32), length=st.integers(10, 30))
def test_after_every_batch_memory_is_what_the_tables_hold(seed: int, length: int):
    with tempfile.TemporaryDirectory() as folder:
        settings = WarehouseSettings(threads=1, memory_limit="300MB")
        without = WarehouseSettings(threads=1, memory_limit="300MB", sheets_bytes=0)
        opened = [Warehouses(Path(folder) / "a", settings), Warehouses(Path(folder) / "b", without)]
        ours, plain = (one.of(1) for one in opened)
        remembered = 0
        for batch in batches_of(seed, length):
            assert apply(ours, batch) == apply(plain, batch)
            kept = in_memory(ours)
            remembered += len(kept)
            assert kept == in_tables(ours, kept)
        with ours.reader() as one, plain.reader() as other:
            assert [*dump_facts(one)] == [*dump_facts(other)]
        for one in opened:
            one.close()
    assert remembered


def test_an_order_is_followed_without_asking_the_tables(warehouse: Warehouse):
    apply(warehouse, [order(1, "7", 1), order(2, "8", 1)])
    asked = []
    sheets = warehouse._memory.sheets
    put, sheets.put = sheets.put, lambda sheet: (asked.append(sheet.customer_id), put(sheet))

    (record,) = apply(warehouse, [order(3, "7", 2)])

    assert asked == ["7"]
    assert [one.order_id for one in record.orders] == ["n1", "n3"]
    assert record.values["spent_amount"] == 204


def test_whoever_is_new_or_told_of_is_followed_without_asking_the_tables(
    warehouse: Warehouse, monkeypatch
):
    asked = []

    def read(cursor, nos):
        asked.extend(nos)
        return read_sheets(cursor, nos)

    monkeypatch.setattr(reading_room, "read_sheets", read)
    (new,) = apply(warehouse, [order(1, "7", 1)])
    told = CustomerFact(
        customer_id="7", updated_at=moment(2), email="A@Shop.Example", tags=("b", "A"), note="hers"
    )
    (record,) = apply(warehouse, [told])

    assert asked == []
    assert (new.values["order_count"], new.values["email"]) == (1, None)
    assert (record.values["email_domain"], record.tags) == ("shop.example", ("A", "b"))
    assert record.values["profile_updated_at"] == moment(2)
    assert in_memory(warehouse) == in_tables(warehouse, [record.customer_no])


def test_what_a_failed_transaction_did_is_not_remembered(warehouse: Warehouse):
    apply(warehouse, [order(1, "7", 1)])
    before = in_memory(warehouse)

    def fail(cursor, applied):
        warehouse.records(applied.customer_nos, cursor)
        raise RuntimeError("afterwards")

    with pytest.raises(RuntimeError, match="afterwards"):
        warehouse.apply([order(2, "7", 2)], at=moment(9), then=fail)

    assert in_memory(warehouse) == before
    assert [one.order_id for one in apply(warehouse, [order(3, "7", 3)])[0].orders] == ["n1", "n3"]


def test_a_change_that_nobody_told_of_is_followed_by_reading_again(warehouse: Warehouse):
    apply(warehouse, [order(1, "7", 1)])

    with warehouse.transaction() as cursor:
        cursor.execute("UPDATE orders SET total_amount = 5; UPDATE customers SET note = 'new'")

    assert (in_memory(warehouse), warehouse.is_lacking) == ({}, True)
    (record,) = apply(warehouse, [order(2, "7", 2)])
    assert (record.values["note"], record.orders[0].total_amount) == ("new", 5)


def test_a_product_told_anew_is_seen_by_those_in_memory(warehouse: Warehouse):
    product = {"product_id": "p1", "title": "Tea"}
    apply(warehouse, [ProductFact(**product, updated_at=moment(1), tags=("green",))])
    apply(warehouse, [order(1, "7", 1)])

    warehouse.apply([ProductFact(**product, updated_at=moment(2), tags=("black",))], at=moment(9))
    (record,) = apply(warehouse, [order(2, "7", 3)])

    assert {line.product_tag_keys for one in record.orders for line in one.lines} == {
        frozenset({"black"})
    }


def test_after_opening_those_who_ordered_last_are_read_as_far_as_there_is_room(tmp_path: Path):
    room = 3 * 700
    settings = WarehouseSettings(threads=1, memory_limit="300MB", sheets_bytes=room)
    warehouses = Warehouses(tmp_path, settings)
    warehouse = warehouses.of(1)
    warehouse.apply([order(tick, str(tick), tick) for tick in range(9)], at=moment(99))
    warehouses.close()
    again = Warehouses(tmp_path, settings)
    warehouse = again.of(1)
    assert again.are_lacking

    count = warehouse.remember()

    assert 2 <= count < 9
    assert not again.are_lacking
    numbers = sorted(warehouse.customer_nos(map(str, range(9))).values())
    assert sorted(in_memory(warehouse)) == numbers[-count:]
    assert in_memory(warehouse) == in_tables(warehouse, numbers[-count:])
    again.close()


def test_whoever_changes_while_they_are_read_is_left_out(warehouse: Warehouse, monkeypatch):
    warehouse.apply([order(number, str(number), number) for number in range(3)], at=moment(9))
    with warehouse.transaction():
        pass  # Nobody says who changed: all are read again.
    later = iter([order(5, "1", 9)])

    def pack_after_an_order(text: bytes) -> bytes:
        for one in later:
            warehouse.apply([one], at=moment(10))
        return pack(text)

    monkeypatch.setattr(reading_room, "pack", pack_after_an_order)

    assert warehouse.remember() == 2
    assert set(in_memory(warehouse)) == set(warehouse.customer_nos(["0", "2"]).values())


def test_memory_is_bounded_and_the_longest_unused_goes_first():
    def sheet(no: int) -> Sheet:
        return Sheet(
            no,
            f'["c{no}",{[None] * 29},null,null,null,null,null,null,null]'.replace("None", "null"),
        )

    size = len(pack(sheet(1).text)) + 250
    sheets = Sheets(3 * size + 20)
    for no in (1, 2, 3):
        sheets.put(sheet(no))
        sheets.settle({no}, kept=True)
    assert sheets.find(1)
    sheets.settle((), kept=True)

    sheets.put(sheet(4))
    sheets.settle({4}, kept=True)

    assert [no for no in (1, 2, 3, 4) if sheets.find(no)] == [1, 3, 4]
    assert (sheets.number("c2"), sheets.number("c4")) == (None, 4)


@pytest.mark.parametrize("key", ["", "900000001", "order/ü", "日本", "x" * 300])
def test_a_mark_is_the_same_in_python_and_in_the_tables(warehouse: Warehouse, key: str):
    with warehouse.reader() as cursor:
        asked = "SELECT ('0x' || left(md5($1), 8))::UINTEGER"
        assert cursor.execute(asked, [key]).fetchall() == [(mark_of(key),)]


def test_marks_that_were_read_before_a_change_nobody_told_of_do_not_count(warehouse: Warehouse):
    marks = warehouse._memory.orders
    with warehouse.reader() as cursor:
        age, read = marks.age, marks.read(cursor)
    with warehouse.transaction() as cursor:
        cursor.execute("INSERT INTO tombstones VALUES ('order', 'n1', '2030-01-01')")
    marks.complete(read, age)

    assert not marks.is_whole
    assert marks.possible(["n1"]) == ["n1"]
    assert [one.orders for one in apply(warehouse, [order(1, "7", 2)])] == [()]


@pytest.mark.parametrize("is_read", [True, False])
def test_what_an_earlier_process_wrote_is_known(tmp_path: Path, is_read: bool):
    settings = WarehouseSettings(threads=1, memory_limit="300MB")
    first = Warehouses(tmp_path, settings)
    first.of(1).apply([order(1, "7", 5)], at=moment(9), event_keys=["orders/create a"])
    first.close()
    second = Warehouses(tmp_path, settings)
    warehouse = second.of(1)

    if is_read:
        assert warehouse.remember() == 1

    again = warehouse.apply([order(9, "7", 9)], at=moment(9), event_keys=["orders/create a"])
    older = apply(warehouse, [order(1, "7", 2)])

    assert again.skipped
    assert older == []
    second.close()
