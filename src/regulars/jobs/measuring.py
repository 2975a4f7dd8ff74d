"""Measuring: the figures of segments by day, and the running proof that memberships are right."""

from __future__ import annotations

from regulars.jobs.run import JobRun
from regulars.segments import definitions, metrics


def back_fill_metrics(run: JobRun) -> None:
    """Work out a segment's figures for the days before today."""
    runtime, shop = run.runtime, run.shop
    with runtime.office.reading() as session:
        current = definitions(session, shop)
    chosen = [one for one in current if one.segment_id == run.arguments["segment_id"]]
    by_key = {one.key: one for one in current}
    for one in chosen:
        metrics.back_fill(
            runtime.warehouse(shop),
            runtime.evaluator(shop),
            runtime.memberships(shop),
            shop,
            one,
            is_known=metrics.is_past_known(one, by_key),
            now=runtime.clock(),
            tell=lambda share: run.report(share, "Working out past days"),
        )


def close_days(run: JobRun) -> None:
    """Store the figures of the days that ended."""
    runtime, shop = run.runtime, run.shop
    with runtime.office.reading() as session:
        current = definitions(session, shop)
    metrics.close_days(runtime.warehouse(shop), shop, current, now=runtime.clock())
