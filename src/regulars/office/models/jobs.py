"""Jobs: long work as rows. The row is the truth; whoever works it holds a lease with a number."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class Job(Base):
    """One queued unit of work."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_due", "state", "due_at"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    #: None for work that belongs to the whole installation.
    shop_id: Mapped[int | None] = mapped_column(
        ForeignKey("shops.id", ondelete="CASCADE"), index=True
    )
    #: Which function works it: a key of `jobs.WORKS`.
    kind: Mapped[str] = mapped_column(String(64))
    #: Two unfinished jobs with the same kind, shop and key are one.
    key: Mapped[str] = mapped_column(String(200), default="")
    #: What the function is given besides the shop.
    arguments: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    #: "waiting", "running", "succeeded", "failed" (will be tried again), "given_up".
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    #: Not before this instant.
    due_at: Mapped[datetime]
    attempt_count: Mapped[int] = mapped_column(default=0)
    #: Rises each time somebody takes the job; a worker with an older number writes nothing.
    fence: Mapped[int] = mapped_column(default=0)
    #: The lease ends here; afterwards somebody else may take the job.
    leased_until: Mapped[datetime | None]
    #: Where the work stands, for going on after a stop.
    cursor: Mapped[dict[str, object] | None] = mapped_column(JSON)
    #: 0 to 1; None where the end is not known.
    progress: Mapped[float | None]
    #: What is being done, in English, for a person who waits.
    note: Mapped[str] = mapped_column(String(255), default="")
    problem: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
