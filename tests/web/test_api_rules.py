"""What holds for the whole API: repeated requests are done once, the description is true."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from regulars.office.models.installation import KeptAnswer
from regulars.office.models.staff import ApiKey
from regulars.web import bounds
from regulars.web.openapi import description, operations, page
from regulars.web.repeating import KeepAnswers
from tests.house.source import ROOT
from tests.web.test_team import api, key_of

STRANGER = {"idempotency-key": "stranger"}


def test_a_repeated_post_is_done_once(world, visitor):
    key = key_of(visitor, "write")
    asked = {"name": "Once", "query": "number_of_orders >= 1"}
    sent = {"idempotency-key": "first"}
    first = api(world, key, "POST", "/shops/demo/segments", json=asked, headers=sent)
    again = api(world, key, "POST", "/shops/demo/segments", json=asked, headers=sent)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"


def test_a_key_used_for_something_else_is_refused(world, visitor):
    key = key_of(visitor, "write")
    sent = {"idempotency-key": "second"}
    query = "number_of_orders >= 1"
    api(world, key, "POST", "/shops/demo/count", json={"query": query}, headers=sent)
    other = api(world, key, "POST", "/shops/demo/count", json={"query": f"{query}1"}, headers=sent)

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_used")


def test_a_key_that_was_taken_back_is_not_told_again_what_it_was_told(world, visitor):
    key = key_of(visitor, "write")
    asked = {"name": "Kept", "query": "number_of_orders >= 1"}
    sent = {"idempotency-key": "gone"}
    made = api(world, key, "POST", "/shops/demo/segments", json=asked, headers=sent)
    with world.runtime.office.session() as session:
        session.execute(update(ApiKey).values(revoked_at=world.now))
    again = api(world, key, "POST", "/shops/demo/segments", json=asked, headers=sent)

    assert (made.status_code, again.status_code) == (201, 401)
    with world.runtime.office.reading() as session:
        assert session.scalar(select(KeptAnswer.status).where(KeptAnswer.key == "gone")) == 201


def test_strangers_leave_nothing_behind(world):
    told = api(world, "forged", "POST", "/shops/demo/count", json={}, headers=STRANGER)
    with world.runtime.office.reading() as session:
        kept = session.scalars(select(KeptAnswer).where(KeptAnswer.key == "stranger")).all()

    assert (told.status_code, kept) == (401, [])


def test_a_request_broken_off_by_a_death_may_be_sent_again(world, visitor):
    key = key_of(visitor, "write")
    with world.runtime.office.session() as session:
        half = {"caller": "c", "key": "half", "fingerprint": b"f", "body": b""}
        session.add(KeptAnswer(created_at=world.now, **half))
    KeepAnswers(world.app, world.runtime)
    with world.runtime.office.reading() as session:
        assert session.get(KeptAnswer, ("c", "half")) is None

    assert api(world, key, "GET", "/shops/demo/segments").status_code == 200


@pytest.mark.parametrize("length", [None, str(bounds.BYTES_MAX + 1)])
def test_a_request_that_brings_too_much_is_refused(world, visitor, length):
    """Told ahead, and found while it is read."""
    key = key_of(visitor, "write")
    content = b" " * (bounds.BYTES_MAX + 1) if length is None else b"{}"
    sent = {"content-type": "application/json"}
    sent |= {"content-length": length} if length else {"transfer-encoding": "chunked"}
    for more in ({}, {"idempotency-key": "large"}):
        path = "/shops/demo/count"
        told = api(world, key, "POST", path, content=content, headers=sent | more)

        assert (told.status_code, told.json()["title"]) == (413, "This is too large")


def test_another_caller_has_keys_of_its_own(world, visitor):
    sent = {"idempotency-key": "third"}
    for scope in ("write", "write"):
        asked = {"query": "number_of_orders >= 1"}
        key = key_of(visitor, scope)
        told = api(world, key, "POST", "/shops/demo/count", json=asked, headers=sent)
        assert "idempotent-replayed" not in told.headers


def test_a_name_that_an_address_does_not_know_is_refused(world, visitor):
    key = key_of(visitor, "write")
    segments = "/shops/demo/segments"
    listed = api(world, key, "GET", segments, params={"trash": "true"})
    misspelt = api(world, key, "GET", segments, params={"trsh": "true"})
    asked = {"name": "A", "query": "number_of_orders >= 1", "descripton": "B"}
    made = api(world, key, "POST", segments, json=asked)

    assert listed.status_code == 200
    assert (misspelt.status_code, misspelt.json()["code"]) == (422, "unknown_parameter")
    assert misspelt.json()["detail"] == 'There is no parameter "trsh" here. Known here: trash.'
    assert (made.status_code, made.json()["errors"][0]["field"]) == (422, "descripton")


def test_a_journey_may_begin_on_the_first_day_there_is(world, visitor):
    key = key_of(visitor, "read")
    days = {"since": "0001-01-01", "until": "9999-12-31"}
    told = api(world, key, "GET", "/shops/demo/insights/journey", params=days)

    assert told.status_code == 200


def test_a_cursor_beyond_every_customer_is_refused(world, visitor):
    segment = world.segment("Paged", "number_of_orders >= 1")
    path = f"/shops/demo/segments/{segment}/members?cursor="
    key = key_of(visitor, "write")

    assert api(world, key, "GET", f"{path}{2**32 - 1}").json()["customers"] == []
    assert api(world, key, "GET", f"{path}{2**32}").status_code == 422


def test_every_operation_tells_what_it_does_and_how_it_refuses(world):
    told = description(world.app)
    silent = [
        f"{method} {path}"
        for path, method, one in operations(told)
        if not one.get("description") or "default" not in one["responses"]
    ]

    assert silent == []


def test_no_two_shapes_share_a_name(world):
    """Else they would be told apart by where our code has them."""
    assert [name for name in description(world.app)["components"]["schemas"] if "__" in name] == []


def test_the_page_is_made_from_the_routes():
    # Made anew with: python -m regulars.web.openapi > docs/api.md
    assert (ROOT / "docs" / "api.md").read_text("utf-8") == page()
