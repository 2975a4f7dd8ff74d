"""A clock that was set back keeps nobody waiting until it has caught up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from regulars.jobs import queue
from regulars.jobs.schedule import enqueue_due
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.segments import edit_segment, find_segment

DAY = timedelta(days=1)


def jobs_of(at_work, kind):
    with at_work.runtime.office.reading() as session:
        return session.scalars(select(Job).where(Job.kind == kind).order_by(Job.id)).all()


def due(at_work):
    with at_work.runtime.office.session() as session:
        enqueue_due(session, at_work.clock(), at_work.runtime.settings)


def test_an_edit_asked_for_before_is_worked_at_once(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.told(at_work.order(1, "ana", 100))
    with at_work.runtime.office.session() as session:
        row = find_segment(session, at_work.shop, vip)
        edit_segment(
            session, at_work.shop, row, query="amount_spent >= 50", author="bo", now=at_work.clock()
        )
        at_work.jobs.refresh_segment_later(session, at_work.shop, vip, "edited")
    at_work.set_back(DAY)

    at_work.jobs.run_until_idle()

    assert at_work.members(vip) == {"ana"}


def test_a_try_that_failed_before_is_made_again_at_once(at_work):
    at_work.later(hours=2)
    with at_work.runtime.office.session() as session:
        made = queue.enqueue(session, shop_id=None, kind="none", now=at_work.clock() - 2 * DAY)
        queue.take(session, at_work.clock())
        queue.fail(session, made, at_work.clock(), "no room")
    at_work.set_back(DAY)

    due(at_work)

    (job,) = jobs_of(at_work, "none")
    assert job.due_at == at_work.clock()


@pytest.mark.parametrize("back", [DAY / 24, DAY])
def test_what_was_missed_is_looked_for_as_before(at_work, back):
    with at_work.runtime.office.session() as session:
        shop = session.get_one(Shop, at_work.shop.id)
        shop.kind, shop.loaded_at, shop.caught_up_at = "shopify", shop.created_at, at_work.clock()
    due(at_work)
    assert jobs_of(at_work, "catch_up") == []
    at_work.set_back(back)

    due(at_work)
    due(at_work)

    assert len(jobs_of(at_work, "catch_up")) == 1


def test_a_proof_does_not_wait_for_the_day_that_has_begun(at_work):
    at_work.segment("VIP", "amount_spent >= 200")
    at_work.later(days=1)
    at_work.set_back(DAY)
    with at_work.runtime.office.session() as session:
        at_work.jobs.prove_later(session, at_work.shop)

    at_work.jobs.run_until_idle()

    assert jobs_of(at_work, "prove")[-1].state == "succeeded"


def test_what_is_done_every_hour_is_done_every_hour(at_work):
    at_work.later(hours=2)
    at_work.set_back(DAY)
    before = len(jobs_of(at_work, "prove"))

    for _ in range(3):
        at_work.jobs.run_until_idle()
    once = len(jobs_of(at_work, "prove")) - before
    at_work.later(hours=1)
    at_work.jobs.run_until_idle()

    assert (once, len(jobs_of(at_work, "prove")) - before) == (1, 2)
