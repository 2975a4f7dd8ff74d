"""The pretend Shopify of one shop: requests in, answers out, faults on the way.

Knows nothing of sockets: app.py serves it, transport.py lets a client in the same process call it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import orjson

from regulars.clock import Clock
from regulars.simulator import graphql_api
from regulars.simulator.bulk import BulkOperations
from regulars.simulator.cost import Bucket
from regulars.simulator.faults import Faults
from regulars.simulator.resolvers.base import World
from regulars.simulator.shop import MovableClock, Shop
from regulars.simulator.tokens import ALL_SCOPES, RejectedError, Token, Tokens
from regulars.simulator.versions import answering
from regulars.simulator.webhooks import Send, Webhooks

BULK_ORIGIN = "https://storage.googleapis.com/shopify-tiers-assets-prod"
#: The token a demo app is given; a custom app's token never expires.
DEMO_TOKEN = "shpat_regulars_demo"  # noqa: S105 - of a pretend shop


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    host: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: The scheme and host under which the request came.
    origin: str = ""


@dataclass(slots=True)
class Answer:
    """One HTTP answer; `lost` never reaches the client, `delay_seconds` is how long it took."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    file: Path | None = None
    delay_seconds: float = 0.0
    lost: bool = False


def json_answer(told: object, status: int = 200, **headers: str) -> Answer:
    """Return an answer with a JSON body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, orjson.dumps(told), kind | named)


def not_found() -> Answer:
    """Return the answer to a wrong shop or path."""
    return json_answer({"errors": "Not Found"}, 404)


class Simulator:
    """A pretend Shopify with one shop and one installed app."""

    shop: Shop
    app_id: int
    tokens: Tokens
    webhooks: Webhooks
    bulk: BulkOperations

    def __init__(
        self,
        shop: Shop,
        *,
        rate: float = 100.0,
        seed: int = 0,
        access_token: str = DEMO_TOKEN,
        client_id: str = "regulars-client-id",
        client_secret: str = "regulars-client-secret-of-a-pretend-app",  # noqa: S107 - of a pretend app
        scopes: frozenset[str] = ALL_SCOPES,
        bulk_seconds: float = 0.0,
        files_origin: str | None = None,
        allow_local_webhooks: bool = False,
        send: Send | None = None,
    ) -> None:
        self.shop = shop
        self.app_id = 900_001
        self.faults = Faults(seed)
        self.bucket = Bucket(shop.clock, rate)
        self.tokens = Tokens(shop.clock, shop.domain, client_id, client_secret, scopes)
        self.tokens.grant(access_token)
        self.webhooks = Webhooks(shop, client_secret, self.faults, send)
        self.bulk = BulkOperations(self, bulk_seconds)
        #: Where the embedded app is opened in the pretend admin; empty: nowhere.
        self.app_url = ""
        #: Flow triggers that the app was deployed with, and what they were told.
        self.flow_handles: set[str] = set()
        self.flow_received: list[object] = []
        self.files_origin = files_origin
        self.allow_local_webhooks = allow_local_webhooks
        #: How long the fault "slow" holds an answer back.
        self.slow_seconds = 6.0
        self.request_count = 0
        self.count_lock = threading.Lock()

    @property
    def clock(self) -> Clock:
        """Return the shop's clock; a MovableClock in the demo."""
        return self.shop.clock

    def second(self) -> int:
        """Return the shop's present second."""
        return self.shop.now()

    def move_clock(self, seconds: float) -> None:
        """Move the shop's time forward; only a MovableClock can."""
        if not isinstance(self.shop.clock, MovableClock):
            raise TypeError("this simulator's clock belongs to somebody else and cannot be moved")
        self.shop.clock.move(timedelta(seconds=seconds))
        self.webhooks.woken.set()

    def world(self, token: Token, version: str, origin: str) -> World:
        """Return what a request with this token can see."""
        local = "127.0.0.1" in origin or "localhost" in origin
        files = self.files_origin or (origin if local else BULK_ORIGIN)
        return World(self.shop, self, token.scopes, version, files)

    def answer(self, request: Request) -> Answer:
        """Answer one request of the Admin API, the token endpoint or the file addresses."""
        with self.count_lock:
            self.request_count += 1
        if request.host.endswith(".myshopify.com") and request.host != self.shop.domain:
            return not_found()
        parts = request.path.strip("/").split("/")
        if "bulk" in parts[:-1]:
            return self.bulk_file(parts[-1], request.query)
        if "staged-uploads" in parts:
            return self.upload(request)
        serve = self.endpoint(parts) if request.method == "POST" else None
        return not_found() if serve is None else self.with_faults(request, serve)

    def endpoint(self, parts: list[str]) -> Callable[[Request], Answer] | None:
        """Return what answers under a path."""
        if parts == ["admin", "oauth", "access_token"]:
            return self.token_endpoint
        if len(parts) == 4 and parts[:2] == ["admin", "api"] and parts[3] == "graphql.json":
            return self.graphql
        return None

    def with_faults(self, request: Request, serve: Callable[[Request], Answer]) -> Answer:
        """Answer through the faults of the way: no answer, a late one, a broken one."""
        if self.faults.strikes("unavailable"):
            page = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
            return Answer(503, page, {"Content-Type": "text/html"})
        answer = serve(request)
        if self.faults.strikes("garbage_body"):
            answer.body = b"<!DOCTYPE html><html><body>Something went wro"
            answer.headers["Content-Type"] = "text/html; charset=utf-8"
        if self.faults.strikes("slow"):
            answer.delay_seconds = self.slow_seconds
        answer.lost = self.faults.strikes("lost_response")
        return answer

    def graphql(self, request: Request) -> Answer:
        """Answer a GraphQL request."""
        asked = request.path.strip("/").split("/")[2]
        version = answering(asked)
        if version is None:
            return not_found()
        token = self.tokens.check(request.headers.get("x-shopify-access-token"))
        if token is None or self.faults.strikes("expired_token"):
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return json_answer({"errors": message}, 401)
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            return json_answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        told = graphql_api.answer(body, self.world(token, version, request.origin))
        return json_answer(told, X_Shopify_API_Version=version)

    def token_endpoint(self, request: Request) -> Answer:
        """Answer the OAuth token endpoint; takes JSON and form bodies."""
        if "json" in request.headers.get("content-type", ""):
            try:
                body = orjson.loads(request.body)
            except orjson.JSONDecodeError:
                return json_answer({"error": "invalid_request"}, 400)
        else:
            body = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        try:
            return json_answer(self.tokens.answer(body if isinstance(body, dict) else {}))
        except RejectedError as problem:
            return json_answer({"error": str(problem)}, 400)

    def bulk_file(self, name: str, query: dict[str, str]) -> Answer:
        """Serve a bulk result whose address is still good."""
        path = self.bulk.file(name, query.get("Expires", ""), query.get("Signature", ""))
        if path is None:
            told = (
                b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code>"
                b"<Message>Invalid argument.</Message></Error>"
            )
            return Answer(400, told, {"Content-Type": "application/xml; charset=UTF-8"})
        return Answer(200, b"", {"Content-Type": "application/jsonl"}, file=path)

    def upload(self, request: Request) -> Answer:
        """Take an upload of bulk variables: a form whose file part comes last."""
        from regulars.simulator.forms import form_parts

        parts = form_parts(request.headers.get("content-type", ""), request.body)
        names = [name for name, _ in parts]
        fields = dict(parts)
        key = fields.get("key", b"").decode("utf-8", "replace")
        in_order = bool(names) and names[-1] == "file"
        if request.method != "POST" or not in_order or not self.bulk.receive(key, fields["file"]):
            told = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>"
            return Answer(403, told, {"Content-Type": "application/xml; charset=UTF-8"})
        told = f"<PostResponse><Key>{key}</Key></PostResponse>".encode()
        return Answer(201, told, {"Content-Type": "application/xml; charset=UTF-8"})

    def work(self) -> int:
        """Do what is due now: bulk operations, then webhooks. Return how many arrived."""
        self.bulk.run_due()
        return self.webhooks.send_due()

    def close(self) -> None:
        """Give back files."""
        self.bulk.close()
