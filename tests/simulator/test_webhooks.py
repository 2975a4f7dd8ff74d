"""Webhooks out: subscriptions, headers, signatures, payloads, retries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from regulars.simulator.webhooks import RETRIES, enum_of
from tests.simulator.conftest import Stage, open_stage

SCHEMAS = Path(__file__).parent / "webhook_schemas"
ADDRESS = "https://app.example/webhooks"
#: The samples of these topics are the same in Shopify's own collection.
SAME_AS = {
    "customers/update": "customers/create",
    "orders/updated": "orders/create",
    "orders/paid": "orders/create",
    "orders/cancelled": "orders/create",
    "products/update": "products/create",
    "segments/update": "segments/create",
}
#: Null where there is none, although the one sample has a value.
NULLABLE = {"image"}
BULK = """mutation {
  bulkOperationRunQuery(query: "{ customers { edges { node { id } } } }") { userErrors { message } }
}"""
CREATE = """mutation ($topic: WebhookSubscriptionTopic!, $uri: String) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri}) {
    webhookSubscription { id topic uri apiVersion { handle } } userErrors { field message }
  }
}"""


@dataclass
class App:
    """An app that answers webhooks as it is told to."""

    status: int = 200
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __call__(self, uri: str, headers: dict[str, str], body: bytes) -> int:
        self.got.append((uri, headers, body))
        return self.status

    def topics(self) -> list[str]:
        return [headers["X-Shopify-Topic"] for _, headers, _ in self.got]

    def payload(self, topic: str) -> dict[str, Any]:
        body = next(b for _, headers, b in self.got if headers["X-Shopify-Topic"] == topic)
        told: dict[str, Any] = json.loads(body)
        return told


def subscribe(stage: Stage, *topics: str, uri: str = ADDRESS) -> None:
    for topic in topics:
        told = stage.ask(CREATE, topic=enum_of(topic), uri=uri)["data"]["webhookSubscriptionCreate"]
        assert told["userErrors"] == []


def acts(stage: Stage) -> dict[str, Callable[[], object]]:
    """What makes each topic happen."""
    shop, ana = stage.shop, stage.people["ana"]
    order = ana.orders[0]

    def refunded() -> object:
        return shop.refund_order(order, note="broken")

    segment = shop.create_segment("Old", "number_of_orders > 1")
    return {
        "customers/create": lambda: shop.create_customer(
            first_name="Eve",
            last_name="Test",
            email="eve@example.com",
            note="",
            addresses=ana.addresses,
        ),
        "customers/update": lambda: shop.update_customer(ana, note="new"),
        "customers/delete": lambda: shop.delete_customer(stage.people["dee"]),
        "customers/merge": lambda: shop.merge_customers(ana, stage.people["cleo"]),
        "customers/purchasing_summary": lambda: shop.place_order(
            ana, [shop.line(stage.goods["tea"], 1)]
        ),
        "customers/redact": lambda: shop.redact_customer(stage.people["bo"]),
        "customer.tags_added": lambda: shop.add_tags(ana, ["vip"]),
        "customer.tags_removed": lambda: (shop.add_tags(ana, ["x"]), shop.remove_tags(ana, ["X"])),
        "customers_email_marketing_consent/update": lambda: shop.set_email_consent(
            ana, "SUBSCRIBED"
        ),
        "customers_marketing_consent/update": lambda: shop.set_sms_consent(ana, "SUBSCRIBED"),
        "orders/create": lambda: shop.place_order(
            ana, [shop.line(stage.goods["cup"], 3, 10_000)], shipping=500, tags=("gift",)
        ),
        "orders/updated": refunded,
        "orders/paid": lambda: shop.place_order(ana, [shop.line(stage.goods["tea"], 1)]),
        "orders/cancelled": lambda: shop.cancel_order(order),
        "orders/delete": lambda: shop.delete_order(order),
        "refunds/create": refunded,
        "products/create": lambda: shop.create_product("Bowl", 900),
        "products/update": lambda: shop.update_product(stage.goods["tea"], tags=("new",)),
        "products/delete": lambda: shop.delete_product(stage.goods["cup"]),
        "segments/create": lambda: shop.create_segment("VIP", "number_of_orders > 3"),
        "segments/update": lambda: shop.update_segment(segment, "Older", None),
        "segments/delete": lambda: shop.delete_segment(segment),
        "bulk_operations/finish": lambda: (stage.ask(BULK), stage.simulator.work()),
    }


TOPICS = tuple(acts(open_stage()))


@pytest.mark.parametrize("topic", TOPICS)
def test_payloads_match_shopifys_samples(stage: Stage, topic: str):
    app, act = App(), acts(stage)[topic]
    if topic == "customers/redact":
        stage.simulator.webhooks.compliance_uri = ADDRESS
    else:
        subscribe(stage, topic)

    act()
    stage.simulator.webhooks.send_due(app)

    told = app.payload(topic)
    # The sample order has no refunds, so its schema says nothing of them: they have a topic.
    if "line_items" in told:
        for refund in told["refunds"]:
            assert wrong(refund, "refunds/create") == []
        told["refunds"] = []
    assert wrong(told, topic) == []


def wrong(told: dict[str, Any], topic: str) -> list[str]:
    """Return in what a payload differs from the schema of its topic."""
    name = SAME_AS.get(topic, topic).replace("/", "__")
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return [
        f"{'.'.join(map(str, problem.path))}: {problem.message}"
        for problem in jsonschema.Draft202012Validator(schema).iter_errors(told)
        if not (problem.instance is None and problem.path and problem.path[-1] in NULLABLE)
    ]


def test_every_header_is_there_and_the_signature_is_over_the_raw_body(stage: Stage):
    app = App()
    subscribe(stage, "customers/update")

    stage.shop.update_customer(stage.people["ana"], note="ノート")
    assert stage.simulator.webhooks.send_due(app) == 1

    uri, headers, body = app.got[0]
    assert uri == ADDRESS
    assert headers["X-Shopify-Topic"] == "customers/update"
    assert headers["X-Shopify-Shop-Domain"] == stage.shop.domain
    assert headers["X-Shopify-API-Version"] == "2026-10"
    assert headers["X-Shopify-Triggered-At"] == "2026-11-21T00:00:30.000Z"
    assert headers["X-Shopify-Webhook-Id"] != headers["X-Shopify-Event-Id"]
    secret = stage.simulator.tokens.client_secret.encode()
    expected = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
    assert headers["X-Shopify-Hmac-Sha256"] == expected


def test_one_event_to_two_subscriptions_is_two_deliveries_of_one_event(stage: Stage):
    app = App()
    subscribe(stage, "customers/update")
    subscribe(stage, "customers/update", uri=ADDRESS + "/second")

    stage.shop.update_customer(stage.people["ana"], note="n")
    stage.simulator.webhooks.send_due(app)

    assert len({headers["X-Shopify-Event-Id"] for _, headers, _ in app.got}) == 1
    assert len({headers["X-Shopify-Webhook-Id"] for _, headers, _ in app.got}) == 2


def test_customers_carry_no_tags_sums_or_consent(stage: Stage):
    app = App()
    subscribe(stage, "customers/update", "orders/create")

    stage.shop.update_customer(stage.people["ana"], note="n")
    stage.shop.place_order(stage.people["ana"], [stage.shop.line(stage.goods["tea"], 1)])
    stage.simulator.webhooks.send_due(app)

    for told in (app.payload("customers/update"), app.payload("orders/create")["customer"]):
        gone = {"tags", "orders_count", "total_spent", "email_marketing_consent", "last_order_id"}
        assert gone & set(told) == set()


def test_a_guest_order_has_no_customer(stage: Stage):
    app = App()
    subscribe(stage, "orders/create")

    stage.shop.place_order(None, [stage.shop.line(stage.goods["tea"], 1)])
    stage.simulator.webhooks.send_due(app)

    assert "customer" not in app.payload("orders/create")


def test_an_order_tells_create_paid_update_and_the_customers_sums(stage: Stage):
    app = App()
    subscribe(
        stage, "orders/create", "orders/paid", "orders/updated", "customers/purchasing_summary"
    )

    stage.shop.place_order(stage.people["bo"], [stage.shop.line(stage.goods["tea"], 1)])
    stage.simulator.webhooks.send_due(app)

    assert sorted(app.topics()) == [
        "customers/purchasing_summary",
        "orders/create",
        "orders/paid",
        "orders/updated",
    ]
    summary = app.payload("customers/purchasing_summary")
    assert (summary["numberOfOrders"], summary["amountSpent"]["amount"]) == (2, "4600")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://app.example/x", "Address protocol http:// is not supported"),
        ("http://127.0.0.1:8000/x", "Address protocol http:// is not supported"),
        ("", "Address can't be blank"),
    ],
)
def test_an_address_that_is_not_https_is_refused(stage: Stage, uri: str, message: str):
    told = stage.ask(CREATE, topic="ORDERS_CREATE", uri=uri)["data"]["webhookSubscriptionCreate"]

    field_of = ["webhookSubscription", "callbackUrl"]
    assert told["userErrors"] == [{"field": field_of, "message": message}]


def test_a_demo_may_listen_on_this_machine():
    stage = open_stage(allow_local_webhooks=True)

    subscribe(stage, "orders/create", uri="http://127.0.0.1:8000/x")

    assert len(stage.simulator.webhooks.subscriptions) == 1


def test_the_same_subscription_twice_is_refused(stage: Stage):
    subscribe(stage, "orders/create")

    told = stage.ask(CREATE, topic="ORDERS_CREATE", uri=ADDRESS)["data"][
        "webhookSubscriptionCreate"
    ]

    assert told["userErrors"][0]["message"] == "Address for this topic has already been taken"


def test_subscriptions_are_listed_changed_and_ended(stage: Stage):
    subscribe(stage, "orders/create")
    listed = stage.ask("{ webhookSubscriptions(first: 5) { nodes { id topic uri format } } }")
    (node,) = listed["data"]["webhookSubscriptions"]["nodes"]
    assert (node["topic"], node["uri"], node["format"]) == ("ORDERS_CREATE", ADDRESS, "JSON")

    stage.ask(
        "mutation ($id: ID!) { webhookSubscriptionUpdate(id: $id, webhookSubscription: "
        '{uri: "https://new.example/"}) { userErrors { message } } }',
        id=node["id"],
    )
    (subscription,) = stage.simulator.webhooks.subscriptions.values()
    assert subscription.uri == "https://new.example/"

    gone = stage.ask(
        "mutation ($id: ID!) { webhookSubscriptionDelete(id: $id) "
        "{ deletedWebhookSubscriptionId userErrors { message } } }",
        id=node["id"],
    )
    assert gone["data"]["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] == node["id"]
    assert stage.simulator.webhooks.subscriptions == {}


@pytest.mark.parametrize("status", [301, 401, 404, 500])
def test_a_failed_delivery_is_tried_again_with_the_same_payload(stage: Stage, status: int):
    app = App(status)
    subscribe(stage, "customers/update")
    stage.shop.update_customer(stage.people["ana"], note="first")

    stage.simulator.webhooks.send_due(app)
    stage.shop.update_customer(stage.people["ana"], first_name="Changed")
    stage.wait(minutes=2)
    app.status = 200
    stage.simulator.webhooks.send_due(app)

    first, second, *_ = app.got
    assert first[2] == app.got[-1][2] or first[2] == second[2]
    assert [d.status for d in stage.simulator.webhooks.deliveries] == ["delivered", "delivered"]


def test_after_eight_retries_over_four_hours_the_subscription_is_deleted(stage: Stage):
    app = App(500)
    subscribe(stage, "customers/update")
    stage.shop.update_customer(stage.people["ana"], note="n")
    began = stage.clock.instant

    while stage.simulator.webhooks.waiting():
        stage.simulator.webhooks.send_due(app)
        stage.wait(minutes=1)

    assert len(app.got) == RETRIES + 1
    hours = (stage.clock.instant - began).total_seconds() / 3600
    assert 3.9 < hours < 4.3
    assert stage.simulator.webhooks.subscriptions == {}


def test_what_got_through_meanwhile_keeps_the_subscription(stage: Stage):
    app = App(500)
    subscribe(stage, "customers/update")
    stage.shop.update_customer(stage.people["ana"], note="n")
    stage.simulator.webhooks.send_due(app)
    app.status = 200
    stage.wait(hours=1)
    stage.simulator.webhooks.send_due(app)

    assert len(stage.simulator.webhooks.subscriptions) == 1


def test_an_app_that_does_not_answer_counts_as_a_failure(stage: Stage):
    def silent(uri: str, headers: dict[str, str], body: bytes) -> int:
        raise TimeoutError

    subscribe(stage, "customers/update")
    stage.shop.update_customer(stage.people["ana"], note="n")

    assert stage.simulator.webhooks.send_due(silent) == 0
    assert stage.simulator.webhooks.deliveries[0].answers == ["TimeoutError"]
