"""A small shop's segment is counted in the request that made it; a large one's by a worker."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regulars import segments
from regulars.jobs import jobs as jobs_module
from regulars.jobs import queue
from regulars.office.models.jobs import Job


def made(at_work):
    with at_work.runtime.office.session() as session:
        row = segments.create_segment(
            session,
            at_work.shop,
            name="All",
            query="number_of_orders >= 0",
            author="ana",
            now=at_work.clock(),
        )
        job = at_work.jobs.refresh_segment_soon(session, at_work.shop, row.id, "created")
    return row.id, job


def test_the_request_counts_a_segment_itself(at_work):
    at_work.told(at_work.order(1, "ana"))
    segment_id, job = made(at_work)

    at_work.jobs.work_here(job)

    row = at_work.row(segment_id)
    assert (row.state, row.member_count) == ("ready", 1)


def test_a_worker_takes_over_where_the_request_died(at_work):
    segment_id, _ = made(at_work)
    at_work.jobs.run_until_idle()
    assert at_work.row(segment_id).state == "building"

    at_work.later(seconds=jobs_module.HEAD_START.total_seconds())

    assert at_work.row(segment_id).state == "ready"


def test_a_large_shop_leaves_it_to_the_workers(at_work, monkeypatch):
    monkeypatch.setattr(jobs_module, "QUICK_CUSTOMERS_MAX", 0)
    at_work.told(at_work.order(1, "ana"))
    segment_id, job = made(at_work)

    at_work.jobs.work_here(job)
    assert at_work.row(segment_id).state == "building"
    at_work.jobs.run_until_idle()

    assert at_work.row(segment_id).state == "ready"


@pytest.mark.parametrize("loading", ["backfill", "import_files"])
def test_nobody_waits_for_a_load(at_work, loading):
    with at_work.runtime.office.session() as session:
        session.add(
            Job(
                shop_id=at_work.shop.id,
                kind=loading,
                state="running",
                due_at=at_work.clock(),
                leased_until=at_work.clock() + timedelta(minutes=5),
                fence=1,
                created_at=at_work.clock(),
            )
        )
    segment_id, job = made(at_work)

    at_work.jobs.work_here(job)

    assert job.due_at == at_work.clock()
    assert at_work.row(segment_id).state == "building"


def test_a_job_taken_by_a_worker_is_not_taken_again(at_work):
    segment_id, job = made(at_work)
    with at_work.runtime.office.session() as session:
        assert queue.take_this(session, job.id, at_work.clock()) is not None

    at_work.jobs.work_here(job)

    assert at_work.row(segment_id).state == "building"
