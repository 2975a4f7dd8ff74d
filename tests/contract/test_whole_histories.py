"""However Shopify's messages come, and whatever of them is lost, the copy ends as in the best case.

A shop lives through a random history. One copy is told of everything in order; the other is told
some things up to nine times, in any order, hours late, and of every fifth thing never; from the
middle on neither is told anything: the subscription is gone. One look for changes and one
comparison later the two are the same text, byte for byte, and tell what a copy made from nothing
tells.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from regulars.shopify import compare, read_again
from regulars.warehouse import Warehouse, Warehouses, WarehouseSettings
from regulars.warehouse.dump import dump_facts
from tests.contract.shop import Place, open_place
from tests.contract.test_sync import catch, copy_of, delivered, load, subscribe
from tests.exploring import TIMES

ACTS = 24
LOST = 0.2
TIMES_MAX = 9

Deliveries = Sequence[tuple[str, list, tuple[str, str] | None]]


def act(place: Place, chance: random.Random) -> None:
    """Let one thing happen."""
    shop = place.shop
    someone = chance.choice(sorted(place.people.items()))[1]
    orders = [
        one for one in someone.orders if one.cancelled is None and one.total - one.refunded > 100
    ]
    tea = next(iter(shop.products.values()))
    acts = {
        "order": lambda: shop.place_order(someone, [shop.line(tea, chance.randint(1, 5))]),
        "tag": lambda: shop.add_tags(someone, [chance.choice(("vip", "日本", "Straße"))]),
        "untag": lambda: shop.remove_tags(someone, [chance.choice(("VIP", "日本"))]),
        "note": lambda: shop.update_customer(someone, note=f"note {chance.randint(1, 99)}"),
        "consent": lambda: shop.set_email_consent(
            someone, chance.choice(("SUBSCRIBED", "UNSUBSCRIBED"))
        ),
        "new": lambda: shop.create_customer(first_name="Eve", email="eve@example.com"),
        "product": lambda: shop.update_product(tea, title=f"Tea {chance.randint(1, 99)}"),
    }
    if orders:
        one = chance.choice(orders)
        acts |= {
            "refund": lambda: shop.refund_order(one, chance.randint(1, 100)),
            "cancel": lambda: shop.cancel_order(one),
            "delete": lambda: shop.delete_order(one),
        }
    acts[chance.choice(sorted(acts))]()


def live(place: Place, chance: random.Random) -> Deliveries:
    """Live through a history; return what was told until the subscription went."""
    told: list = []
    for number in range(ACTS):
        place.time.sleep(chance.randint(60, 3_600))
        act(place, chance)
        if number == ACTS // 2:
            told += delivered(place)
            place.simulator.webhooks.subscriptions.clear()
    place.time.sleep(60)
    return told


def mangled(told: Deliveries, chance: random.Random) -> Deliveries:
    """Lose some, repeat others, and mix them: hours lie between the first and the last."""
    kept = [one for one in told if chance.random() >= LOST]
    again = [one for one in kept for _ in range(chance.randint(1, TIMES_MAX))]
    chance.shuffle(again)
    return again


def hear(place: Place, warehouse: Warehouse, told: Deliveries) -> None:
    for _topic, facts, again in told:
        warehouse.apply(facts, at=place.time())
        if again is not None:
            warehouse.apply(read_again(place.client, place.shop, [again]), at=place.time())


def reconcile(place: Place, warehouse: Warehouse) -> None:
    catch(place, warehouse, timedelta(hours=ACTS + 2))
    found = compare(place.client, warehouse, place.shop, lambda _: None, place.time())
    warehouse.apply(found.deleted, at=place.time())


def text_of(warehouse: Warehouse) -> str:
    """All facts, without when a deletion was heard of: a lost one is noticed later."""
    with warehouse.reader() as cursor:
        text = "".join(dump_facts(cursor))
    return re.sub(r"^(tombstones .*), datetime.*$", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_copy_that_missed_much_ends_as_one_that_missed_nothing(seed: int) -> None:
    chance, place = random.Random(seed), open_place()
    with tempfile.TemporaryDirectory() as folder:
        warehouses = Warehouses(Path(folder), WarehouseSettings(threads=1, memory_limit="300MB"))
        in_order, behind, fresh = (warehouses.of(number) for number in (1, 2, 3))
        for one in (in_order, behind):
            load(place, one)
        subscribe(place.client, "https://regulars.example.com/webhooks/shopify")
        told = live(place, chance)
        hear(place, in_order, told)
        hear(place, behind, mangled(told, chance))
        for one in (in_order, behind):
            reconcile(place, one)
        load(place, fresh)

        assert told
        assert text_of(in_order) == text_of(behind)
        ours, theirs = copy_of(behind), copy_of(fresh)
        ours["customers"] = [row for row in ours["customers"] if not row[-1]]
        assert ours == theirs
        warehouses.close()
    place.simulator.close()
