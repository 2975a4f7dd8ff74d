"""POST /webhooks/shopify: 200 only for what is signed and on disk."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import threading

import httpx
import pytest
from pydantic import SecretStr

from regulars.errors import LimitError
from regulars.jobs import Event
from regulars.jobs.inbox import ATTEMPTS_MAX
from regulars.office.models.inbox import InboxEvent
from regulars.web import create_app, receiving
from regulars.web.receiving import BODY_BYTES_MAX, ENOUGH, Arrival, Arrivals
from tests.jobs.test_inbox import order_body
from tests.warehouse.full_disk import full_disk

SECRET = "hush"


class Client:
    """Sends requests to the app in this process."""

    def __init__(self, app):
        self.transport = httpx.ASGITransport(app)

    def request(self, method, path, **values):
        async def sent():
            async with httpx.AsyncClient(transport=self.transport, base_url="http://here") as http:
                return await http.request(method, path, **values)

        return asyncio.run(sent())

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, **values):
        return self.request("POST", path, **values)


@pytest.fixture
def client(at_work) -> Client:
    at_work.runtime.settings.api_secret = SecretStr(SECRET)
    with at_work.runtime.office.session() as session:
        session.merge(at_work.shop).domain = "basic.myshopify.com"
    return Client(create_app(at_work.runtime, at_work.jobs))


def send(client, body, secret=SECRET, **headers):
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    told = {
        "X-Shopify-Hmac-Sha256": digest,
        "X-Shopify-Shop-Domain": "basic.myshopify.com",
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Event-Id": "e1",
        "X-Shopify-Triggered-At": "2026-03-01T03:00:00Z",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return client.post("/webhooks/shopify", content=body, headers=told).status_code


def count(at_work):
    with at_work.runtime.office.reading() as session:
        return session.query(InboxEvent).count()


def test_a_signed_order_is_kept_and_moves_its_customer(client, at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")

    assert send(client, order_body(1, 11, 300, at_work)) == 200
    assert count(at_work) == 1
    at_work.jobs.run_until_idle()

    assert at_work.members(vip) == {"11"}


def test_a_second_delivery_is_acknowledged_and_adds_nothing(client, at_work):
    body = order_body(1, 11, 300, at_work)

    assert [send(client, body), send(client, body)] == [200, 200]
    assert count(at_work) == 1


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "ü"])
def test_a_forged_signature_is_refused(client, at_work, signature):
    body = order_body(1, 11, 300, at_work)

    answer = client.post(
        "/webhooks/shopify",
        content=body,
        headers={b"X-Shopify-Hmac-Sha256": signature.encode("latin-1")},
    )

    assert answer.status_code == 401
    assert count(at_work) == 0


def test_a_body_changed_on_the_way_is_refused(client, at_work):
    assert send(client, b"{}", secret="another secret") == 401
    assert count(at_work) == 0


def test_without_a_secret_nothing_is_believed(client, at_work):
    at_work.runtime.settings.api_secret = SecretStr("")

    assert send(client, b"{}", secret="") == 401


def test_a_body_over_five_megabytes_is_refused_unread(client, at_work):
    assert send(client, b"x" * (BODY_BYTES_MAX + 1)) == 413
    assert count(at_work) == 0


def test_a_full_inbox_asks_for_another_time(client, at_work):
    at_work.runtime.settings.inbox_max = 1
    at_work.jobs.inbox._most = 1
    body = order_body(1, 11, 300, at_work)
    assert send(client, body) == 200

    assert send(client, body, X_Shopify_Event_Id="e2") == 503


@pytest.mark.parametrize("domain", ["other.myshopify.com", "evil.example", ""])
def test_a_signed_webhook_of_an_unknown_shop_is_counted_and_dropped(client, at_work, domain):
    assert send(client, b"{}", X_Shopify_Shop_Domain=domain) == 200
    assert (count(at_work), at_work.jobs.inbox.unknown_count) == (0, 1)


def test_what_cannot_be_kept_is_asked_for_again(client, at_work):
    body = order_body(1, 11, 300, at_work)
    assert send(client, body) == 200
    with at_work.runtime.office.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE inbox_events RENAME TO taken_away")

    assert send(client, body, X_Shopify_Event_Id="e2") == 503

    with at_work.runtime.office.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE taken_away RENAME TO inbox_events")
    assert send(client, body, X_Shopify_Event_Id="e2") == 200
    assert count(at_work) == 2


def test_webhooks_are_sent_not_fetched(client):
    answer = client.get("/webhooks/shopify")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_what_arrives_during_a_commit_is_kept_by_the_next_one():
    commits, is_open = [], threading.Event()

    def keep(arrived):
        commits.append([one.body for one in arrived])
        is_open.wait(30)
        return [503 if one.body == b"3" else 200 for one in arrived]

    async def arrive():
        arrivals = Arrivals(keep)
        told = [
            asyncio.create_task(arrivals.keep(Arrival({}, b"%d" % number))) for number in range(4)
        ]
        while not commits:
            await asyncio.sleep(0)
        told.append(asyncio.create_task(arrivals.keep(Arrival({}, b"late"))))
        await asyncio.sleep(0)
        is_open.set()
        return await asyncio.gather(*told)

    assert asyncio.run(arrive()) == [200, 200, 200, 503, 200]
    assert commits == [[b"0", b"1", b"2", b"3"], [b"late"]]


def test_a_burst_does_not_wait_for_more():
    commits = []

    def keep(arrived):
        commits.append(len(arrived))
        return [200] * len(arrived)

    async def arrive():
        arrivals = Arrivals(keep)
        told = [arrivals.keep(Arrival({}, b"")) for _ in range(ENOUGH)]
        receiving.TOGETHER_SECONDS, before = 60, receiving.TOGETHER_SECONDS
        try:
            return await asyncio.wait_for(asyncio.gather(*told), 30)
        finally:
            receiving.TOGETHER_SECONDS = before

    assert asyncio.run(arrive()) == [200] * ENOUGH
    assert commits == [ENOUGH]


def test_health_is_ready_once_nothing_is_being_loaded(client, at_work):
    assert client.get("/health").json() == {"state": "ready"}
    with at_work.runtime.office.session() as session:
        at_work.jobs.backfill_later(session, at_work.shop)

    answer = client.get("/health")

    assert (answer.status_code, answer.json()["state"]) == (503, "loading")


def test_health_tells_of_parked_webhooks_without_failing(client, at_work):
    at_work.jobs.inbox.put(Event(at_work.shop.id, "orders/create", "bad", at_work.clock(), b"{"))
    for _ in range(ATTEMPTS_MAX):
        at_work.later(hours=1)

    answer = client.get("/health")

    told = {"state": "attention", "alarms": {"parked_webhooks": 1}}
    assert (answer.status_code, answer.json()) == (200, told)


def test_health_tells_of_a_warehouse_that_was_opened_again(client, at_work):
    warehouse = at_work.runtime.warehouse(at_work.shop)
    at_work.told(at_work.order(1, "ana", 300))
    with full_disk(warehouse.path.parent), pytest.raises(LimitError):
        warehouse.checkpoint()

    answer = client.get("/health")

    told = {"state": "attention", "alarms": {"reopened_warehouses": 1}}
    assert (answer.status_code, answer.json()) == (200, told)
    assert at_work.runtime.warehouse(at_work.shop) is not warehouse


def test_a_truncated_body_is_refused_and_comes_again_whole(client, at_work):
    body = order_body(1, 11, 300, at_work)
    digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()

    cut = client.post(
        "/webhooks/shopify", content=body[:-9], headers={"X-Shopify-Hmac-Sha256": digest}
    )

    assert (cut.status_code, count(at_work)) == (401, 0)
    assert send(client, body) == 200
