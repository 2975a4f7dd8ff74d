"""One request at the GraphQL address: tokens, versions, errors, scopes."""

from __future__ import annotations

from tests.simulator.conftest import DEMO_TOKEN, Stage, open_stage


def test_without_a_good_token_the_answer_is_401(stage: Stage):
    for headers in (
        {"X-Shopify-Access-Token": "shpat_wrong"},
        {"X-Shopify-Access-Token": "", "Authorization": f"Bearer {DEMO_TOKEN}"},
    ):
        answer = stage.client.post(stage.path, json={"query": "{shop{name}}"}, headers=headers)
        assert answer.status_code == 401
        assert "Invalid API key or access token" in answer.json()["errors"]


def test_a_wrong_shop_or_path_is_404(stage: Stage):
    body = {"query": "{shop{name}}"}

    assert (
        stage.client.post("https://other.myshopify.com" + stage.path, json=body).status_code == 404
    )
    assert stage.client.post("/admin/api/2027-01/graphql.json", json=body).status_code == 404
    assert stage.client.get(stage.path).status_code == 404


def test_the_header_tells_which_version_answered(stage: Stage):
    stage.version = "2025-10"

    assert stage.post("{shop{name}}").headers["X-Shopify-API-Version"] == "2026-07"


def test_an_unknown_field_is_named_with_its_code(stage: Stage):
    told = stage.ask("{ shop { nam } }")

    assert "data" not in told
    assert told["errors"][0]["extensions"]["code"] == "undefinedField"


def test_a_missing_variable_is_told_before_anything_happens(stage: Stage):
    told = stage.ask("query ($id: ID!) { customer(id: $id) { id } }")

    assert told["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"


def test_a_body_that_is_not_json_is_400(stage: Stage):
    assert stage.client.post(stage.path, content=b"{").status_code == 400


def test_a_field_whose_scope_is_missing_is_denied_by_name():
    stage = open_stage(scopes=frozenset({"read_orders"}))

    told = stage.ask("{ customers(first: 1) { nodes { id } } }")

    assert told["data"] is None
    error = told["errors"][0]
    assert error["message"].startswith("Access denied for customers field. Required access:")
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert error["extensions"]["requiredAccess"] == "`read_customers` access scope."


def test_without_the_wide_scope_older_orders_are_silently_missing():
    stage = open_stage(scopes=frozenset({"read_orders"}))
    stage.wait(days=61)
    stage.shop.place_order(None, [stage.shop.line(stage.goods["tea"], 1)])

    told = stage.ask("{ orders(first: 10) { nodes { id } } }")

    assert len(told["data"]["orders"]["nodes"]) == 1
    assert "errors" not in told


def test_an_unknown_segment_is_null_and_an_error(stage: Stage):
    told = stage.ask('{ segment(id: "gid://shopify/Segment/1") { id } }')

    assert told["data"] == {"segment": None}
    assert told["errors"][0]["message"] == "Segment does not exist"
    assert told["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_what_would_need_an_engine_is_refused_not_guessed(stage: Stage):
    told = stage.ask('{ customerSegmentMembers(first: 1, query: "x = 1") { totalCount } }')

    assert told["errors"][0]["extensions"]["code"] == "NOT_MODELLED"


def test_numbers_and_amounts_come_as_texts(stage: Stage):
    told = stage.ask(
        """query ($id: ID!) {
          customer(id: $id) { numberOfOrders amountSpent { amount currencyCode } }
        }""",
        id=stage.gid("ana"),
    )

    spent = {"amount": "2400.0", "currencyCode": "JPY"}
    assert told["data"]["customer"] == {"numberOfOrders": "1", "amountSpent": spent}


def test_an_address_id_keeps_its_query_part(stage: Stage):
    told = stage.ask(
        "query ($id: ID!) { customer(id: $id) { defaultAddress { id } } }", id=stage.gid("bo")
    )

    assert told["data"]["customer"]["defaultAddress"]["id"].endswith("?model_name=CustomerAddress")


def test_a_customer_is_found_by_email_phone_or_id(stage: Stage):
    ask = "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { id } }"

    for identifier in ({"emailAddress": "BO@example.com"}, {"id": stage.gid("bo")}):
        assert stage.ask(ask, i=identifier)["data"]["customerByIdentifier"] == {
            "id": stage.gid("bo")
        }
    absent = stage.ask(ask, i={"emailAddress": "nobody@example.com"})
    assert absent["data"]["customerByIdentifier"] is None


def test_deleted_things_are_null_in_nodes(stage: Stage):
    stage.shop.delete_customer(stage.people["dee"])

    told = stage.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Customer { id } } }",
        ids=[stage.gid("ana"), stage.gid("dee")],
    )

    assert told["data"]["nodes"] == [{"__typename": "Customer", "id": stage.gid("ana")}, None]


def test_more_than_250_inputs_are_refused(stage: Stage):
    told = stage.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[stage.gid("ana")] * 251
    )

    assert told["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


def test_segments_are_made_changed_and_deleted(stage: Stage):
    made = stage.ask(
        'mutation { segmentCreate(name: "VIP", query: "number_of_orders > 3") '
        "{ segment { id name } userErrors { field message } } }"
    )["data"]["segmentCreate"]
    again = stage.ask(
        'mutation { segmentCreate(name: "VIP", query: "number_of_orders > 3") '
        "{ segment { id } userErrors { field message } } }"
    )["data"]["segmentCreate"]

    assert made["userErrors"] == []
    assert again["userErrors"] == [{"field": ["name"], "message": "Name has already been taken"}]
    gone = stage.ask(
        """mutation ($id: ID!) {
          segmentDelete(id: $id) { deletedSegmentId userErrors { message } }
        }""",
        id=made["segment"]["id"],
    )["data"]["segmentDelete"]
    assert gone == {"deletedSegmentId": made["segment"]["id"], "userErrors": []}


def test_metafields_are_written(stage: Stage):
    told = stage.ask(
        """mutation ($m: [MetafieldsSetInput!]!) {
          metafieldsSet(metafields: $m) {
            metafields { namespace key type value }
            userErrors { code field message elementIndex }
          }
        }""",
        m=[
            {
                "ownerId": stage.gid("ana"),
                "namespace": "facts",
                "key": "birth_date",
                "type": "date",
                "value": "1990-02-03",
            }
        ],
    )["data"]["metafieldsSet"]

    kept = {"namespace": "facts", "key": "birth_date", "type": "date", "value": "1990-02-03"}
    assert told == {"metafields": [kept], "userErrors": []}
    assert stage.people["ana"].metafields[0].value == "1990-02-03"
