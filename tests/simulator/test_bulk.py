"""Bulk operations: what is refused, how results look, how long they can be reached."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.simulator.conftest import Stage, open_stage

RUN = """mutation ($query: String!, $groupObjects: Boolean! = false) {
  bulkOperationRunQuery(query: $query, groupObjects: $groupObjects) {
    bulkOperation { id status type } userErrors { code field message }
  }
}"""
STATUS = """query ($id: ID!) { bulkOperation(id: $id) {
  id status errorCode completedAt objectCount rootObjectCount fileSize url partialDataUrl
} }"""
TAG = (
    "mutation call($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) "
    "{ node { id ... on Customer { tags } } userErrors { field message } } }"
)
PEOPLE = """{ customers { edges { node {
  id firstName addressesV2 { edges { node { id city } } }
} } } }"""
LINES = "lineItems { edges { node { id product { id variants { edges { node { id } } } } } } }"
#: What is refused, and why in Shopify's words.
REFUSED = {
    "{ shop { name } }": "Bulk queries must contain at least one connection.",
    "{ customers {": "Invalid bulk query: syntax error, unexpected end of file",
    "{ customers { nodes { id } } }": (
        "All connection fields in a bulk query must select their contents using 'edges' > 'node'"
    ),
    '{ node(id: "gid://shopify/Customer/1") { id } }': (
        "Bulk queries cannot contain a top level `node` field."
    ),
    "{ products { edges { node { title variants { edges { node { id } } } } } } }": (
        "The parent 'node' field for a nested connection must select the 'id' field without an "
        "alias and must be of 'ID' return type. Connection fields without 'id': products."
    ),
    "mutation { segmentDelete(id: 1) { userErrors { message } } }": (
        "Invalid operation type. Only `query` operations are supported."
    ),
    "{ orders { edges { node { id refunds { refundLineItems { edges { node { id } } } } } } } }": (
        "Queries that contain a connection field within a list field are not currently supported."
    ),
    "{" + "".join(f"c{n}: customers {{ edges {{ node {{ id }} }} }} " for n in range(6)) + "}": (
        "Bulk queries cannot contain more than 5 connections."
    ),
    "{ customers { edges { node { id orders { edges { node { id LINES } } } } } } }".replace(
        "LINES", LINES
    ): "Bulk queries cannot contain connections with a nesting depth greater than 2.",
    "{ customers { edges { node { nonsense } } } }": "Invalid bulk query: Cannot query field",
    "{ customers { edges { node { id } } } } #" + "x" * 65_535: "Query is too large.",
}


def start(stage: Stage, query: str, **more: Any) -> str:
    told = stage.ask(RUN, query=query, **more)["data"]["bulkOperationRunQuery"]
    assert told["userErrors"] == []
    assert told["bulkOperation"]["status"] == "CREATED"
    return str(told["bulkOperation"]["id"])


def status(stage: Stage, operation: str) -> dict[str, Any]:
    told: dict[str, Any] = stage.ask(STATUS, id=operation)["data"]["bulkOperation"]
    return told


def lines(stage: Stage, url: str) -> list[dict[str, Any]]:
    answer = stage.client.get(url)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def upload(stage: Stage, rows: list[dict[str, Any]]) -> str:
    """Upload variables as Shopify asks: the form's fields first, the file last."""
    target = stage.ask(
        "mutation ($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) "
        "{ stagedTargets { url parameters { name value } } userErrors { message } } }",
        input=[
            {
                "resource": "BULK_MUTATION_VARIABLES",
                "filename": "variables.jsonl",
                "mimeType": "text/jsonl",
                "httpMethod": "POST",
            }
        ],
    )["data"]["stagedUploadsCreate"]["stagedTargets"][0]
    form = {each["name"]: each["value"] for each in target["parameters"]}
    content = "\n".join(json.dumps(row) for row in rows).encode()
    answer = stage.client.post(target["url"], data=form, files={"file": ("v.jsonl", content)})
    assert answer.status_code == 201
    return form["key"]


def run_mutation(stage: Stage, path: str, mutation: str = TAG) -> dict[str, Any]:
    told: dict[str, Any] = stage.ask(
        "mutation ($m: String!, $p: String!) { bulkOperationRunMutation(mutation: $m, "
        "stagedUploadPath: $p) { bulkOperation { id status } userErrors { code field message } } }",
        m=mutation,
        p=path,
    )["data"]["bulkOperationRunMutation"]
    return told


def test_a_result_has_children_after_their_parents_with_counts_as_texts(stage: Stage):
    told = status(stage, start(stage, PEOPLE))

    assert told["status"] == "COMPLETED"
    assert (told["rootObjectCount"], told["objectCount"]) == ("4", "8")
    rows = lines(stage, told["url"])
    assert int(told["fileSize"]) == len(stage.client.get(told["url"]).content)
    seen: set[str] = set()
    for row in rows:
        assert row.get("__parentId") is None or row["__parentId"] in seen
        seen.add(row["id"])
    parents = [row for row in rows if "__parentId" not in row]
    assert [row["firstName"] for row in parents] == ["Ana", "Bo", "Cleo", "Dee"]
    assert "addressesV2" not in parents[0]


def test_children_do_not_always_follow_their_parent_directly_unless_grouped(stage: Stage):
    def followed(rows: list[dict[str, Any]]) -> bool:
        return all(
            row["__parentId"] in {before["id"], before.get("__parentId")}
            for before, row in itertools.pairwise(rows)
            if "__parentId" in row
        )

    loose = lines(stage, status(stage, start(stage, PEOPLE))["url"])
    grouped = lines(stage, status(stage, start(stage, PEOPLE, groupObjects=True))["url"])

    assert not followed(loose)
    assert followed(grouped)
    assert sorted(map(str, loose)) == sorted(map(str, grouped))


