"""Whatever changes something stands in the audit log: who, what, when. Every such route is walked.

The pages' acts do what these routes do (test_pages_and_api), and the rows themselves are watched. A
new writing route belongs to one of the two lists below, or this fails.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars import static_segments
from regulars.bootstrap.serving import bind
from regulars.office import Shop, audit
from regulars.office.models.audit import AuditEntry
from regulars.office.models.staff import Staff
from regulars.office.models.tags import TagAssignment, TagRule
from regulars.simulator.serve import PretendShop, open_app, served
from regulars.simulator.simulator import DEMO_TOKEN
from regulars.web import api as api_room
from regulars.web import sessions
from tests.web.test_downloads import LIST, MANIFEST
from tests.web.test_pages_and_api import routes
from tests.web.test_who_saw import api
from tests.web.visitor import Visitor
from tests.web.world import World, open_world

S = "/shops/{shop}"
#: A list of the earlier system with a tag that it gave.
AUTUMN = {**MANIFEST, "name": "Autumn", "tags": [{"tag": "autumn", "given": "2024-09-01"}]}
#: Filled in when the pretend Shopify and the files are there.
CONNECTION = {"domain": "", "token": DEMO_TOKEN}
FILES = {"file": "", "manifest": ""}
AGAIN = {"file": "", "name": "Guests"}
#: Acts in an order in which each can be done: method, route, its places, what is sent, the entry.
ACTS = (
    ("POST", "/sign-in-links", {}, None, "sign_in_link_made"),
    ("POST", "/team/invitations", {}, {"login": "bo@a.example", "shops": ["demo"]}, "invited"),
    ("DELETE", "/team/invitations/{invitation_id}", {}, None, "invitation_revoked"),
    ("POST", f"{S}/keys", {}, {"name": "mine"}, "api_key_made"),
    ("DELETE", f"{S}/keys/{{key_id}}", {}, None, "api_key_revoked"),
    ("PATCH", "/team/{staff_id}", {"staff_id": 2}, {"is_disabled": True}, "staff_disabled"),
    ("PATCH", "/team/{staff_id}", {"staff_id": 2}, {"is_disabled": False}, "staff_enabled"),
    ("PATCH", "/team/{staff_id}", {"staff_id": 2}, {"role": "owner"}, "role_changed"),
    ("PATCH", "/installation/choices", {}, {"chat_days": 99}, "choice_changed"),
    ("PATCH", S, {}, {"universe": "buyers"}, "universe_changed"),
    ("POST", "/shops", {}, {"name": "second"}, "shop_added"),
    ("POST", f"{S}/segments", {}, {"name": "A", "query": "amount_spent > 1"}, "segment_made"),
    ("PATCH", f"{S}/segments/{{segment}}", {"segment": "A"}, {"icon": "★"}, "segment_described"),
    ("PATCH", f"{S}/segments/{{segment}}", {"segment": "A"}, {"name": "B"}, "segment_renamed"),
    (
        "PATCH",
        f"{S}/segments/{{segment}}",
        {"segment": "B"},
        {"query": "amount_spent > 2"},
        "segment_changed",
    ),
    (
        "POST",
        f"{S}/segments/{{segment}}/versions/{{version}}/restoration",
        {"segment": "B"},
        None,
        "segment_changed",
    ),
    ("POST", f"{S}/segments/{{segment}}/duplicates", {"segment": "B"}, {}, "segment_made"),
    ("DELETE", f"{S}/segments/{{segment}}", {"segment": "B"}, None, "segment_deleted"),
    ("POST", f"{S}/segments/{{segment_id}}/restoration", {}, None, "segment_restored"),
    ("POST", f"{S}/tags", {}, {"segment": "B", "tag": "t"}, "tag_assigned"),
    ("POST", f"{S}/tags/{{assignment_id}}/pause", {}, None, "tag_paused"),
    ("POST", f"{S}/tags/{{assignment_id}}/resume", {}, None, "tag_resumed"),
    ("POST", f"{S}/tags/{{assignment_id}}/cancellation", {}, None, "tag_cancelled"),
    ("POST", f"{S}/tags/{{assignment_id}}/removal", {}, None, "tag_removed"),
    ("POST", f"{S}/tags/{{assignment_id}}/removal/undo", {}, None, "tag_removal_undone"),
    ("POST", f"{S}/tags/{{assignment_id}}/retry", {}, None, "tag_retried"),
    ("POST", f"{S}/tag-rules", {}, {"segment": "B", "tag": "kept"}, "tag_rule_made"),
    ("PUT", f"{S}/tag-rules/{{rule_id}}", {"rule_id": 1}, {"grace_days": 2}, "tag_rule_changed"),
    ("POST", f"{S}/tag-rules/{{rule_id}}/off", {"rule_id": 1}, {}, "tag_rule_off"),
    ("POST", f"{S}/tag-rules/{{rule_id}}/on", {"rule_id": 1}, None, "tag_rule_on"),
    ("POST", f"{S}/tag-rules/{{rule_id}}/release", {"rule_id": 1}, None, "tag_rule_released"),
    ("POST", f"{S}/trackings", {}, {"segment": "B", "starts_on": "2026-11-20",
     "ends_on": "2026-12-20"}, "tracking_made"),
    ("PATCH", f"{S}/trackings/{{tracking_id}}", {}, {"note": "n"}, "tracking_changed"),
    ("POST", f"{S}/trackings/{{tracking_id}}/cancellation", {}, None, "tracking_cancelled"),
    ("DELETE", f"{S}/trackings/{{tracking_id}}", {}, None, "tracking_deleted"),
    ("POST", f"{S}/endpoints", {}, {"address": "https://a.example", "events":
     ["customers.joined"]}, "endpoint_made"),
    ("PATCH", f"{S}/endpoints/{{endpoint_id}}", {}, {"is_on": False}, "endpoint_off"),
    ("DELETE", f"{S}/endpoints/{{endpoint_id}}", {}, None, "endpoint_deleted"),
    ("POST", f"{S}/privacy-requests", {}, {"kind": "export", "customer_id": "ana"},
     "privacy_asked"),
    ("POST", f"{S}/privacy-requests/{{request_id}}/file", {}, None, "customer_exported"),
    ("POST", f"{S}/uploads/{{upload_id}}/application", {}, {"name": "Guests"}, "upload_applied"),
    ("POST", f"{S}/uploads", {}, AGAIN, None),
    ("POST", f"{S}/uploads/{{upload_id}}/application", {"upload_id": 4}, {"mode": "remove"},
     "upload_applied"),
    ("DELETE", f"{S}/segments/{{segment}}/uploads/last", {"segment": "Guests"}, None,
     "upload_undone"),
    ("POST", f"{S}/static-segments/{{static}}/conversion", {"static": "Spring"}, {},
     "static_converted"),
    ("DELETE", f"{S}/static-segments/{{static}}", {"static": "Summer"}, None, "static_deleted"),
    ("POST", f"{S}/static-segments/{{static_id}}/restoration", {"static_id": 2}, None,
     "static_restored"),
    ("POST", f"{S}/static-segments", {}, FILES, "static_brought_in"),
    ("POST", f"{S}/tags/legacy/{{tag_id}}/removal", {}, None, "tag_removed"),
    ("PUT", "/static-phase", {}, {"name": "read-only"}, "static_phase_set"),
    ("POST", f"{S}/conversation", {}, {"text": "Hello"}, None),
    ("POST", "/inbox/{conversation_id}/close", {}, None, "conversation_closed"),
    ("POST", "/installation/secrets/renewal", {}, None, "secrets_sealed_anew"),
    ("POST", "/installation/backups", {}, {}, "backup_made"),
    ("PUT", f"{S}/connection", {}, CONNECTION, "shop_connected"),
    ("POST", f"{S}/segments/{{segment}}/push", {"segment": "B"}, {}, "segment_pushed"),
    ("DELETE", f"{S}?confirm=demo", {}, None, "shop_erased"),
)  # fmt: skip

#: Routes that leave nothing in the log, and why.
UNNOTED = {
    "questions, which change nothing": (
        f"POST {S}/queries/near-misses", f"POST {S}/queries/forecast", f"POST {S}/count",
        f"POST {S}/lint", "POST /queries/check", "POST /queries/describe", f"POST {S}/explain",
        f"POST {S}/segments/{{segment}}/preview-edit", f"POST {S}/templates/{{key}}/query",
        f"POST {S}/live/proofs",
    ),
    "the chat keeps who wrote and read what": (
        f"POST {S}/conversation", f"POST {S}/conversation/seen",
        "POST /inbox/{conversation_id}/messages", "POST /inbox/{conversation_id}/seen",
    ),
    "fetches what Shopify says; the job keeps what came of it": (
        f"POST {S}/sync", f"POST {S}/live/comparisons", f"POST {S}/live/replays",
        f"POST {S}/tag-drift", f"POST {S}/imports",
    ),
    "sends again what was told; the list of deliveries keeps it": (
        f"POST {S}/endpoints/{{endpoint_id}}/tests",
        f"POST {S}/endpoints/{{endpoint_id}}/replays",
    ),
    "changes nothing before it is applied, which is noted": (
        f"POST {S}/uploads", f"POST {S}/uploads/content", f"DELETE {S}/uploads/{{upload_id}}",
    ),
    "makes segments, each noted as any other": (
        f"POST {S}/shopify-segments/pull", f"POST {S}/recipes/{{key}}",
    ),
}  # fmt: skip


def went_wrong(session: Session) -> None:
    session.get_one(TagAssignment, 1).status = "failed"


def was_held(session: Session) -> None:
    rule = session.scalars(select(TagRule)).one()
    rule.held_at = rule.created_at


def is_at_shopify(session: Session) -> None:
    session.get_one(Shop, 1).kind = "shopify"


#: What happens by itself before an act can be done.
BEFORE = {
    f"{S}/tags/{{assignment_id}}/retry": went_wrong,
    f"{S}/tag-rules/{{rule_id}}/release": was_held,
    f"{S}/segments/{{segment}}/push": is_at_shopify,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    """A shop at the pretend Shopify, and the files of a list of the earlier system."""
    folder = tmp_path_factory.mktemp("world")
    served_shop = served(open_app(PretendShop(10)), bind("127.0.0.1", 0))
    with served_shop as shopify, pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_SIMULATOR_URL", shopify.url)
        CONNECTION["domain"] = shopify.simulator.shop.domain
        for kind, content in (("file", LIST), ("manifest", orjson.dumps(AUTUMN))):
            (folder / kind).write_bytes(content)
            FILES[kind] = str(folder / kind)
        AGAIN["file"] = FILES["file"]
        with open_world(folder) as opened:
            yield opened


@pytest.fixture(scope="module")
def owner(world) -> Visitor:
    """The owner, in a shop with what cannot be made by the routes alone."""
    with world.runtime.office.session() as session:
        session.get_one(Shop, world.shop.id).domain = CONNECTION["domain"]
        sessions.ensure_owner(session, world.now)
        cleo = Staff(login="cleo@a.example", name="Cleo", role="member", created_at=world.now)
        session.add(cleo)
    for name in ("Spring", "Summer"):
        static_segments.import_static(
            world.jobs.uploads(world.shop),
            io.BytesIO(LIST),
            static_segments.read_manifest(orjson.dumps({**MANIFEST, "name": name})),
            file_name="a.csv",
            author="operator",
            now=world.now,
        )
    found = Visitor(world.app)
    found.sign_in(world.sign_in_token())
    world.runtime.local_token = "the token of the command line"
    sent = {"content": LIST, "hx_request": "true", "sec_fetch_site": "same-origin"}
    found.ask("POST", "/api/v1/shops/demo/uploads/content", **sent)
    world.work()
    return found


def done(visitor: Visitor, method: str, path: str, places: dict, asked: object):
    """Do one thing as the owner, or by the command line where only that may."""
    where = {"shop": "demo", "upload_id": 3, **places}
    place = re.sub(r"\{(\w+)\}", lambda one: str(where.get(one[1], 1)), path)
    answer = api(visitor, method, place, asked)
    if '"command_line_only"' in answer.body:
        local = {"authorization": "Bearer the token of the command line"}
        content = orjson.dumps(asked) if asked is not None else None
        kind = {"content_type": "application/json"}
        answer = visitor.ask(method, f"/api/v1{place}", content=content, **kind, **local)
    return answer


def newest(world) -> int:
    with world.runtime.office.reading() as session:
        entries = audit.list_entries(session, limit=1)
        return entries[0].number if entries else 0


def entries_since(world, number: int) -> list[AuditEntry]:
    with world.runtime.office.reading() as session:
        return [one for one in audit.list_entries(session, limit=50) if one.number > number]


def test_each_act_leaves_one_entry_of_who_did_what_when(world, owner):
    wrong = []
    for method, path, places, asked, act in ACTS:
        if path in BEFORE:
            with world.runtime.office.session() as session:
                BEFORE[path](session)
        before = newest(world)
        answer = done(owner, method, path, places, asked)
        if answer.status >= 300:
            wrong.append((method, path, answer.status, answer.body[:200]))
        if act in ("upload_applied", "backup_made", "shop_erased", None):
            world.work()
        told = [one for one in entries_since(world, before) if one.act == act]
        if len(told) != (act is not None):
            wrong.append((method, path, act, [one.act for one in entries_since(world, before)]))
        wrong += [(path, one.author) for one in told if one.author in ("", "Regulars")]
        wrong += [(path, one.at) for one in told if one.at != world.now]

    assert wrong == [], wrong


def test_every_writing_route_is_known():
    known = {f"{method} {path.partition('?')[0]}" for method, path, *_ in ACTS}
    unnoted = {one for listed in UNNOTED.values() for one in listed}
    writing = {f"{method} {path}" for method, path in routes(api_room) if method != "GET"}

    assert writing == known | unnoted
