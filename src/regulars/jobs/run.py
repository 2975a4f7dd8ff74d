"""One try of one job, as its function sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from regulars.jobs import queue
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.runtime import Runtime

if TYPE_CHECKING:
    from regulars.jobs.jobs import Jobs

# As often as a progress bar is worth a commit.
REPORT_PAUSE = timedelta(seconds=0.25)


@dataclass
class JobRun:
    """What a job's function is given: the parts, the shop, its arguments, and where it stood."""

    runtime: Runtime
    #: For enqueueing what comes next.
    jobs: Jobs
    job: Job
    #: The shop of the job; a job without one is given none.
    _shop: Shop | None
    _reported_at: datetime | None = None

    @property
    def shop(self) -> Shop:
        """The shop the job works for."""
        if self._shop is None:
            raise LookupError(f"job {self.job.id} has no shop")
        return self._shop

    @property
    def arguments(self) -> dict[str, object]:
        """What the job was given when it was enqueued."""
        return self.job.arguments

    @property
    def cursor(self) -> dict[str, object] | None:
        """Where the work stood when it last reported; None at the first try."""
        return self.job.cursor

    def report(
        self,
        progress: float | None = None,
        note: str | None = None,
        cursor: dict[str, object] | None = None,
    ) -> None:
        """Store where the work stands and keep the lease; raises LeaseLost.

        Progress alone is stored four times a second at most.
        """
        now = self.runtime.clock()
        if cursor is None and self._reported_at and now - self._reported_at < REPORT_PAUSE:
            return
        self._reported_at = now
        with self.runtime.office.session() as session:
            queue.report(
                session,
                self.job,
                now,
                progress=progress,
                note=note,
                cursor=cursor,
            )
        if self._shop is not None:
            self.runtime.news.publish(
                self._shop.id, "jobs", id=self.job.id, kind=self.job.kind, progress=progress
            )


#: A job's function. It returns None when the job is done, or how long until it goes on.
Work = Callable[[JobRun], timedelta | None]
