"""Connections: pages, cursors, orders and search."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.conftest import Stage

PEOPLE = """query ($first: Int, $after: String, $query: String, $reverse: Boolean) {
  customers(first: $first, after: $after, query: $query, sortKey: UPDATED_AT, reverse: $reverse) {
    nodes { firstName } pageInfo { hasNextPage endCursor }
  }
}"""


def names(told: dict[str, Any]) -> list[str]:
    return [node["firstName"] for node in told["data"]["customers"]["nodes"]]


@pytest.mark.parametrize("reverse", [False, True])
def test_pages_follow_each_other_without_gap_or_repeat(stage: Stage, reverse: bool):
    seen: list[str] = []
    after = None
    while True:
        told = stage.ask(PEOPLE, first=3, after=after, reverse=reverse)
        seen += names(told)
        info = told["data"]["customers"]["pageInfo"]
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break

    assert sorted(seen) == ["Ana", "Bo", "Cleo", "Dee"]
    assert seen == names(stage.ask(PEOPLE, first=4, reverse=reverse))


def test_a_page_goes_on_where_it_was_although_rows_changed(stage: Stage):
    first = stage.ask(PEOPLE, first=2)
    stage.shop.update_customer(stage.people[names(first)[0].lower()], note="changed")

    rest = stage.ask(PEOPLE, first=4, after=first["data"]["customers"]["pageInfo"]["endCursor"])

    assert {*names(first), *names(rest)} == {"Ana", "Bo", "Cleo", "Dee"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "you must provide one of first or last"),
        (
            "first: 251",
            "first cannot exceed 250. To query larger amounts of data with fewer limits",
        ),
        ("first: -1", "first cannot be negative"),
        ('first: 2, after: "nonsense"', "Invalid cursor"),
    ],
)
def test_a_page_that_cannot_be_cut_is_refused(stage: Stage, arguments: str, message: str):
    call = f"customers({arguments})" if arguments else "customers"

    told = stage.ask("{ CALL { nodes { id } } }".replace("CALL", call))

    assert told["errors"][0]["message"].startswith(message)
    assert told["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_quoted_time_is_read_to_the_second_for_orders(stage: Stage):
    order = next(iter(stage.shop.orders.values()))
    ask = "query ($query: String) { orders(first: 10, query: $query) { nodes { id } } }"
    for shift, count in ((-1, 2), (0, 2), (1, 0)):
        instant = stage.clock.instant.fromtimestamp(
            order.updated + shift, stage.clock.instant.tzinfo
        )
        told = stage.ask(ask, query=f"updated_at:>='{instant.strftime('%Y-%m-%dT%H:%M:%SZ')}'")
        assert len(told["data"]["orders"]["nodes"]) == count
        assert "search" not in told["extensions"]


def test_an_unquoted_time_falls_apart_and_is_warned_about(stage: Stage):
    told = stage.ask(PEOPLE, first=10, query="updated_at:>=2026-11-21T00:00:00Z")

    assert len(names(told)) == 4
    warning = told["extensions"]["search"][0]["warnings"][0]
    assert warning["code"] == "invalid_field"


def test_customers_are_found_by_whole_days_of_their_update(stage: Stage):
    assert len(names(stage.ask(PEOPLE, first=10, query="updated_at:>='2026-11-19T23:59:59Z'"))) == 4
    assert names(stage.ask(PEOPLE, first=10, query="updated_at:>='2026-11-20T00:00:00Z'")) == []


def test_an_unknown_search_field_is_ignored_with_a_warning(stage: Stage):
    told = stage.ask(PEOPLE, first=10, query="shoe_size:42")

    assert len(names(told)) == 4
    assert told["extensions"]["search"] == [
        {
            "path": ["customers"],
            "query": "shoe_size:42",
            "warnings": [
                {
                    "field": "shoe_size",
                    "message": "Invalid search field for this query.",
                    "code": "invalid_field",
                }
            ],
        }
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("first_name:ana", ["Ana"]),
        ("first_name:ana OR first_name:bo", ["Ana", "Bo"]),
        ("NOT first_name:ana AND orders_count:1", ["Bo"]),
        ("-first_name:ana orders_count:>0", ["Bo"]),
        ("(first_name:ana OR first_name:dee) orders_count:0", ["Dee"]),
        ("tag:'vip'", ["Cleo"]),
        ("tag_not:VIP orders_count:0", ["Dee"]),
        ("total_spent:>=3000", ["Bo"]),
        ("cleo", ["Cleo"]),
        ("email:dee*", ["Dee"]),
    ],
)
def test_search_syntax(stage: Stage, query: str, found: list[str]):
    stage.shop.add_tags(stage.people["cleo"], ["VIP"])

    assert sorted(names(stage.ask(PEOPLE, first=10, query=query))) == found


def test_a_search_field_that_is_not_modelled_is_refused_not_ignored(stage: Stage):
    told = stage.ask(PEOPLE, first=10, query="accepts_marketing:true")

    assert told["errors"][0]["extensions"]["code"] == "NOT_MODELLED"


def test_customers_count_honours_three_fields_only(stage: Stage):
    ask = (
        "query ($query: String) { customersCount(query: $query, limit: null) { count precision } }"
    )

    for query, count in ((None, 4), ("tag:vip", 4), (f"id:{stage.people['ana'].id}", 1)):
        told = stage.ask(ask, query=query)
        assert told["data"]["customersCount"] == {"count": count, "precision": "EXACT"}


def test_a_count_stops_at_its_limit(stage: Stage):
    told = stage.ask("{ customersCount(limit: 3) { count precision } }")

    assert told["data"]["customersCount"] == {"count": 3, "precision": "AT_LEAST"}
