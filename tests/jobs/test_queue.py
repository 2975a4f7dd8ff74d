"""Jobs: rows with leases; a lost wake-up or a dead worker costs time and no work."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from regulars.errors import InputError, Throttled, Unavailable, problem
from regulars.jobs import JobRun, Jobs, LeaseLost, queue, works
from regulars.office.models.jobs import Job
from tests.jobs.at_work import reopen


@pytest.fixture
def work(monkeypatch):
    """Add a kind of job for the test; the function is its work."""

    def add(function, kind="test"):
        monkeypatch.setattr(works, "WORKS", {**works.WORKS, kind: function})

    return add


def enqueue(at_work, kind="test", **values):
    with at_work.runtime.office.session() as session:
        return at_work.jobs.later(session, kind, at_work.shop, **values).id


def job(at_work, job_id):
    with at_work.runtime.office.reading() as session:
        return session.get_one(Job, job_id)


def take(at_work, **step):
    with at_work.runtime.office.session() as session:
        return queue.take(session, at_work.clock() + timedelta(**step))


def test_a_job_is_worked_once(at_work, work):
    done = []
    work(lambda run: done.append(run.arguments["what"]))
    made = enqueue(at_work, arguments={"what": "tea"})

    at_work.jobs.run_until_idle()
    at_work.jobs.run_until_idle()

    assert done == ["tea"]
    assert job(at_work, made).state == "succeeded"


def test_the_same_job_enqueued_twice_is_one(at_work, work):
    work(lambda _run: None)

    assert enqueue(at_work, key="a") == enqueue(at_work, key="a")
    assert enqueue(at_work, key="a") != enqueue(at_work, key="b")


def test_a_job_asked_for_while_it_runs_runs_again_afterwards(at_work, work):
    seen = []

    def first_asks_again(run: JobRun) -> None:
        seen.append(run.job.id)
        if len(seen) == 1:
            enqueue(at_work, key="a")

    work(first_asks_again)
    enqueue(at_work, key="a")

    at_work.jobs.run_until_idle()

    assert len(set(seen)) == 2


def test_two_of_a_kind_never_run_at_once(at_work, work):
    work(lambda _run: None)
    enqueue(at_work, key="a")
    first = take(at_work)
    enqueue(at_work, key="a")

    assert first is not None
    assert take(at_work) is None


def test_a_silent_worker_loses_its_job_and_writes_nothing_more(at_work, work):
    work(lambda _run: None)
    enqueue(at_work)
    slow = take(at_work)
    quick = take(at_work, minutes=16)

    assert (slow.id, slow.fence + 1) == (quick.id, quick.fence)
    with pytest.raises(LeaseLost), at_work.runtime.office.session() as session:
        queue.succeed(session, slow, at_work.clock())
    assert job(at_work, slow.id).state == "running"


def test_what_a_dead_process_held_is_taken_at_the_next_start(at_work, work):
    done = []
    work(lambda run: done.append(run.cursor))
    enqueue(at_work)
    held = take(at_work)
    with at_work.runtime.office.session() as session:
        queue.report(session, held, at_work.clock(), cursor={"page": 7})

    again = reopen(at_work)
    again.jobs.bring_up_to_date()
    again.jobs.run_until_idle()

    assert done == [{"page": 7}]
    again.runtime.close()


def test_what_may_work_later_is_tried_again_later_and_later_then_given_up(at_work, work):
    tries = []

    def fail(_run: JobRun) -> None:
        tries.append(at_work.clock())
        raise Unavailable("no answer")

    work(fail)
    made = enqueue(at_work)
    for _hour in range(12):
        at_work.later(hours=1)

    assert len(tries) == queue.ATTEMPTS_MAX
    assert (job(at_work, made).state, job(at_work, made).problem) == ("given_up", "no answer")


def test_a_mistake_of_a_person_is_not_tried_again(at_work, work):
    def refuse(_run: JobRun) -> None:
        raise InputError(problem("bad", "The file has no orders."))

    work(refuse)
    made = enqueue(at_work)
    at_work.jobs.run_until_idle()

    assert (job(at_work, made).state, job(at_work, made).attempt_count) == ("given_up", 1)
    assert job(at_work, made).problem == "The file has no orders."


def test_a_slow_down_is_no_failure(at_work, work):
    tries = []

    def slow(_run: JobRun) -> None:
        tries.append(at_work.clock())
        if len(tries) == 1:
            raise Throttled("slow down", 30)

    work(slow)
    made = enqueue(at_work)
    at_work.jobs.run_until_idle()
    assert len(tries) == 1
    at_work.later(seconds=31)

    assert (job(at_work, made).state, job(at_work, made).attempt_count) == ("succeeded", 0)


def test_a_bug_shows_its_reference_and_not_its_words(at_work, work, caplog):
    def break_down(_run: JobRun) -> None:
        raise ZeroDivisionError("ana@example.com")

    work(break_down)
    made = enqueue(at_work)
    at_work.jobs.run_until_idle()

    assert "reference" in job(at_work, made).problem
    assert "ana@example.com" not in job(at_work, made).problem


def test_jobs_in_threads_are_woken_by_the_commit(at_work, work):
    done = threading.Event()
    work(lambda _run: done.set())
    at_work.jobs.start()
    try:
        enqueue(at_work)

        assert done.wait(10)
    finally:
        at_work.jobs.stop()


def test_a_rolled_back_session_leaves_no_job(at_work, work):
    work(lambda _run: None)

    def enqueue_and_fail():
        with at_work.runtime.office.session() as session:
            at_work.jobs.later(session, "test", at_work.shop)
            raise LookupError

    with pytest.raises(LookupError):
        enqueue_and_fail()

    assert take(at_work) is None


def test_the_tick_asks_for_a_look_at_shopify_every_quarter_of_an_hour(at_work, work):
    looked = []
    work(lambda _run: looked.append(at_work.clock()), "catch_up")
    with at_work.runtime.office.session() as session:
        shop = session.merge(at_work.shop)
        shop.kind, shop.loaded_at, shop.caught_up_at = "shopify", at_work.clock(), at_work.clock()

    at_work.later(minutes=14)
    assert looked == []
    at_work.later(minutes=1)

    assert len(looked) == 1


def test_one_tick_after_days_changes_the_day_once(at_work):
    jobs = Jobs(at_work.runtime)
    jobs.run_until_idle()
    at_work.clock.instant = datetime(2026, 3, 20, 12, tzinfo=UTC)
    jobs.run_until_idle()

    with at_work.runtime.office.reading() as session:
        changes = session.query(Job).filter(Job.kind == "day_change").all()
    assert [one.state for one in changes] == ["succeeded", "succeeded"]
