"""The pages of the pretend shop, and the app that serves them."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette

from regulars.clock import SettableClock
from regulars.simulator.app import create_simulator
from regulars.simulator.generator import generate
from regulars.simulator.shop import MovableClock, Shop
from regulars.simulator.simulator import DEMO_TOKEN, Simulator
from regulars.simulator.transport import transport
from regulars.simulator.worker import HttpSender, bulk_loop, webhook_loop

NOON = datetime(2026, 11, 21, 3, tzinfo=UTC)


@pytest.fixture
def app() -> Starlette:
    shop = generate(3, 120, NOON, clock=MovableClock(SettableClock(NOON)))
    return create_simulator(shop, allow_local_webhooks=True)


def simulator(app: Starlette) -> Simulator:
    found: Simulator = app.state.simulator
    return found


def shop_of(app: Starlette) -> Shop:
    return simulator(app).shop


def call(
    app: Starlette,
    method: str,
    path: str,
    data: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send one request to the app without a socket."""

    async def send() -> httpx.Response:
        wired = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=wired, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, data=data, headers=headers)

    return asyncio.run(send())


def first_customer(app: Starlette) -> int:
    return next(c.id for c in shop_of(app).customers.values() if c.orders and c.email)


@pytest.mark.parametrize("path", ["/", "/customers", "/orders", "/deliveries", "/style.css"])
def test_pages_answer_under_a_strict_policy(app: Starlette, path: str):
    answer = call(app, "GET", path)

    assert answer.status_code == 200
    if path != "/style.css":
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.text


def test_health_tells_when_the_shop_is_ready(app: Starlette):
    told = call(app, "GET", "/health").json()

    assert told["status"] == "ready"
    assert told["customers"] == 120


def test_customers_are_found_by_name_and_tag(app: Starlette):
    customer = shop_of(app).customers[first_customer(app)]
    shop_of(app).add_tags(customer, ["only-one"])

    for q in (str(customer.email), "only-one"):
        text = call(app, "GET", f"/customers?q={q}").text
        assert "1 customer<" in text
        assert f"/customers/{customer.id}" in text
    assert "Nobody matches" in call(app, "GET", "/customers?q=zzzz").text


