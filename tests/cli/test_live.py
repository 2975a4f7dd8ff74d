"""regulars verify, live, metrics, preview-edit: read through the API, as JSON and in words."""

from __future__ import annotations

import pytest

from regulars.bootstrap import open_runtime
from regulars.jobs import Jobs, queue
from regulars.office import find_shop

SHOP = ("--shop", "basic")


@pytest.fixture
def twice(regulars, basic):
    words = ("--name", "Twice", "--query", "number_of_orders = 2", "--json")
    return regulars("segments", "create", *SHOP, *words).json["id"]


def test_every_segment_is_worked_out_from_nothing_and_compared(regulars, twice):
    told = regulars("verify", *SHOP, "--json")

    assert told.code == 0, told.err
    assert (told.json["segments"], told.json["members"], told.json["wrong"]) == (1, 1, [])
    assert regulars("live", *SHOP, "--json").json["proof"]["segments"] == 1


def test_the_figures_of_a_segment_are_told(regulars, twice):
    told = regulars("segments", "metrics", twice, *SHOP, "--json")

    assert told.code == 0, told.err
    assert told.json["now"]["customers"] == 1
    assert told.json["now"]["average_order_value"] == (12050 + 8000) / 2


def test_the_change_is_against_a_week_however_many_days_are_asked_for(regulars, twice, tmp_path):
    with open_runtime(tmp_path / "home") as runtime:
        Jobs(runtime).run_until_idle()
    words = ("segments", "metrics", twice, *SHOP)

    told = regulars(*words, "--days", "1")
    day, year = (regulars(*words, "--days", days, "--json").json for days in ("1", "365"))

    assert "10,025" in told.out
    assert "100.0%" in told.out
    assert (len(day["days"]), day["change"]) == (1, year["change"])
    assert year["change"]["customers"] is not None
    assert len(year["days"]) > 1


def test_a_day_of_the_phase_out_is_announced_and_the_phase_stays(regulars, twice):
    regulars("static", "phase", "open", "--read-only-on", "2099-01-31")

    told = regulars("static", "phase", "--removed-on", "2099-03-31", "--json").json

    assert (told["name"], told["read_only_on"], told["removed_on"]) == (
        "open",
        "2099-01-31",
        "2099-03-31",
    )


def test_an_edit_is_previewed_without_being_made(regulars, twice):
    query = ("--query", "number_of_orders = 1")

    told = regulars("segments", "preview-edit", twice, *SHOP, *query, "--json")

    assert (told.json["joined"]["count"], told.json["left"]["count"]) == (1, 1)
    assert told.json["joined"]["sample"][0]["id"] == "bo"
    assert regulars("segments", "show", twice, *SHOP, "--json").json["version"] == 1


def test_versions_are_listed_with_their_difference_and_come_back(regulars, twice):
    regulars("segments", "edit", twice, *SHOP, "--query", "number_of_orders = 1")

    versions = regulars("segments", "versions", twice, *SHOP, "--json").json["versions"]
    assert [piece["text"] for piece in versions[0]["difference"][1:]] == ["2", "1"]
    back = regulars("segments", "restore-version", twice, 1, *SHOP, "--json")

    assert (back.json["version"], back.json["query"]) == (3, "number_of_orders = 2")
    assert back.json["member_count"] == 1


def test_a_shop_of_files_has_nothing_to_compare(regulars, basic):
    told = regulars("compare", *SHOP)

    assert (told.code, "no copy of Shopify" in told.err) == (2, True)


def test_what_the_nightly_comparison_repaired_is_told_value_by_value(regulars, basic, tmp_path):
    tag = {"kind": "customers", "id": "11", "attribute": "customer_tags"}
    mail = {"kind": "customers", "id": "12", "attribute": "email", "ours": None, "theirs": None}
    differences = [{**tag, "ours": "vip", "theirs": None}, mail]
    with open_runtime(tmp_path / "home") as runtime, runtime.office.session() as session:
        now = runtime.clock()
        shop = find_shop(session, "basic")
        job = queue.enqueue(session, shop_id=shop.id, kind="compare", now=now)
        job.state, job.finished_at = "succeeded", now
        job.cursor = {"result": {"differing": 3, "differences": differences}}

    told = regulars("live", *SHOP)

    assert told.code == 0, told.err
    assert told.out.splitlines()[-4:] == [
        "3 values were different and were repaired.",
        "  customers 11: customer_tags was vip, is - at Shopify",
        "  customers 12: email",
        "  ... and 1 more",
    ]


def test_who_joined_and_left_is_told_of_a_segment_and_of_a_customer(regulars, twice):
    regulars("segments", "edit", twice, *SHOP, "--query", "number_of_orders = 1")

    log = regulars("segments", "log", twice, *SHOP, "--json")
    left = regulars("segments", "log", twice, *SHOP, "--left", "--json").json["entries"]
    who = left[0]["customer"]
    one = regulars("segments", "history", who, *SHOP, "--json").json["entries"]

    assert log.code == 0, log.err
    assert [(each["what"], each["cause"]) for each in left] == [("left", "edited")]
    assert [(each["what"], each["cause"]) for each in one] == [
        ("left", "edited"),
        ("joined", "created"),
    ]
    assert {each["segment"] for each in one} == {"Twice"}
    assert len(log.json["entries"]) == 3
    first = regulars("segments", "log", twice, *SHOP, "--limit", 1, "--json").json
    assert (len(first["entries"]), first["next"] is None) == (1, False)
    later = ("--since", "2099-01-01", "--json")
    assert regulars("segments", "log", twice, *SHOP, *later).json["entries"] == []
    assert regulars("segments", "log", twice, *SHOP).code == 0
    assert regulars("segments", "history", "nobody", *SHOP).code == 2
