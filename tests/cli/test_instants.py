"""Instants at a terminal: day and minute in the shop's zone, which the heading names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from regulars.cli.instants import IN_UTC, Instants
from regulars.office.models.outgoing import Delivery, Endpoint
from regulars.office.models.privacy import PrivacyRequest
from regulars.office.models.tags import TagDriftCheck
from tests.jobs.at_work import AtWork, open_shop
from tests.uploads.files import Uploading
from tests.web.commanding import commanding

#: The clock of the shop stands at 03:00:00.000001 UTC.
NOON = "2026-03-01 12:00"
AS_PROGRAMS_READ = re.compile(r"\d{4}-\d\d-\d\dT\d\d")


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Commands on a shop in Tokyo where a bit of everything was done."""
    shop = open_shop(tmp_path_factory.mktemp("instants") / "home")
    shop.clock.instant += timedelta(microseconds=1)
    shop.told(shop.customer("ana"), shop.order(1, "ana"))
    shop.segment("Once", "number_of_orders >= 1")
    Uploading(shop).make("Listed", "Customer ID\nana\n")
    _write_rows(shop)
    with commanding(shop) as call:
        call("segments", "delete", call("segments", "duplicate", "Once", "--json")["id"])
        call("keys", "create", "--name", "till")
        call("team", "invite", "dee@shop.example")
        yield call
    shop.runtime.close()


def _write_rows(shop: AtWork) -> None:
    now, of_shop = shop.clock(), {"shop_id": shop.shop.id}
    asked = {"kind": "export", "customer_id": "ana", "event_id": "1", "author": "Shopify"}
    sent = {"event_id": "1", "event": "customers.joined", "body": {}, "endpoint_id": 1}
    with shop.runtime.office.session() as session:
        drift = {"customer_count": 1, "found": {}}
        session.add(TagDriftCheck(**of_shop, **drift, checked_at=now))
        session.add(PrivacyRequest(**of_shop, **asked, asked_at=now, due_at=now))
        made = {"kind": "webhook", "address": "https://a.example", "created_by": "ana"}
        session.add(Endpoint(**of_shop, **made, id=1, events=[], created_at=now))
        session.flush()
        session.add(Delivery(**of_shop, **sent, next_attempt_at=now, created_at=now))


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("segments", "log", "Once"), "When (Asia/Tokyo)"),
        (("segments", "history", "ana"), "When (Asia/Tokyo)"),
        (("segments", "versions", "Once"), "Made (Asia/Tokyo)"),
        (("segments", "uploads", "Listed"), "Time (Asia/Tokyo)"),
        (("segments", "trash"), "Deleted (Asia/Tokyo)"),
        (("privacy", "list"), "Due (Asia/Tokyo)"),
        (("endpoints", "deliveries", 1), "At (Asia/Tokyo)"),
        (("tags", "drift"), f"at {NOON} (Asia/Tokyo)."),
    ],
)
def test_a_person_reads_instants_to_the_minute_in_the_zone_of_the_shop(command, words, shown):
    told = command(*words)

    assert NOON in told
    assert shown in told
    assert not AS_PROGRAMS_READ.search(told)


def test_the_other_commands_name_the_zone_as_well(command):
    assert "never" in command("keys", "list")
    assert "Last used (Asia/Tokyo)" in command("keys", "list")
    assert "Assigned (Asia/Tokyo)" in command("tags", "history")
    assert "Caught up at -" in command("live")
    why = command("explain", "number_of_orders >= 1", "--customer", "ana")
    assert "as of 2026-03-01 23:59 (Asia/Tokyo)." in why
    assert "before 2026-03-01 00:00 (Asia/Tokyo)." in command("rfm")


def test_what_belongs_to_no_single_shop_is_told_in_utc_and_says_so(command):
    assert "until 2026-03-08 03:00 (UTC)" in command("team", "list", shop=None)
    assert "When (UTC)" in command("audit", "list", shop=None)
    assert "2026-03-01 03:00" in command("audit", "list", shop=None)
    assert "Proved (UTC)" in command("health", shop=None)


def test_a_program_reads_the_exact_instant(command):
    (entry,) = command("segments", "log", "Once", "--json")["entries"]

    assert entry["at"] == "2026-03-01T03:00:00.000001Z"


def test_an_hour_that_comes_twice_is_told_as_clocks_show_it():
    new_york = Instants("America/New_York")

    assert new_york.cell("2026-11-01T05:30:59.999999Z") == "2026-11-01 01:30"
    assert new_york.cell("2026-11-01T06:30:00+00:00") == "2026-11-01 01:30"
    assert new_york.said("2026-07-01T00:00:00Z") == "2026-06-30 20:00 (America/New_York)"
    assert IN_UTC.cell(None) is None