def test_an_empty_result_has_no_address(stage: Stage):
    told = status(
        stage, start(stage, '{ customers(query: "first_name:zed") { edges { node { id } } } }')
    )

    assert (told["status"], told["objectCount"], told["url"]) == ("COMPLETED", "0", None)


def test_an_address_ends_seven_days_after_completion(stage: Stage):
    url = status(stage, start(stage, PEOPLE))["url"]

    stage.wait(days=7, seconds=-1)
    assert stage.client.get(url).status_code == 200
    stage.wait(seconds=1)
    assert stage.client.get(url).status_code == 400


def test_a_forged_address_is_refused(stage: Stage):
    url = status(stage, start(stage, PEOPLE))["url"]

    assert stage.client.get(url.replace("Expires=1", "Expires=2")).status_code == 400


def test_an_operation_takes_the_time_it_was_given():
    stage = open_stage(bulk_seconds=60)
    operation = start(stage, PEOPLE)

    assert status(stage, operation)["status"] == "CREATED"
    stage.wait(seconds=60)
    assert status(stage, operation)["status"] == "COMPLETED"


def test_a_sixth_operation_is_refused_while_five_are_under_way():
    stage = open_stage(bulk_seconds=60)
    for _ in range(5):
        start(stage, PEOPLE)

    told = stage.ask(RUN, query=PEOPLE)["data"]["bulkOperationRunQuery"]

    assert told["bulkOperation"] is None
    assert told["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"


def test_cancelling_stops_a_waiting_operation_and_leaves_a_finished_one():
    stage = open_stage(bulk_seconds=60)
    cancel = (
        "mutation ($id: ID!) { bulkOperationCancel(id: $id) "
        "{ bulkOperation { status } userErrors { message } } }"
    )
    waiting = start(stage, PEOPLE)
    told = stage.ask(cancel, id=waiting)["data"]["bulkOperationCancel"]
    assert told["bulkOperation"]["status"] == "CANCELED"

    finished = start(stage, PEOPLE)
    stage.wait(seconds=60)
    assert status(stage, finished)["status"] == "COMPLETED"
    told = stage.ask(cancel, id=finished)["data"]["bulkOperationCancel"]
    assert told["bulkOperation"]["status"] == "COMPLETED"

    told = stage.ask(cancel, id="gid://shopify/BulkOperation/1")["data"]["bulkOperationCancel"]
    assert told["userErrors"] == [{"message": "Bulk operation does not exist"}]


def test_an_unknown_operation_is_null_without_an_error(stage: Stage):
    told = stage.ask(STATUS, id="gid://shopify/BulkOperation/1")

    assert told["data"] == {"bulkOperation": None}
    assert "errors" not in told


@pytest.mark.parametrize(("query", "message"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_a_bulk_query_may_not_hold_is_refused_in_words(stage: Stage, query: str, message: str):
    told = stage.ask(RUN, query=query)["data"]["bulkOperationRunQuery"]

    assert told["bulkOperation"] is None
    error = told["userErrors"][0]
    assert (error["code"], error["field"]) == ("INVALID", ["query"])
    assert error["message"].startswith(message)


def test_a_bulk_mutation_tells_the_outcome_of_each_line(stage: Stage):
    rows = [
        {"id": stage.gid("ana"), "tags": ["vip"]},
        {"id": "gid://shopify/Customer/1", "tags": ["vip"]},
        {"id": "gid://shopify/Segment/1", "tags": ["vip"]},
        {"tags": ["vip"]},
    ]
    told = run_mutation(stage, upload(stage, rows))
    ended = status(stage, told["bulkOperation"]["id"])

    assert ended["status"] == "COMPLETED"
    good, unknown, wrong, missing = lines(stage, ended["url"])
    node = {"id": stage.gid("ana"), "tags": ["vip"]}
    assert good == {"data": {"tagsAdd": {"node": node, "userErrors": []}}, "__lineNumber": 0}
    message = {"field": ["id"], "message": "Customer does not exist"}
    assert unknown["data"]["tagsAdd"] == {"node": None, "userErrors": [message]}
    assert wrong["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"
    assert "errors" in missing
    assert missing["__lineNumber"] == 3
    assert stage.people["ana"].tags == ("vip",)


def test_a_bulk_mutation_without_its_upload_is_refused(stage: Stage):
    told = run_mutation(stage, "tmp/nothing")

    assert told["userErrors"][0]["code"] == "NO_SUCH_FILE"


def test_a_query_cannot_be_run_as_a_mutation(stage: Stage):
    told = run_mutation(stage, upload(stage, []), "{ shop { name } }")

    assert told["userErrors"][0]["code"] == "INVALID_MUTATION"


def test_the_storage_wants_the_file_last_and_a_key_of_its_own(stage: Stage):
    for form, name in (({"key": "tmp/forged"}, "file"), ({}, "content")):
        answer = stage.client.post("/staged-uploads/", data=form, files={name: ("v", b"{}")})
        assert answer.status_code == 403


def test_a_bulk_query_reads_what_a_request_reads(stage: Stage):
    """Both ways share the resolvers; here whole customers and orders are compared."""
    fields = """id createdAt updatedAt displayName locale note state tags numberOfOrders
      amountSpent { amount currencyCode } statistics { rfmGroup predictedSpendTier }
      defaultEmailAddress { emailAddress marketingState } defaultAddress { id city latitude }
      lastOrder { id processedAt }"""
    asked = stage.ask("{ customers(first: 10) { nodes { %s } } }".replace("%s", fields))
    query = "{ customers { edges { node { %s } } } }".replace("%s", fields)

    rows = lines(stage, status(stage, start(stage, query))["url"])

    assert asked["data"]["customers"]["nodes"] == rows
