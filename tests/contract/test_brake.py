"""A comparison asks before it deletes, and deletes nothing where the answer is no."""

from __future__ import annotations

import pytest

from regulars.shopify import backfill, compare
from regulars.warehouse import Warehouses


class NotBelievedError(Exception):
    """Too much would go."""


def test_nothing_is_deleted_where_the_comparison_is_stopped(place, tmp_path):
    warehouses = Warehouses(tmp_path)
    warehouse = warehouses.of(1)
    backfill(place.client, warehouse, place.shop, lambda _: None, place.time())
    before = warehouse.universe("all")
    place.time.sleep(60)
    place.shop.delete_customer(place.people["cleo"])
    place.time.sleep(60)
    asked = []

    def refuse(kind, gone, stored):
        asked.append((kind, gone, stored))
        raise NotBelievedError

    with pytest.raises(NotBelievedError):
        compare(place.client, warehouse, place.shop, lambda _: None, place.time(), allow=refuse)

    assert asked == [("customers", 1, 4)]
    assert warehouse.universe("all") == before
    compare(place.client, warehouse, place.shop, lambda _: None, place.time())
    assert len(warehouse.universe("all")) == 3
    warehouses.close()
