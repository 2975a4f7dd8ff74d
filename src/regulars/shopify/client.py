"""The client of one shop: sends our documents and returns data, or raises what can be done.

Waits while the shop's bucket is short, tries again what may be tried again, and renews a refused
token once. Knows documents by name only; what the data means is sync's work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
import orjson

from regulars.clock import Clock
from regulars.errors import ShopifyError, Throttled, TokenRejected, Unavailable, problem
from regulars.shopify import http as network
from regulars.shopify.answers import (
    AnswerLost,
    Cost,
    Json,
    NotReached,
    check_status,
    cost_of,
    data_of,
    read_answer,
)
from regulars.shopify.documents import API_VERSION, document
from regulars.shopify.limits import Bucket, Health, Sleep
from regulars.shopify.tokens import TokenSource

log = logging.getLogger(__name__)

# Full-jitter waits between tries: up to 0.5 s, 1 s, 2 s ... but never over a minute.
PAUSE_SECONDS_FIRST = 0.5
PAUSE_SECONDS_MAX = 60.0
TRIES_MAX = 6

# A worker waits ten minutes for points before it gives its job back; a page waits less.
PATIENCE_SECONDS = 600.0

# What a request is taken to cost until Shopify has told the price of its document: more than any
# of our documents costs, so that the first of its kind waits rather than being throttled.
COST_OF_MUTATION = 10.0
COST_OF_PAGE = 300.0
COST_OF_QUERY = 20.0

# The least wait after being told to slow down, however short the arithmetic makes it.
SLOW_DOWN_SECONDS = 0.1

# The connection was not made, so Shopify has seen nothing of the request.
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class _Call:
    """One request that may take several tries."""

    name: str
    body: bytes
    is_mutation: bool
    #: Page size or count of ids; with the name the key of learned prices.
    size: object
    estimate: float | None


class ShopifyClient:
    """Speaks to one shop; shared by all threads that work for it.

    `base_url` replaces the shop's own address by a simulator on this machine.
    """

    def __init__(
        self,
        domain: str,
        token_source: TokenSource,
        *,
        http: httpx.Client,
        clock: Clock,
        sleep: Sleep,
        random: Callable[[], float],
        api_version: str = API_VERSION,
        base_url: str | None = None,
        bulk_hosts: tuple[str, ...] = network.BULK_HOSTS,
    ) -> None:
        self.domain = network.shop_domain(domain)
        self.api_version = api_version
        self.bucket = Bucket(clock)
        self.health = Health(clock)
        self.clock = clock
        self.sleep = sleep
        self.http = http
        self.bulk_hosts = bulk_hosts
        self.base_url = network.loopback_url(base_url) if base_url else None
        #: The version that Shopify answers with; another than asked once ours is no longer served.
        self.answered_version: str | None = None
        self._tokens = token_source
        self._random = random
        self._prices: dict[tuple[str, object], float] = {}
        root = self.base_url or f"https://{self.domain}"
        self._url = f"{root}/admin/api/{api_version}/graphql.json"

    def run(
        self,
        document_name: str,
        variables: Mapping[str, object] | None = None,
        *,
        estimate: float | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Json:
        """Send a document and return its data.

        Raises Throttled when points would take longer than `patience_seconds`, AnswerLost when a
        change may or may not be done, and the other ShopifyErrors for what they say.
        """
        call = self._call(document_name, variables or {}, estimate)
        tries, waited = 0, 0.0
        while True:
            self.health.admit()
            price = self._price(call)
            waited += self.bucket.take(price, self.sleep, patience_seconds - waited)
            try:
                return self._send(call, price)
            except Throttled as slow:
                pause = max(slow.wait_seconds, SLOW_DOWN_SECONDS) * (1 + self._random() / 10)
                if waited + pause > patience_seconds:
                    raise
            except AnswerLost:
                raise
            except Unavailable as lost:
                tries += 1
                pause = max(self.pause_seconds(tries), getattr(lost, "wait_seconds", 0.0))
                is_patient = waited + pause <= patience_seconds
                if tries >= TRIES_MAX or not is_patient or not self.health.may_retry():
                    raise
                log.warning("%s: %s Trying again in %.1f s.", self.domain, lost, pause)
            self.sleep(pause)
            waited += pause

    def _call(self, name: str, variables: Mapping[str, object], estimate: float | None) -> _Call:
        text = document(name, self.api_version)
        ids = variables.get("ids")
        size = len(ids) if isinstance(ids, list | tuple) else variables.get("first")
        body = orjson.dumps({"query": text, "variables": dict(variables)})
        return _Call(name, body, text.startswith("mutation"), size, estimate)

    def _price(self, call: _Call) -> float:
        learned = self._prices.get((call.name, call.size))
        if learned is not None:
            return learned
        if call.estimate is not None:
            return call.estimate
        if call.is_mutation:
            return COST_OF_MUTATION
        return COST_OF_QUERY if call.size is None else COST_OF_PAGE

    def pause_seconds(self, tries: int) -> float:
        """Return how long to wait after the n-th failure in a row: random, growing, capped."""
        return self._random() * min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_FIRST * 2.0**tries)

    def _send(self, call: _Call, price: float) -> Json:
        """Send once, with a renewed token where the first is refused, and read the answer."""
        is_answered, answers_before = False, self.bucket.answers
        try:
            answer = self._post_with_token(call)
            cost = cost_of(answer)
            is_answered = True
            self._learn(call, cost, answers_before)
            data = data_of(answer, cost)
        except Unavailable as error:
            self.health.failed()
            if call.is_mutation and not isinstance(error, NotReached):
                raise AnswerLost(f"{error} The change may be done or not.") from error
            raise
        except ShopifyError:
            self.health.succeeded()
            raise
        finally:
            self.bucket.settle(price, is_answered=is_answered)
        self.health.succeeded()
        return data

    def _post_with_token(self, call: _Call) -> Json:
        if self.http.is_closed:
            # Whoever still works with it began before the shop was let go, or connected anew.
            raise TokenRejected(
                problem(
                    "connection_ended", "The shop's connection to Shopify was ended or made anew."
                )
            )
        token = self._tokens.current()
        try:
            return self._post(call, token)
        except TokenRejected:
            return self._post(call, self._tokens.refreshed(token))

    def _post(self, call: _Call, token: str) -> Json:
        headers = {"X-Shopify-Access-Token": token, "Content-Type": "application/json"}
        try:
            with self.http.stream(
                "POST", self._url, content=call.body, headers=headers, follow_redirects=False
            ) as response:
                check_status(response)
                self._note_version(response)
                pieces = network.capped(
                    response,
                    self.clock,
                    bytes_max=network.ANSWER_BYTES_MAX,
                    seconds_max=network.ANSWER_SECONDS_MAX,
                )
                return read_answer(b"".join(pieces))
        except _NOTHING_SENT as error:
            raise NotReached("Shopify could not be reached.") from error
        except httpx.RequestError as error:
            raise Unavailable("The connection to Shopify broke off.") from error

    def _note_version(self, response: httpx.Response) -> None:
        answered = response.headers.get("X-Shopify-API-Version")
        if answered and answered not in {self.api_version, self.answered_version}:
            log.warning(
                "%s answers with API %s instead of %s: ours is no longer served.",
                self.domain,
                answered,
                self.api_version,
            )
        self.answered_version = answered or self.answered_version

    def _learn(self, call: _Call, cost: Cost, answers_before: int) -> None:
        if cost.requested is not None:
            self._prices[call.name, call.size] = cost.requested
        if cost.maximum and cost.available is not None and cost.points_per_second:
            self.bucket.learn(
                cost.maximum, cost.available, cost.points_per_second, after=answers_before
            )
