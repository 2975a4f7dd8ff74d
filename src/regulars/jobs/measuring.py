"""Measuring: the figures of segments by day, and the running proof that memberships are right."""

from __future__ import annotations

from datetime import timedelta

from regulars.jobs.run import JobRun
from regulars.segments import definitions, metrics


def back_fill_metrics(run: JobRun) -> timedelta | None:
    """Work out a segment's figures for some days before today, and go on later with the rest."""
    runtime, shop = run.runtime, run.shop
    with runtime.office.reading() as session:
        current = definitions(session, shop)
    count = sum(
        metrics.back_fill(
            runtime.warehouse(shop),
            runtime.evaluator(shop),
            runtime.memberships(shop),
            shop,
            one,
            now=runtime.clock(),
            days_back=runtime.settings.metrics_days_back,
            was_in_trash=bool(run.arguments.get("was_in_trash")),
            tell=lambda share: run.report(share, "Working out past days"),
        )
        for one in current
        if one.segment_id == run.arguments["segment_id"]
    )
    return timedelta(0) if count else None


def close_days(run: JobRun) -> None:
    """Store the figures of the days that ended."""
    runtime, shop = run.runtime, run.shop
    with runtime.office.reading() as session:
        current = definitions(session, shop)
    metrics.close_days(runtime.warehouse(shop), shop, current, now=runtime.clock())
