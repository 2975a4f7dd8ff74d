"""The API as its OpenAPI document tells of it, for tests that make requests from it."""

from __future__ import annotations

from typing import Any

import orjson
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from regulars.office import Shop
from regulars.web.openapi import description
from tests.web.visitor import ORIGIN, Visitor
from tests.web.world import World

CHECKS = [
    not_a_server_error,
    checks.content_type_conformance,
    checks.negative_data_rejection,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.status_code_conformance,
    checks.unsupported_method,
]
COMMAND_LINE = "the token of the command line"
#: Things of the shop that exist; a number without a name here is 1.
THINGS = {"shop": "demo", "segment": "VIP", "customer": "ana", "key": "vip", "static": "1"}
CREATED = (
    ("/tags", {"segment": "VIP", "tag": "regular"}),
    ("/tag-rules", {"segment": "VIP", "tag": "kept"}),
    ("/trackings", {"segment": "VIP", "starts_on": "2026-11-20", "ends_on": "2026-12-20"}),
    ("/endpoints", {"address": "https://programs.example/in", "events": ["customers.joined"]}),
    ("/keys", {"name": "mine", "scope": "read"}),
    ("/privacy-requests", {"kind": "export", "customer_id": "ana"}),
    ("/conversation", {"text": "Where is my tag?"}),
)


class Caller:
    """Sends what was generated as the owner, or as the command line where only that may."""

    def __init__(self, owner: Visitor) -> None:
        cookies = "; ".join(f"{one.name}={one.value}" for one in owner.cookies.jar)
        self.session = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin", "Cookie": cookies}
        self.command_line = {"Authorization": f"Bearer {COMMAND_LINE}"}

    def send(self, case: Any) -> Any:
        # What is sent twice under one key is answered once, which is another test's matter.
        case.headers.pop("Idempotency-Key", None)
        answer = case.call(base_url=ORIGIN, headers=self.session)
        if b'"command_line_only"' in answer.content:
            answer = case.call(base_url=ORIGIN, headers=self.command_line)
        return answer


def open_caller(world: World) -> Caller:
    """Return somebody who may do everything, in a shop that has one of everything."""
    world.segment("VIP", "amount_spent >= 30000")
    world.runtime.local_token = COMMAND_LINE
    with world.runtime.office.session() as session:
        session.get_one(Shop, world.shop.id).domain = "demo.myshopify.com"
    owner = Visitor(world.app)
    owner.sign_in(world.sign_in_token())
    for path, asked in CREATED:
        made = owner.ask(
            "POST",
            f"/api/v1/shops/demo{path}",
            content=orjson.dumps(asked),
            content_type="application/json",
            hx_request="true",
            sec_fetch_site="same-origin",
        )
        assert made.status < 300, made.body
    return Caller(owner)


def described(app: Any, mode: str = "all") -> Any:
    """Return the description of the API as Schemathesis reads it, with the app behind it."""
    generation = {"with-security-parameters": False, "mode": mode}
    config = SchemathesisConfig.from_dict({"generation": generation})
    schema = schemathesis.openapi.from_dict(description(app), config=config)
    schema.app = app
    return schema
