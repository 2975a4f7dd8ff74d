"""Points: what requests cost, the bucket, and both refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse

from regulars.simulator.bulk_rules import fragments_of
from regulars.simulator.cost import Pricer
from regulars.simulator.versions import schema_of
from tests.simulator.conftest import Stage, open_stage

COLLECTED = Path(__file__).parents[3] / "shared/shopify/operations"
#: Requested costs that the real API told, with first = 250 unless the document says otherwise.
RECORDED = {
    "customers_incremental": 123,
    "orders_incremental": 222,
    "products_incremental": 112,
    "segment_members": 26,
    "segments_list": 23,
    "order_get": 26,
    "shop": 5,
    "customers_count": 10,
    "tags_add": 10,
    "webhook_create": 10,
}
DEEP = """{ customers(first: 250) { nodes { id orders(first: 250) { nodes { id
  lineItems(first: 20) { nodes { id } } } } } } }"""


@pytest.mark.skipif(
    not COLLECTED.is_dir(), reason="the collected documents are not beside this tree"
)
@pytest.mark.parametrize(("name", "cost"), RECORDED.items())
def test_requested_costs_are_those_recorded(name: str, cost: int):
    document = parse((COLLECTED / f"{name}.graphql").read_text("utf-8"))
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    pricer = Pricer(
        schema_of("2026-10"), {"first": 250, "id": "gid://shopify/Order/1"}, fragments_of(document)
    )

    assert cost == pricer.operation(operation)


def test_the_cost_stands_beside_the_data(stage: Stage):
    told = stage.ask("{ shop { name plan { publicDisplayName } } }")

    assert told["extensions"]["cost"] == {
        "requestedQueryCost": 2,
        "actualQueryCost": 2,
        "throttleStatus": {
            "maximumAvailable": 2000.0,
            "currentlyAvailable": 1998,
            "restoreRate": 100.0,
        },
    }


def test_the_bucket_pays_the_actual_cost_not_the_requested_one(stage: Stage):
    told = stage.ask("{ customers(first: 250) { nodes { id defaultAddress { id } } } }")

    cost = told["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 2 + 11 * 2
    assert cost["actualQueryCost"] < cost["requestedQueryCost"]
    assert cost["throttleStatus"]["currentlyAvailable"] == 2000 - cost["actualQueryCost"]


def test_a_short_bucket_answers_throttled_with_200_and_charges_nothing(stage: Stage):
    stage.simulator.bucket.charge(1990)

    answer = stage.post("{ customers(first: 250) { nodes { id } } }")

    assert answer.status_code == 200
    assert "Retry-After" not in answer.headers
    assert answer.json() == {
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
                "requestedQueryCost": 13,
                "actualQueryCost": None,
                "throttleStatus": {
                    "maximumAvailable": 2000.0,
                    "currentlyAvailable": 10,
                    "restoreRate": 100.0,
                },
            }
        },
    }


@pytest.mark.parametrize("rate", [100, 200, 1000])
def test_the_bucket_refills_at_its_rate_and_holds_twenty_seconds(rate: int):
    stage = open_stage(rate=rate)
    bucket = stage.simulator.bucket
    bucket.charge(20 * rate)
    assert bucket.available() == 0

    stage.wait(seconds=3)
    assert bucket.available() == 3 * rate

    stage.wait(seconds=600)
    assert bucket.available() == 20 * rate


def test_waiting_the_told_time_lets_the_same_request_through(stage: Stage):
    ask = "{ customers(first: 250) { nodes { id } } }"
    stage.simulator.bucket.charge(1990)
    cost = stage.ask(ask)["extensions"]["cost"]
    status = cost["throttleStatus"]

    short = cost["requestedQueryCost"] - status["currentlyAvailable"]
    stage.wait(seconds=short / status["restoreRate"])

    assert "data" in stage.ask(ask)


def test_a_query_above_the_limit_is_refused_without_extensions(stage: Stage):
    told = stage.ask(DEEP)

    assert set(told) == {"errors"}
    error = told["errors"][0]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["maxCost"] == 1000
    cost = error["extensions"]["cost"]
    assert error["message"].startswith(
        f"Query cost is {cost}, which exceeds the single query max cost limit (1000)."
    )
    assert stage.simulator.bucket.available() == 2000
