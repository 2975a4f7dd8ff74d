"""A clock that was set back keeps nobody waiting until it has caught up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from regulars import tracking
from regulars.errors import InputError, LimitError, PermissionDenied
from regulars.jobs import queue
from regulars.jobs.schedule import enqueue_due
from regulars.jobs.telling import states_of
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.segments import day_of, edit_segment, find_segment
from regulars.tags.lease import LEASE, LeaseLost, hold_lease, take_lease
from regulars.web import sessions, team
from regulars.web.trackings import counted

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


def track(at_work, starts_on, ends_on):
    with at_work.runtime.office.session() as session:
        shop = session.get_one(Shop, at_work.shop.id)
        row = find_segment(session, shop, "VIP")
        days = {"starts_on": starts_on, "ends_on": ends_on}
        return tracking.create_tracking(
            session, shop, row, **days, author="ana", now=at_work.clock()
        )


def status(at_work, row):
    """What the pages say of a tracking, and what other programs are told of it."""
    with at_work.runtime.office.reading() as session:
        shop = session.get_one(Shop, at_work.shop.id)
        [shown] = counted(at_work.runtime, shop, [row], at_work.clock())
        [told] = states_of(session, shop, at_work.clock())
    assert told.data["tracking"]["status"] == shown.standing.status
    return shown.standing.status


@pytest.mark.parametrize("back", [DAY / 24, DAY])
def test_a_tracking_that_has_ended_does_not_go_on(at_work, back):
    """The clock stands at noon in Tokyo; the last minutes of a day are played twice."""
    at_work.segment("VIP", "amount_spent >= 200")
    today = day_of(at_work.shop, at_work.clock())
    row = track(at_work, today, today)
    assert status(at_work, row) == "in_progress"

    at_work.later(hours=12, minutes=10)
    assert status(at_work, row) == "finished"
    at_work.set_back(back)
    at_work.jobs.run_until_idle()

    assert status(at_work, row) == "finished"
    with pytest.raises(InputError, match="must start today or later"):
        track(at_work, today, today)
    assert track(at_work, today + DAY, today + DAY).id > row.id


def test_tags_are_worked_by_another_at_once_where_a_worker_went_silent(at_work):
    office, shop_id = at_work.runtime.office, at_work.shop.id
    with office.session() as session:
        lost = take_lease(session, shop_id, at_work.clock())
        assert take_lease(session, shop_id, at_work.clock() + LEASE / 2) is None
    at_work.set_back(DAY)

    with office.session() as session:
        fence = take_lease(session, shop_id, at_work.clock())
    with pytest.raises(LeaseLost), office.session() as session:
        hold_lease(session, shop_id, lost, at_work.clock())

    assert fence == lost + 1


def test_a_link_that_was_made_before_does_not_open_again_a_day_later(at_work):
    office = at_work.runtime.office
    with office.session() as session:
        owner = sessions.ensure_owner(session, at_work.clock())
        old = sessions.create_sign_in_link(session, owner, at_work.clock())
    at_work.set_back(DAY)
    due(at_work)
    with office.session() as session:
        owner = sessions.ensure_owner(session, at_work.clock())
        new = sessions.create_sign_in_link(session, owner, at_work.clock())
    at_work.set_back(timedelta(minutes=10))
    due(at_work)

    with office.session() as session:
        assert sessions.use_sign_in_link(session, new, at_work.clock()).role == "owner"
    for later in (timedelta(), DAY):
        with pytest.raises(PermissionDenied), office.session() as session:
            sessions.use_sign_in_link(session, old, at_work.clock() + later)


def test_whoever_is_signed_in_or_invited_stays_so_as_long_as_anybody(at_work):
    office = at_work.runtime.office
    with office.session() as session:
        owner = sessions.ensure_owner(session, at_work.clock())
        token = sessions.start_session(session, owner, at_work.clock())
        act = team.Act("Owner", at_work.clock())
        team.invite(session, act, login="dee@shop.example", role="owner", shop_ids=[])
    at_work.set_back(DAY)
    due(at_work)
    idle = timedelta(hours=sessions.IDLE_HOURS)

    with office.reading() as session:
        assert sessions.find_session(session, token, at_work.clock()) is not None
        assert sessions.find_session(session, token, at_work.clock() + 1.1 * idle) is None
        [invited] = team.living_invitations(session, at_work.clock())
        assert invited.expires_at == at_work.clock() + timedelta(days=7)


def test_whoever_mistyped_waits_a_quarter_of_an_hour_and_no_day(at_work):
    office = at_work.runtime.office
    for _ in range(sessions.ATTEMPTS_PER_LOGIN):
        with office.session() as session:
            sessions.record_attempt(session, "owner", "10.0.0.1", at_work.clock())
    at_work.set_back(DAY)
    due(at_work)

    def tried(now):
        with office.session() as session:
            sessions.check_password(session, "owner", "wrong", "10.0.0.1", now)

    with pytest.raises(LimitError):
        tried(at_work.clock())
    with pytest.raises(InputError, match="do not belong together"):
        tried(at_work.clock() + timedelta(minutes=16))
