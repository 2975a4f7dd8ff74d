"""Every fault, switched on by name, does what its name says and stops when switched off."""

from __future__ import annotations

import httpx
import pytest

from regulars.simulator.faults import FAULTS, Faults
from tests.simulator.conftest import Stage, open_stage
from tests.simulator.test_bulk import PEOPLE, lines, run_mutation, start, status, upload
from tests.simulator.test_webhooks import App, subscribe

ADD = (
    'mutation ($id: ID!) { tagsAdd(id: $id, tags: ["vip"]) '
    "{ node { id } userErrors { field message } } }"
)


def tag(stage: Stage) -> httpx.Response:
    return stage.post(ADD, id=stage.gid("ana"))


def is_tagged(stage: Stage) -> bool:
    return stage.people["ana"].tags == ("vip",)


def test_throttled(stage: Stage):
    stage.simulator.faults.switch_on("throttled", times=1)

    assert tag(stage).json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert not is_tagged(stage)
    tag(stage)
    assert is_tagged(stage)


def test_unavailable(stage: Stage):
    stage.simulator.faults.switch_on("unavailable", times=1)

    assert tag(stage).status_code == 503
    assert not is_tagged(stage)


def test_lost_response_happens_and_is_not_told(stage: Stage):
    stage.simulator.faults.switch_on("lost_response", times=1)

    with pytest.raises(httpx.RemoteProtocolError):
        tag(stage)

    assert is_tagged(stage)


def test_slow_runs_into_the_clients_patience(stage: Stage):
    stage.simulator.faults.switch_on("slow", times=1)

    with pytest.raises(httpx.ReadTimeout):
        tag(stage)

    assert is_tagged(stage)


def test_garbage_body(stage: Stage):
    stage.simulator.faults.switch_on("garbage_body", times=1)

    answer = tag(stage)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert is_tagged(stage)


def test_expired_token(stage: Stage):
    stage.simulator.faults.switch_on("expired_token", times=1)

    assert tag(stage).status_code == 401
    assert not is_tagged(stage)


def test_customer_deleted_meanwhile(stage: Stage):
    stage.simulator.faults.switch_on("customer_deleted_meanwhile", times=1)

    told = tag(stage).json()["data"]["tagsAdd"]

    assert told["userErrors"] == [{"field": ["id"], "message": "Customer does not exist"}]


def test_bulk_failed_leaves_a_part(stage: Stage):
    stage.simulator.faults.switch_on("bulk_failed", times=1)

    told = status(stage, start(stage, PEOPLE))

    assert (told["status"], told["errorCode"]) == ("FAILED", "INTERNAL_SERVER_ERROR")
    assert told["url"] is None
    assert len([r for r in lines(stage, told["partialDataUrl"]) if "firstName" in r]) == 2


def test_half_applied_stops_in_the_middle_and_tells_what_was_done(stage: Stage):
    stage.simulator.faults.switch_on("half_applied", times=1)
    rows = [{"id": stage.gid(name), "tags": ["vip"]} for name in stage.people]

    told = status(stage, run_mutation(stage, upload(stage, rows))["bulkOperation"]["id"])

    assert told["status"] == "FAILED"
    assert len(lines(stage, told["partialDataUrl"])) == 2
    assert [c.tags for c in stage.people.values()] == [("vip",), ("vip",), (), ()]


def test_expired_url(stage: Stage):
    url = status(stage, start(stage, PEOPLE))["url"]
    stage.simulator.faults.switch_on("expired_url", times=1)

    assert stage.client.get(url).status_code == 400
    assert stage.client.get(url).status_code == 200


def changes(stage: Stage, count: int = 12) -> App:
    subscribe(stage, "customers/update")
    for number in range(count):
        stage.shop.update_customer(stage.people["ana"], note=str(number))
        stage.wait(seconds=1)
    app = App()
    stage.simulator.webhooks.send_due(app)
    return app


def test_duplicate_webhook_is_the_same_delivery_twice(stage: Stage):
    stage.simulator.faults.switch_on("duplicate_webhook")

    app = changes(stage, 3)

    assert len(app.got) == 6
    assert len({headers["X-Shopify-Webhook-Id"] for _, headers, _ in app.got}) == 3


def test_out_of_order(stage: Stage):
    stage.simulator.faults.switch_on("out_of_order")

    app = changes(stage)

    times = [headers["X-Shopify-Triggered-At"] for _, headers, _ in app.got]
    assert times != sorted(times)
    assert len(set(times)) == 12


def test_late(stage: Stage):
    stage.simulator.faults.switch_on("late")
    app = changes(stage)
    assert app.got == []

    stage.wait(hours=4)
    stage.simulator.webhooks.send_due(app)

    assert len(app.got) == 12


def test_dropped_webhooks(stage: Stage):
    stage.simulator.faults.switch_on("dropped_webhooks")

    app = changes(stage)
    stage.wait(days=1)
    stage.simulator.webhooks.send_due(app)

    assert app.got == []
    assert stage.simulator.webhooks.waiting() == 0


def test_deleted_subscription(stage: Stage):
    stage.simulator.faults.switch_on("deleted_subscription", times=1)

    app = changes(stage)

    assert app.got == []
    assert stage.simulator.webhooks.subscriptions == {}


def test_every_fault_is_proved_here():
    proved = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}

    assert [fault for fault in FAULTS if not any(name.startswith(fault) for name in proved)] == []


def test_the_same_seed_strikes_the_same_way():
    def strikes(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.switch_on("slow", rate=0.3)
        return [faults.strikes("slow") for _ in range(200)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)
    assert 30 < sum(strikes(1)) < 90


def test_a_fault_strikes_as_often_as_it_was_told_and_not_after_it_is_off():
    stage = open_stage(seed=3)
    faults = stage.simulator.faults
    faults.switch_on("slow", times=2)
    assert [faults.strikes("slow") for _ in range(4)] == [True, True, False, False]

    faults.switch_on("slow")
    faults.switch_off("slow")
    assert not faults.strikes("slow")


def test_a_fault_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="there is no fault 'typo'"):
        Faults().switch_on("typo")
