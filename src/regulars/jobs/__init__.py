"""Jobs: the only place where features meet and work is started.

Rows are the truth, wake-ups only wake. Nothing here decides what a feature means.
"""

from regulars.jobs.inbox import Event
from regulars.jobs.jobs import Jobs
from regulars.jobs.queue import LeaseLost
from regulars.jobs.run import JobRun

__all__ = ["Event", "JobRun", "Jobs", "LeaseLost"]
