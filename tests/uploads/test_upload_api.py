"""The API of uploads, from content to list and back, and how it refuses."""

from __future__ import annotations

import pytest

from regulars.warehouse.facts import CustomerFact
from tests.web.test_team import api, key_of
from tests.web.visitor import Visitor
from tests.web.world import open_world

UPLOADS = "/shops/demo/uploads"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with open_world(tmp_path_factory.mktemp("uploads")) as opened:
        yield opened


@pytest.fixture(scope="module")
def call(world):
    visitor = Visitor(world.app)
    visitor.sign_in(world.sign_in_token())
    key = key_of(visitor, "write")

    def ask(method: str, address: str, **options):
        return api(world, key, method, address, **options)

    return ask


def send(call, world, content: str, name: str = "") -> dict:
    """Send a file's content and return the checked upload."""
    sent = call("POST", f"{UPLOADS}/content?name={name}&file_name=a.csv", content=content.encode())
    assert sent.status_code == 202, sent.text
    world.work()
    return call("GET", f"{UPLOADS}/{sent.json()['id']}").json()


def test_a_file_becomes_a_list_is_changed_exported_and_taken_back(call, world):
    told = {"email": "twins@x.example", "updated_at": world.now}
    twins = [CustomerFact(customer_id=one, **told) for one in "xy"]
    world.runtime.warehouse(world.shop).apply(twins, at=world.now)
    checked = send(
        call, world, "email\nana@shop.example\nana@shop.example\nno@x.example\ntwins@x.example\n?\n"
    )
    assert checked["state"] == "checked"
    counts = {"matched": 1, "duplicate": 1, "not_found": 1, "ambiguous": 1, "invalid": 1}
    assert (checked["counts"], checked["rows"]) == (counts, 5)
    assert checked["effects"]["replace"]["waiting_added"] == 2
    rows = call("GET", f"{UPLOADS}/{checked['id']}/rows?outcome=ambiguous").json()["rows"]
    assert [sorted(row["customers"]) for row in rows] == [["x", "y"]]

    made = call("POST", f"{UPLOADS}/{checked['id']}/application", json={"name": "Guests"})
    assert (made.status_code, made.json()["segment"]["member_count"]) == (201, 1)
    again = send(call, world, "customer_id\nbo\n", "Guests")
    assert again["effects"]["replace"] == {
        "joined": 1, "left": 1, "waiting_added": 0, "waiting_removed": 2,
    }  # fmt: skip
    call("POST", f"{UPLOADS}/{again['id']}/application", json={"mode": "replace"})
    exported = call("GET", "/shops/demo/segments/Guests/export.csv?waiting=true").text
    assert exported.splitlines()[1:] == ["bo,,"]
    assert call("GET", "/shops/demo/segments/Guests/export-losses").json() == {"rows": 0}

    assert call("DELETE", "/shops/demo/segments/Guests/uploads/last").status_code == 204
    told = call("GET", "/shops/demo/segments/Guests/uploads").json()
    assert [one["state"] for one in told["uploads"]] == ["undone", "applied"]
    assert told["waiting_count"] == 2
    assert call("DELETE", "/shops/demo/segments/Guests/uploads/last").status_code == 409


def test_a_discarded_upload_is_gone_and_cannot_be_applied(call, world):
    checked = send(call, world, "email\nana@shop.example\n")

    assert call("DELETE", f"{UPLOADS}/{checked['id']}").status_code == 204
    refused = call("POST", f"{UPLOADS}/{checked['id']}/application", json={"name": "Gone"})
    told = refused.json()
    assert (refused.status_code, told["code"]) == (409, "upload_state")
    assert told["errors"][0]["message"] == "This upload was discarded. Upload the file again."


@pytest.mark.parametrize(
    ("method", "address", "options", "status", "code"),
    [
        ("POST", f"{UPLOADS}/content", {"content": b"a,b\n1,2\n"}, 422, "no_key_column"),
        ("POST", f"{UPLOADS}/content", {"content": b""}, 422, "no_header"),
        ("POST", f"{UPLOADS}/content?encoding=ebcdic", {"content": b"email\n"}, 422, None),
        ("GET", f"{UPLOADS}/9999", {}, 404, "no_upload"),
        ("GET", "/shops/other/uploads/1", {}, 404, "no_shop"),
        ("POST", UPLOADS, {"json": {"file": "/etc/passwd"}}, 403, "command_line_only"),
        ("GET", "/shops/demo/segments/None/uploads", {}, 404, "no_segment"),
    ],
)
def test_what_cannot_be_done_is_told(call, method, address, options, status, code):
    told = call(method, address, **options)

    assert told.status_code == status, told.text
    if code:
        assert told.json()["code"] == code
