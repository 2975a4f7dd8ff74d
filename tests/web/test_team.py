"""Invitations, roles, keys and the audit log, as an owner and the invited meet them."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from tests.web.visitor import ORIGIN, Visitor
from tests.web.world import World

PASSWORD = "tea leaves in the rain"


def secret_of(page) -> str:
    return next(one.text for one in page.root.all("code") if one.get("class") == "secret")


def invited(visitor: Visitor, login: str) -> str:
    page = visitor.press(
        visitor.get("/settings/team"),
        "Create invitation link",
        **{"E-mail_address_to_sign_in_with": login},
    )
    return re.sub("^http://[^/]+", "", secret_of(page))


def test_an_invitation_lets_one_person_in_once(world: World, visitor: Visitor):
    address = invited(visitor, "cleo@shop.example")
    stranger = Visitor(world.app)
    home = stranger.press(stranger.get(address), "Join", Your_name="Cleo", Password=PASSWORD)

    assert home.heading == "Home"
    assert Visitor(world.app).get(address).status == 403
    assert stranger.get("/settings/team").status == 403
    assert "joined the team" in visitor.get("/settings/audit").text


def test_an_invitation_dies_after_seven_days(world: World, visitor: Visitor):
    address = invited(visitor, "late@shop.example")
    before = world.runtime.clock.instant
    world.runtime.clock.instant += timedelta(days=7)
    assert Visitor(world.app).get(address).status == 403
    world.runtime.clock.instant = before


def test_a_short_password_is_refused_and_the_invitation_lives_on(world: World, visitor: Visitor):
    address = invited(visitor, "dee@shop.example")
    page = Visitor(world.app).press(
        Visitor(world.app).get(address), "Join", Your_name="Dee", Password="short"
    )

    assert page.status == 422
    assert Visitor(world.app).get(address).heading == "Join the team"


def test_the_last_owner_stays_an_owner(visitor: Visitor):
    page = visitor.press(visitor.get("/settings/team"), "Make member: Owner")

    assert page.status == 422
    assert "is the only owner" in page.text


def api(world: World, key: str, method: str, path: str, **values) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=world.app)
        headers = {"authorization": f"Bearer {key}", **values.pop("headers", {})}
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.request(method, f"/api/v1{path}", headers=headers, **values)

    return asyncio.run(send())


def key_of(visitor: Visitor, scope: str) -> str:
    page = visitor.press(
        visitor.get("/settings/keys"), "Create key", Name_of_the_key=scope, What_it_may_do=scope
    )
    return secret_of(page)


@pytest.mark.parametrize(
    ("scope", "list_status", "members_status", "create_status"),
    [("read", 200, 403, 403), ("customers", 200, 200, 403), ("write", 200, 200, 201)],
)
def test_a_key_does_what_its_scope_says(
    world, visitor, scope, list_status, members_status, create_status
):
    world.segment(f"For {scope}", "number_of_orders >= 1")
    key = key_of(visitor, scope)
    asked = {"name": f"Made by {scope}", "query": "number_of_orders >= 2"}

    assert api(world, key, "GET", "/shops/demo/segments").status_code == list_status
    members = api(world, key, "GET", f"/shops/demo/segments/For {scope}/members")
    assert members.status_code == members_status
    made = api(world, key, "POST", "/shops/demo/segments", json=asked)
    assert made.status_code == create_status


def test_a_key_is_shown_once_and_dies_when_taken_back(world, visitor):
    key = key_of(visitor, "read")
    assert key not in visitor.get("/settings/keys").text
    asked = visitor.get(visitor.get("/settings/keys").link("Revoke: read"))
    assert asked.heading == "Revoke “read”?"
    visitor.press(asked, "Revoke")

    assert api(world, key, "GET", "/shops").status_code == 401


def test_kept_days_have_limits(visitor: Visitor):
    page = visitor.get("/settings/installation")
    refused = visitor.press(page, "Save", **{"Audit_log:_days_kept": "3"})
    assert refused.status == 422
    assert "between 90 and 3650" in refused.text

    assert visitor.press(page, "Save", **{"Audit_log:_days_kept": "400"}).status == 200
    assert "audit_days" in visitor.get("/settings/audit").text


def test_the_chain_is_checked_on_its_page(visitor: Visitor):
    assert "The chain holds" in visitor.get("/settings/audit?verify=1").text
