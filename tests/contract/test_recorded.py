"""Answers that were recorded from the real API, asked again of the simulator.

Where one of these fails, the simulator has left the real thing, and what is tested against it
proves less than it says.
"""

from __future__ import annotations

import pytest

from regulars.simulator.simulator import DEMO_TOKEN
from tests.contract.shop import Place

ADD = """mutation Add($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) {
    node { id ... on Customer { tags } }
    userErrors { field message }
  }
}"""
REMOVE = ADD.replace("tagsAdd", "tagsRemove").replace("Add", "Remove")
RUN = """mutation Run($query: String!) {
  bulkOperationRunQuery(query: $query) { bulkOperation { id } userErrors { code field message } }
}"""


def test_throttled(place: Place):
    """HTTP 200, no data, the cost beside it, numbers of the bucket as floats."""
    place.simulator.bucket.charge(1995)

    told = place.ask(ADD, id=place.gid("ana"), tags=["vip"])

    assert told == {
        "errors": [
            {
                "message": "Throttled",
                "extensions": {
                    "code": "THROTTLED",
                    "documentation": "https://shopify.dev/api/usage/rate-limits",
                },
            }
        ],
        "extensions": {
            "cost": {
                "requestedQueryCost": 10,
                "actualQueryCost": None,
                "throttleStatus": {
                    "maximumAvailable": 2000.0,
                    "currentlyAvailable": 5,
                    "restoreRate": 100.0,
                },
            }
        },
    }


def test_too_expensive(place: Place):
    """No top-level `extensions`; the cost as a number in the error's own."""
    told = place.ask(
        "{ customers(first: 250) { nodes { orders(first: 250) { nodes { "
        "lineItems(first: 250) { nodes { id } } } } } } }"
    )

    (error,) = told["errors"]
    cost = error["extensions"]["cost"]
    assert set(told) == {"errors"}
    assert error["message"].startswith(
        f"Query cost is {cost}, which exceeds the single query max cost limit (1000)."
    )
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["maxCost"] == 1000


def test_a_page_is_at_most_250(place: Place):
    told = place.ask("{ customers(first: 251) { nodes { id } } }")

    assert told["errors"][0]["message"].startswith("first cannot exceed 250.")
    assert told["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_an_unquoted_time_is_cut_in_two_and_only_warned_about(place: Place):
    told = place.ask(
        '{ orders(first: 5, query: "updated_at:>=2026-08-01T00:00:00Z") { nodes { id } } }'
    )

    (search,) = told["extensions"]["search"]
    assert told["data"]["orders"]["nodes"]
    assert search["warnings"][0]["message"] == "Invalid search field for this query."
    assert search["warnings"][0]["code"] == "invalid_field"


def tags(place: Place, *given: str, mutation: str = ADD, name: str = "ana") -> list[str]:
    told = place.ask(mutation, id=place.gid(name), tags=list(given))
    (payload,) = told["data"].values()
    assert payload["userErrors"] == []
    return payload["node"]["tags"]


def test_a_comma_splits_and_items_are_trimmed(place: Place):
    assert tags(place, " vip , gold ") == ["gold", "vip"]


def test_tags_ignore_case_and_keep_the_casing_that_is_stored(place: Place):
    tags(place, "VIP", name="bo")

    assert tags(place, "vip") == ["VIP"]
    assert tags(place, "Vip", name="bo") == ["VIP"]
    assert tags(place, "viP", mutation=REMOVE) == []


def test_a_customer_has_at_most_250_tags(place: Place):
    tags(place, *[f"t{number}" for number in range(250)])

    told = place.ask(ADD, id=place.gid("ana"), tags=["one-more"])

    assert told["data"]["tagsAdd"]["userErrors"] == [
        {"field": ["tags"], "message": "Tags cannot be more than 250"}
    ]


def test_an_unknown_customer_is_a_refusal_with_its_field(place: Place):
    told = place.ask(ADD, id="gid://shopify/Customer/1", tags=["vip"])

    assert told["data"]["tagsAdd"] == {
        "node": None,
        "userErrors": [{"field": ["id"], "message": "Customer does not exist"}],
    }


def test_an_id_of_another_kind_is_not_found(place: Place):
    told = place.ask(ADD, id="gid://shopify/Segment/1", tags=["vip"])

    assert told["data"]["tagsAdd"] is None
    assert told["errors"][0]["message"] == "invalid id"
    assert told["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ shop { name } }", "Bulk queries must contain at least one connection."),
        (
            "{ customers { edges { node { id",
            "Invalid bulk query: syntax error, unexpected end of file",
        ),
        ("{ customers { nodes { id } } }", "All connection fields in a bulk query must select"),
        (
            '{ node(id: "gid://shopify/Customer/1") { id } }',
            "Bulk queries cannot contain a top level `node` field.",
        ),
        (
            "{ products { edges { node { title variants { edges { node { id } } } } } } }",
            "Connection fields without 'id': products.",
        ),
        (
            'mutation { tagsAdd(id: "gid://shopify/Customer/1", tags: []) { node { id } } }',
            "Invalid operation type. Only `query` operations are supported.",
        ),
        (
            "{ orders { edges { node { id refunds { refundLineItems { edges { cursor } } } } } } }",
            "Queries that contain a connection field within a list field are not currently",
        ),
    ],
)
def test_bulk_queries_are_refused_in_the_same_words(place: Place, query: str, message: str):
    (refused,) = place.ask(RUN, query=query)["data"]["bulkOperationRunQuery"]["userErrors"]

    assert (refused["code"], refused["field"]) == ("INVALID", ["query"])
    assert message in refused["message"]


def test_an_unknown_bulk_operation_is_null(place: Place):
    told = place.ask('{ bulkOperation(id: "gid://shopify/BulkOperation/1") { id } }')

    assert told["data"] == {"bulkOperation": None}
    assert "errors" not in told


def test_numbers_that_graphql_writes_as_texts(place: Place):
    told = place.ask("{ customers(first: 1) { nodes { numberOfOrders amountSpent { amount } } } }")

    assert told["data"]["customers"]["nodes"] == [
        {"numberOfOrders": "1", "amountSpent": {"amount": "2400.0"}}
    ]


def test_without_our_token_nothing_is_told(place: Place):
    url = f"https://{place.shop.domain}/admin/api/2026-10/graphql.json"
    http = place.client.http

    for headers in ({}, {"X-Shopify-Access-Token": "x"}, {"Authorization": f"Bearer {DEMO_TOKEN}"}):
        assert (
            http.post(url, json={"query": "{ shop { name } }"}, headers=headers).status_code == 401
        )


def test_a_version_that_is_out_of_service_falls_forward(place: Place):
    answer = place.client.http.post(
        f"https://{place.shop.domain}/admin/api/2024-01/graphql.json",
        json={"query": "{ shop { name } }"},
        headers={"X-Shopify-Access-Token": DEMO_TOKEN},
    )

    assert answer.headers["X-Shopify-API-Version"] == "2026-07"
