"""The client: waiting for points, trying again, tokens, and what each bad answer means."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from regulars.errors import (
    InputError,
    Refused,
    ScopeMissing,
    Throttled,
    TokenRejected,
    Unavailable,
)
from regulars.shopify.answers import (
    AnswerLost,
    InputRefused,
    NotReached,
    ShopClosed,
    TooExpensive,
)
from regulars.shopify.client import TRIES_MAX, ShopifyClient
from regulars.shopify.limits import FAILURES_MAX, Bucket
from tests.shopify.scripted import DOMAIN, Script, Time, client_of, told

TAGGED = {
    "tagsAdd": {"node": {"id": "gid://shopify/Customer/1", "tags": ["vip"]}, "userErrors": []}
}
SHOP = {"shop": {"name": "Ana's"}}
ADD = {"id": "gid://shopify/Customer/1", "tags": ["vip"]}


def throttled(requested: float, available: float, rate: float = 200.0) -> httpx.Response:
    """The answer as it was recorded."""
    error = {
        "message": "Throttled",
        "extensions": {
            "code": "THROTTLED",
            "documentation": "https://shopify.dev/api/usage/rate-limits",
        },
    }
    return told(
        errors=[error], requested=requested, available=available, maximum=20 * rate, rate=rate
    )


def failing(code: str, message: str = "no", **extensions: Any) -> httpx.Response:
    error = {"message": message, "extensions": {"code": code, **extensions}}
    return told(errors=[error], requested=None)


def test_a_request_names_shop_version_and_token_and_nothing_else():
    script = Script([told(SHOP)])

    assert client_of(script).run("shop_info") == SHOP

    (request,) = script.requests
    assert str(request.url) == f"https://{DOMAIN}/admin/api/2026-10/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == "shpat_secret"
    assert "Authorization" not in request.headers
    assert script.sent()["variables"] == {}


def test_an_older_version_is_asked_in_its_own_words():
    script = Script([told({"nodes": []})])

    client_of(script, api_version="2026-07").run("customers_by_ids", {"ids": []})

    assert "/admin/api/2026-07/" in str(script.requests[0].url)
    assert "smsMarketingConsent" not in script.sent()["query"]


def test_the_client_waits_as_long_as_the_missing_points_take():
    """The recorded answer: requested 862, available 572, at 200 points a second."""
    time = Time()
    client = client_of(Script([throttled(862, 572), told(SHOP)]), time)

    assert client.run("shop_info") == SHOP

    assert time.waits[0] == pytest.approx(1.45 * 1.1)


def test_nothing_is_sent_while_the_bucket_is_short():
    time = Time()
    script = Script([told(TAGGED, requested=10, available=3), told(TAGGED)])
    client = client_of(script, time)
    client.run("tags_add", ADD)
    sent_at = []
    script.answers = [lambda _: sent_at.append(time()) or told(TAGGED)]

    client.run("tags_add", ADD)

    assert time.waits == [pytest.approx(0.08)]
    assert len(sent_at) == 1


def test_points_under_way_count_as_spent():
    time = Time()
    client = client_of(Script([told(TAGGED, requested=10, available=15)]), time)
    client.run("tags_add", ADD)

    assert client.bucket.take(10, time.sleep, 60) == 0
    assert client.bucket.take(10, time.sleep, 60) == pytest.approx(0.06)


def test_the_price_of_a_document_is_learned_by_page_size():
    time = Time()
    page = {"products": {"nodes": [], "pageInfo": {"hasNextPage": False}}}
    script = Script([told(page, requested=145, available=100)])
    client = client_of(script, time)
    client.run("products_since", {"first": 250})

    client.run("products_since", {"first": 250})

    assert time.waits == [pytest.approx(0.46)]


def test_a_wait_beyond_the_patience_is_told_at_once():
    time = Time()
    client = client_of(Script([throttled(862, 0, rate=10)]), time)

    with pytest.raises(Throttled) as raised:
        client.run("shop_info", patience_seconds=5)

    assert raised.value.wait_seconds == pytest.approx(86.2)
    assert time.waits == []


def test_http_429_waits_as_told():
    time = Time()
    slow = httpx.Response(429, headers={"Retry-After": "2.0"})

    assert client_of(Script([slow, told(SHOP)]), time).run("shop_info") == SHOP

    assert time.waits == [pytest.approx(2.2)]


def test_too_much_for_one_request_is_never_tried_again():
    message = (
        "Query cost is 1293, which exceeds the single query max cost limit (1000).\n\nSee the docs."
    )
    script = Script([failing("MAX_COST_EXCEEDED", message, cost=1293, maxCost=1000)])

    with pytest.raises(TooExpensive, match=r"limit \(1000\)\.$"):
        client_of(script).run("shop_info")
    assert len(script.requests) == 1


def test_server_errors_are_tried_again_with_growing_random_waits():
    time = Time()
    script = Script([httpx.Response(502), httpx.Response(500), told(SHOP)])

    assert client_of(script, time).run("shop_info") == SHOP
    assert time.waits == [1.0, 2.0]


def test_a_server_that_says_when_is_left_alone_until_then():
    time = Time()
    busy = httpx.Response(503, headers={"Retry-After": "30"})

    client_of(Script([busy, told(SHOP)]), time).run("shop_info")

    assert time.waits == [30.0]


@pytest.mark.parametrize(
    "bad",
    [
        httpx.Response(200, content=b"<!DOCTYPE html>"),
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, json={}),
        lambda _: httpx.Response(
            200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no")
        ),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        failing("INTERNAL_SERVER_ERROR", requestId="r"),
    ],
)
def test_answers_without_use_are_tried_again_and_then_told(bad: Any):
    script = Script([bad])

    with pytest.raises(Unavailable) as raised:
        client_of(script).run("shop_info")

    assert not isinstance(raised.value, AnswerLost)
    assert len(script.requests) == TRIES_MAX


@pytest.mark.parametrize(
    "bad",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        httpx.Response(502),
        httpx.Response(200, content=b"<html>"),
        failing("INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_change_whose_answer_is_lost_is_a_maybe_and_sent_once(bad: Any):
    script = Script([bad])

    with pytest.raises(AnswerLost, match="may be done or not") as raised:
        client_of(script).run("tags_add", ADD)

    assert raised.value.maybe
    assert len(script.requests) == 1


@pytest.mark.parametrize("bad", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
def test_a_change_that_was_never_sent_is_tried_again(bad: Exception):
    script = Script([bad, told(TAGGED)])

    assert client_of(script).run("tags_add", ADD) == TAGGED


def test_a_change_that_is_never_sent_is_no_maybe():
    with pytest.raises(NotReached):
        client_of(Script([httpx.ConnectError("refused")])).run("tags_add", ADD)


def test_what_shopify_does_not_accept_is_told_with_field_and_words():
    refused = {
        "tagsAdd": {
            "node": None,
            "userErrors": [{"field": ["id"], "message": "Customer does not exist"}],
        }
    }

    with pytest.raises(InputRefused, match="Customer does not exist") as raised:
        client_of(Script([told(refused)])).run("tags_add", ADD)

    assert [r.field for r in raised.value.refusals] == [("id",)]


def test_a_search_that_shopify_ignores_fails():
    search = [
        {
            "path": ["customers"],
            "warnings": [
                {
                    "field": "created",
                    "message": "Invalid search field for this query.",
                    "code": "invalid_field",
                }
            ],
        }
    ]
    data = {"customers": {"nodes": [], "pageInfo": {"hasNextPage": False}}}

    with pytest.raises(Refused, match="created: Invalid search field"):
        client_of(Script([told(data, search=search)])).run("customers_since", {"first": 1})


def test_a_missing_scope_is_named():
    denied = failing(
        "ACCESS_DENIED",
        "Access denied for orders field.",
        requiredAccess="`read_orders` access scope.",
    )

    with pytest.raises(ScopeMissing, match="`read_orders` access scope"):
        client_of(Script([denied])).run("orders_since", {"first": 1})


def personal(path: list[Any]) -> httpx.Response:
    error = {
        "message": "This app is not approved to use the emailAddress field.",
        "path": path,
        "extensions": {"code": "ACCESS_DENIED"},
    }
    return told({"nodes": [{"id": "gid://shopify/Customer/1"}]}, errors=[error])


def test_personal_fields_that_are_not_approved_stay_empty():
    script = Script([personal(["nodes", 0, "defaultEmailAddress"])])

    assert client_of(script).run("customers_by_ids", {"ids": ["x"]})["nodes"]


def test_any_other_denied_field_fails_the_request():
    with pytest.raises(ScopeMissing):
        client_of(Script([personal(["nodes", 0, "amountSpent"])])).run(
            "customers_by_ids", {"ids": ["x"]}
        )


@pytest.mark.parametrize("status", [402, 403, 404, 423, 430])
def test_a_closed_shop_is_named_and_not_asked_again(status: int):
    script = Script([httpx.Response(status)])

    with pytest.raises(ShopClosed) as raised:
        client_of(script).run("shop_info")

    assert (raised.value.status, len(script.requests)) == (status, 1)
    assert str(raised.value).startswith("Shopify")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int):
    script = Script([httpx.Response(status, headers={"Location": "https://evil.example/"})])

    with pytest.raises(Refused, match=str(status)):
        client_of(script).run("shop_info")
    assert len(script.requests) == 1


class Renewable:
    """A token source with one more token."""

    def __init__(self) -> None:
        self.token, self.count = "old", 0

    def current(self) -> str:
        return self.token

    def refreshed(self, rejected: str) -> str:
        assert rejected == self.token
        self.count += 1
        self.token = "new"
        return self.token


def test_a_refused_token_is_renewed_once():
    script = Script([httpx.Response(401), told(SHOP)])
    tokens = Renewable()

    assert client_of(script, token_source=tokens).run("shop_info") == SHOP

    assert [r.headers["X-Shopify-Access-Token"] for r in script.requests] == ["old", "new"]


def test_a_token_that_is_refused_twice_is_told():
    script = Script([httpx.Response(401)])
    tokens = Renewable()

    with pytest.raises(TokenRejected):
        client_of(script, token_source=tokens).run("shop_info")
    assert (tokens.count, len(script.requests)) == (1, 2)


def test_a_fixed_token_that_is_refused_asks_to_connect_again():
    with pytest.raises(TokenRejected, match="Connect the shop again"):
        client_of(Script([httpx.Response(401)])).run("shop_info")


def test_a_shop_that_does_not_answer_is_asked_once_a_minute():
    time = Time()
    script = Script([httpx.ConnectError("refused")])
    client = client_of(script, time)
    while len(script.requests) < FAILURES_MAX:
        with pytest.raises(Unavailable):
            client.run("shop_info")
    assert client.health.is_open

    with pytest.raises(Unavailable, match="once a minute"):
        client.run("shop_info")
    assert len(script.requests) == FAILURES_MAX

    time.sleep(60)
    with pytest.raises(Unavailable):
        client.run("shop_info")
    assert len(script.requests) == FAILURES_MAX + 1

    time.sleep(60)
    script.answers = [told(SHOP)]
    assert client.run("shop_info") == SHOP
    assert not client.health.is_open


def test_retries_end_when_their_budget_is_used_up():
    time = Time()
    flaky = [httpx.Response(500), told(SHOP)] * 30
    script = Script([*flaky, httpx.Response(500)])
    client = client_of(script, time)
    told_at_once = 0
    for _ in range(30):
        try:
            client.run("shop_info")
        except Unavailable:
            told_at_once += 1

    assert told_at_once > 0


def test_an_answer_too_long_is_cut_off():
    stream = httpx.Response(200, stream=httpx.ByteStream(b"{" + b" " * (33 * 1024 * 1024)))
    script = Script([stream])

    with pytest.raises(Unavailable, match="longer than"):
        client_of(script).run("tags_add", ADD)


def test_a_newer_version_in_the_answer_is_noticed(caplog: pytest.LogCaptureFixture):
    answer = told(SHOP)
    answer.headers["X-Shopify-API-Version"] = "2027-01"
    client = client_of(Script([answer]))

    client.run("shop_info")

    assert client.answered_version == "2027-01"
    assert "no longer served" in caplog.text


def test_the_token_is_in_no_log_and_no_representation(caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    client = client_of(Script([httpx.Response(500), told(SHOP)]))
    client.run("shop_info")

    assert "shpat_secret" not in caplog.text + repr(client) + repr(client.__dict__)


@pytest.mark.parametrize("domain", ["evil.example", "a.myshopify.com.evil.example", "a/b", ""])
def test_only_a_shops_own_address_is_spoken_to(domain: str):
    time = Time()
    with pytest.raises(InputError, match=r"my-shop\.myshopify\.com"):
        ShopifyClient(
            domain,
            Renewable(),
            http=httpx.Client(transport=Script([told(SHOP)])),
            clock=time,
            sleep=time.sleep,
            random=lambda: 0.5,
        )


def test_a_simulator_is_spoken_to_on_this_machine_only():
    script = Script([told(SHOP)])
    client_of(script, base_url="http://127.0.0.1:8402/").run("shop_info")
    assert str(script.requests[0].url).startswith("http://127.0.0.1:8402/admin/api/")

    with pytest.raises(InputError, match=r"127\.0\.0\.1 only"):
        client_of(script, base_url="http://192.168.0.1:8402")


def test_threads_share_one_bucket_and_none_overdraws_it():
    """Each sent request fits what was left; the scripted bucket refuses any that does not."""
    time = Time()
    lock = threading.Lock()
    left, seen_at, refused = [200.0], [time()], [0]

    def serve(_: httpx.Request) -> httpx.Response:
        with lock:
            now = time()
            left[0] = min(200.0, left[0] + (now - seen_at[0]).total_seconds() * 100)
            seen_at[0] = now
            if left[0] < 10:
                refused[0] += 1
                return throttled(10, left[0], 100)
            left[0] -= 10
            return told(TAGGED, requested=10, available=left[0], maximum=200, rate=100)

    client = client_of(Script([serve]), time)
    client.run("tags_add", ADD)
    threads = [
        threading.Thread(target=lambda: [client.run("tags_add", ADD) for _ in range(15)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused[0] == 0


def test_of_answers_that_crossed_the_lower_level_counts():
    """Which of two answers was worked out first is not told; one that came alone is believed."""
    time = Time()
    bucket = Bucket(time)
    for _ in range(2):
        bucket.take(10, time.sleep, 60)
    for available in (80, 90):
        bucket.learn(200, available, 100, after=0)
        bucket.settle(10, is_answered=True)
    crossed = bucket.available
    bucket.learn(200, 150, 100, after=bucket.answers)

    assert (crossed, bucket.available) == (80, 150)