def test_an_order_placed_on_the_page_is_in_the_shop(app: Starlette):
    number = first_customer(app)
    customer = shop_of(app).customers[number]
    before, product = len(customer.orders), next(iter(shop_of(app).products))

    answer = call(
        app,
        "POST",
        f"/customers/{number}/orders",
        {"product": str(product), "quantity": "3", "amount": "10,000"},
    )

    assert answer.status_code == 303
    assert len(customer.orders) == before + 1
    assert customer.orders[-1].total == 10_000
    assert customer.orders[-1].lines[0].quantity == 3


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"product": "1", "quantity": "1"}, "Choose a product"),
        ({"product": "x", "quantity": "1"}, "Choose a product"),
        ({"product": "PRODUCT", "quantity": "0"}, "The quantity"),
        ({"product": "PRODUCT", "quantity": "1", "amount": "much"}, "not an amount"),
        ({"product": "PRODUCT", "quantity": "1", "amount": "1.5"}, "not an amount of JPY"),
        ({"product": "PRODUCT", "quantity": "1", "amount": "-4"}, "not an amount of JPY"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_words(
    app: Starlette, form: dict[str, str], words: str
):
    product, number = str(next(iter(shop_of(app).products))), first_customer(app)
    before = len(shop_of(app).orders)

    given = {name: value.replace("PRODUCT", product) for name, value in form.items()}
    answer = call(app, "POST", f"/customers/{number}/orders", given)

    assert len(shop_of(app).orders) == before
    assert words in call(app, "GET", answer.headers["Location"]).text


def test_tags_become_what_was_typed(app: Starlette):
    number = first_customer(app)

    call(app, "POST", f"/customers/{number}/tags", {"tags": "gold, vip ,"})
    assert shop_of(app).customers[number].tags == ("gold", "vip")

    call(app, "POST", f"/customers/{number}/tags", {"tags": ""})
    assert shop_of(app).customers[number].tags == ()


def test_orders_are_refunded_and_cancelled(app: Starlette):
    one, two = [o for o in shop_of(app).orders.values() if o.total > 100 and not o.refunds][:2]

    call(app, "POST", f"/orders/{one.id}/refund", {"amount": "100"})
    call(app, "POST", f"/orders/{two.id}/cancel")
    too_much = call(app, "POST", f"/orders/{one.id}/refund", {"amount": "99999999"})

    assert one.refunded == 100
    assert two.cancelled is not None
    assert two.refunded == two.total
    assert "less left than that" in call(app, "GET", too_much.headers["Location"]).text


def test_the_clock_moves_forward_only(app: Starlette):
    before = shop_of(app).now()

    call(app, "POST", "/clock", {"step": "86400"})
    call(app, "POST", "/clock", {"step": "-86400"})

    assert shop_of(app).now() == before + 86_400


def test_faults_are_switched_on_the_page(app: Starlette):
    call(app, "POST", "/faults", {"name": "slow", "state": "on", "rate": "0.5"})
    assert simulator(app).faults.on["slow"].rate == 0.5
    assert "Switch slow off" in call(app, "GET", "/").text

    call(app, "POST", "/faults", {"name": "slow", "state": "off"})
    assert simulator(app).faults.on == {}


def test_a_form_of_another_site_changes_nothing(app: Starlette):
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = call(app, "POST", "/clock", {"step": "60"}, headers)

    assert answer.status_code == 403
    assert shop_of(app).now() == int(NOON.timestamp())


def test_what_does_not_exist_is_404(app: Starlette):
    assert call(app, "GET", "/customers/1").status_code == 404
    assert call(app, "POST", "/orders/1/cancel").status_code == 404


def test_names_are_shown_as_text(app: Starlette):
    shop_of(app).create_customer(first_name="<b>x</b>", email="x@example.com")

    assert "&lt;b&gt;x&lt;/b&gt;" in call(app, "GET", "/customers").text


def test_the_served_app_answers_graphql_and_files(app: Starlette):
    headers = {"X-Shopify-Access-Token": DEMO_TOKEN}
    with httpx.Client(
        transport=transport(app), base_url="http://127.0.0.1", headers=headers
    ) as client:
        run = (
            'mutation { bulkOperationRunQuery(query: "{ customers { edges { node { id } } } }") '
            "{ bulkOperation { id } } }"
        )
        client.post("/admin/api/2026-10/graphql.json", json={"query": run})
        told = client.post(
            "/admin/api/2026-10/graphql.json", json={"query": "{ currentBulkOperation { url } }"}
        )
    url = told.json()["data"]["currentBulkOperation"]["url"]

    assert url.startswith("http://127.0.0.1/bulk/")
    assert len(call(app, "GET", url).text.splitlines()) == 120


def test_threads_run_bulk_operations_and_send_webhooks(app: Starlette):
    """Waits for events, not for time."""
    pretend = simulator(app)
    got: queue.Queue[httpx.Request] = queue.Queue()

    def receive(request: httpx.Request) -> httpx.Response:
        got.put(request)
        return httpx.Response(200)

    sender = HttpSender(httpx.MockTransport(receive))
    client = httpx.Client(
        transport=transport(app),
        base_url="http://127.0.0.1",
        headers={"X-Shopify-Access-Token": DEMO_TOKEN},
    )
    create = (
        "mutation { webhookSubscriptionCreate(topic: BULK_OPERATIONS_FINISH, webhookSubscription: "
        '{uri: "http://127.0.0.1/hook"}) { userErrors { message } } }'
    )
    run = (
        'mutation { bulkOperationRunQuery(query: "{ customers { edges { node { id } } } }") '
        "{ bulkOperation { status } } }"
    )
    with bulk_loop(pretend), webhook_loop(pretend, sender):
        for text in (create, run):
            client.post("/admin/api/2026-10/graphql.json", json={"query": text})
        told = got.get(timeout=30)

    assert told.headers["X-Shopify-Topic"] == "bulk_operations/finish"
    assert next(iter(pretend.bulk.operations.values())).status == "COMPLETED"
