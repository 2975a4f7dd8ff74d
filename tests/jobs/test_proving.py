"""Proof: right members pass, a wrong one is found, told and kept until it is right again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from regulars.jobs import alarms, proving
from regulars.office.models.jobs import Job


def proved(at_work):
    with at_work.runtime.office.session() as session:
        at_work.jobs.prove_later(session, at_work.shop)
    at_work.jobs.run_until_idle()
    with at_work.runtime.office.reading() as session:
        return proving.last_proof(session, at_work.shop).cursor["result"]


@pytest.fixture
def vip(at_work):
    made = at_work.all_segments({"VIP": "amount_spent >= 200", "Others": "segment != 'VIP'"})
    at_work.told(at_work.order(1, "ana", 300), at_work.order(2, "bo", 100))
    return made[0]


def spoil(at_work, segment_id, customer):
    """Put somebody into the kept set who does not belong."""
    number = at_work.runtime.warehouse(at_work.shop).customer_nos([customer])[customer]
    state = at_work.runtime.memberships(at_work.shop)._state
    state.working[segment_id].add(number)
    state.publish(segment_id)
    return number


def test_right_members_pass(at_work, vip):
    result = proved(at_work)

    assert (result["segments"], result["members"], result["wrong"]) == (2, 2, [])


def test_a_wrong_member_is_found_with_segment_and_customer(at_work, vip):
    told = []
    at_work.runtime.news.listen(told.append)
    number = spoil(at_work, vip, "bo")

    (wrong, _others) = proved(at_work)["wrong"]

    assert (wrong["name"], wrong["extra"], wrong["missing"]) == ("VIP", 1, 0)
    assert (wrong["log_differs"], wrong["customer_nos"]) == (1, [number])
    assert [item.data for item in told if item.topic == "proof"] == [{"wrong": 2}]


def test_an_alarm_stays_until_the_segment_is_right_again(at_work, vip):
    spoil(at_work, vip, "bo")
    assert proved(at_work)["wrong"]

    at_work.runtime.forget(at_work.shop.id)

    assert proved(at_work)["wrong"] == []


def test_each_hour_the_next_segments_are_looked_at(at_work, vip, monkeypatch):
    monkeypatch.setattr(proving, "SAMPLE", 1)
    looked_at = []
    for _ in range(3):
        at_work.later(hours=1)
        with at_work.runtime.office.reading() as session:
            looked_at.append(proving.last_proof(session, at_work.shop).cursor["result"]["last_id"])

    assert looked_at == [1, 2, 1]


def test_a_proof_waits_for_the_day_change(at_work, vip):
    with at_work.runtime.office.session() as session:
        at_work.jobs.prove_later(session, at_work.shop)

    at_work.later(days=1)

    with at_work.runtime.office.reading() as session:
        states = session.scalars(select(Job.state).where(Job.kind == "prove")).all()
        last = proving.last_proof(session, at_work.shop)
    assert "given_up" not in states
    assert last is None or last.cursor["result"]["wrong"] == []


def test_an_alarm_is_counted_and_the_operator_written_to_once_a_day(at_work, vip):
    with at_work.runtime.office.reading() as session:
        assert alarms.counts(session) == {}
    spoil(at_work, vip, "bo")
    proved(at_work)
    at_work.runtime.settings.smtp_url = "smtp://mail.example"
    with at_work.runtime.office.session() as session:
        assert alarms.counts(session) == {"failed_proofs": 1}
        for hours in (0, 1, 23, 25):
            now = at_work.clock() + timedelta(hours=hours)
            alarms.enqueue_due(session, now, at_work.runtime.settings)
            for job in session.scalars(select(Job).where(Job.kind == "tell_of_alarms")):
                job.state = "succeeded"
        told = session.scalars(select(Job).where(Job.kind == "tell_of_alarms")).all()

    assert len(told) == 2
