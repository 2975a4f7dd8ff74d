"""A file that DuckDB gave up after a fatal error is opened again, and nothing kept is lost.

The error is a real one: the disk has no room for a checkpoint, and DuckDB refuses all further work
until the file is opened anew, room or not.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regulars.errors import LimitError
from regulars.segments import proof
from regulars.warehouse import Warehouses, WarehouseSettings
from regulars.warehouse.facts import CustomerFact
from tests.jobs.at_work import open_shop
from tests.warehouse.full_disk import full_disk

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_commit_stays_though_the_checkpoint_after_it_stops_the_file(tmp_path):
    warehouses = Warehouses(tmp_path, WarehouseSettings(checkpoint_bytes=1))
    first = warehouses.of(1)
    with full_disk(tmp_path):
        first.apply([CustomerFact(customer_id="ana")], at=AT, event_keys=["told once"])
    assert first.is_lost
    with pytest.raises(LimitError, match="is opened again"):
        first.customer_nos(["ana"])

    again = warehouses.of(1)

    assert again is not first
    assert again.customer_nos(["ana"]).keys() == {"ana"}
    assert again.apply([CustomerFact(customer_id="bo")], at=AT, event_keys=["told once"]).skipped
    assert warehouses.reopened_count == 1
    warehouses.close()


def test_the_app_goes_on_after_a_fatal_error(tmp_path):
    at_work = open_shop(tmp_path / "home")
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.told(at_work.order(1, "ana", 300))
    runtime = at_work.runtime
    with full_disk(tmp_path / "home" / "shops"), pytest.raises(LimitError, match="disk"):
        runtime.warehouse(at_work.shop).checkpoint()

    at_work.told(at_work.order(2, "bo", 300))

    assert at_work.members(vip) == {"ana", "bo"}
    parts = (runtime.office, runtime.warehouse(at_work.shop), runtime.memberships(at_work.shop))
    (found,) = proof.verify(*parts, at_work.shop, now=at_work.clock())
    assert found.is_right
    assert runtime.warehouses.reopened_count == 1
    runtime.close()
