"""An owner makes an endpoint, looks at what was sent, and takes it away, without a program."""

from __future__ import annotations

import re

import pytest

from tests.web.visitor import Visitor


@pytest.fixture
def visitor(world):
    found = Visitor(world.app)
    found.sign_in(world.sign_in_token())
    return found


def test_from_the_first_endpoint_to_its_end(world, visitor, receiver):
    page = visitor.get("/settings/endpoints")
    wrong = visitor.press(page, "Add endpoint", Address="http://10.0.0.1/")
    assert wrong.status == 422
    assert "begins with https://" in wrong.field_problem("Address")

    made = visitor.press(page, "Add endpoint", Address="https://hooks.shop.example/in")
    assert re.search(r"regulars_whsec_\w+", made.text)
    address = made.link("https://hooks.shop.example/in")
    assert not re.search(r"regulars_whsec_\w+", visitor.get(address).text)

    visitor.press(visitor.get(address), "Send a test")
    world.work()
    page = visitor.get(address)
    assert "delivered" in page.text
    assert len(receiver.requests) == 1

    visitor.press(page, f"Send again: {receiver.bodies[0]['id']}")
    world.work()
    assert len(receiver.requests) == 2
    assert visitor.press(page, "Switch off").status == 200
    assert "Switch on" in visitor.get(address).text
    visitor.press(visitor.get(page.link("Delete")), "Delete endpoint")
    assert visitor.get(address).status == 404
    told = visitor.get("/settings/audit").text
    for act in ("made an endpoint", "switched an endpoint off", "deleted an endpoint"):
        assert act in told
