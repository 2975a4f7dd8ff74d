"""Jobs: wakes workers, hands them rows, and keeps one shop's trouble from the others."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import event
from sqlalchemy.orm import Session

from regulars.errors import InputError, ShopifyError, Throttled
from regulars.jobs import notices, queue, schedule, tagging, telling, works
from regulars.jobs.inbox import Inbox
from regulars.jobs.run import JobRun
from regulars.jobs.wake import Wakes
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.runtime import Runtime
from regulars.runtime.news import Item
from regulars.segments import definitions
from regulars.segments.uploads import Parts

log = logging.getLogger(__name__)

# So many customers are evaluated faster than a person looks at the answer.
QUICK_CUSTOMERS_MAX = 100_000
# How long a job waits for the request that made it before a worker takes it over.
HEAD_START = timedelta(seconds=3)

# Threads that only take work of which one try is short: however many loads there are, another
# shop's tags do not wait for them.
SHORT_SLOTS = 2

#: Whether news of a shop concerns a kind of work.
Concerns = Callable[[Session, int], bool]


@dataclass(frozen=True, slots=True)
class Lane:
    """Threads that take jobs of some kinds; none named means all."""

    kinds: frozenset[str]
    slots: threading.BoundedSemaphore


class Jobs:
    """Works off what is due, in threads after `start`, or in the caller's with `run_until_idle`."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.inbox = Inbox(runtime, self.wake_inbox)
        # One worker is always left for the inbox and the tick.
        slots = runtime.settings.worker_count - 1
        short = frozenset(works.WORKS) - frozenset(works.LONG)
        self._lanes = (
            Lane(frozenset(), threading.BoundedSemaphore(slots)),
            Lane(short, threading.BoundedSemaphore(SHORT_SLOTS)),
        )
        tasks: dict[str, Callable[[], object]] = {
            "work": self._work,
            "inbox": self._apply,
            "tick": self._tick,
            "remember": self._remember,
        }
        self._wakes = Wakes(tasks, runtime.settings.worker_count + SHORT_SLOTS)
        self._starts: list[tuple[frozenset[str], str, Concerns]] = []
        tagging.listen(self)
        telling.listen(self)
        runtime.news.listen(self._start_what_concerns)

    def start(self) -> None:
        """Start the threads and look for what was left undone."""
        self._free()
        self._wakes.start()
        self._wakes.wake("tick")
        self._wakes.wake("inbox")

    def stop(self) -> None:
        """Stop after the step at hand; what is unfinished stays as rows."""
        self._wakes.stop()

    def run_until_idle(self) -> None:
        """Work everything that is due now, in this thread."""
        self._schedule()
        while self.inbox.apply_all() or self._work_one():
            pass

    def bring_up_to_date(self) -> None:
        """Apply what waits and follow the days that passed, in this thread, without Shopify."""
        self._free()
        self._schedule()
        while self.inbox.apply_all() or self._work_one(works.AT_HOME):
            pass

    def wake_inbox(self) -> None:
        """Have the inbox looked at."""
        self._wakes.wake("inbox")

    def wake_work(self) -> None:
        """Have due jobs looked at."""
        self._wakes.wake("work")

    def start_on(self, topics: Collection[str], kind: str, concerns: Concerns) -> None:
        """Start this work for a shop whenever there is news of such a topic that concerns it."""
        self._starts.append((frozenset(topics), kind, concerns))

    def _start_what_concerns(self, item: Item) -> None:
        asked = [
            (kind, concerns) for topics, kind, concerns in self._starts if item.topic in topics
        ]
        if not asked:
            return
        with self.runtime.office.reading() as session:
            kinds = [kind for kind, concerns in asked if concerns(session, item.shop_id)]
            shop = session.get(Shop, item.shop_id) if kinds else None
        if shop is not None:
            with self.runtime.office.session() as session:
                for kind in kinds:
                    self.later(session, kind, shop)

    def later(
        self,
        session: Session,
        kind: str,
        shop: Shop | None,
        *,
        key: str = "",
        arguments: dict[str, object] | None = None,
        due_at: datetime | None = None,
    ) -> Job:
        """Enqueue a job in the caller's transaction; workers are woken once it is committed."""
        if kind not in works.WORKS:
            raise LookupError(f"there is no work of kind {kind!r}")
        job = queue.enqueue(
            session,
            shop_id=shop.id if shop else None,
            kind=kind,
            now=self.runtime.clock(),
            key=key,
            arguments=arguments,
            due_at=due_at,
        )
        event.listen(session, "after_commit", self._wake_after_commit, once=True)
        return job

    def refresh_segment_later(
        self, session: Session, shop: Shop, segment_id: int, cause: str
    ) -> Job:
        """Have a segment evaluated anew, with everything that is made of it."""
        arguments: dict[str, object] = {"segment_id": segment_id, "cause": cause}
        return self.later(
            session, "refresh_segment", shop, key=str(segment_id), arguments=arguments
        )

    def refresh_segment_soon(
        self, session: Session, shop: Shop, segment_id: int, cause: str
    ) -> Job:
        """Have a segment evaluated by the caller, who gives the job to `work_here` afterwards.

        Should the caller not come to it, or the shop be large, a worker does it.
        """
        now = self.runtime.clock()
        return self.later(
            session,
            "refresh_segment",
            shop,
            key=str(segment_id),
            arguments={"segment_id": segment_id, "cause": cause},
            due_at=now + HEAD_START if self._is_quick(session, shop) else now,
        )

    def work_here(self, *jobs: Job) -> None:
        """Work jobs of `refresh_segment_soon` in this thread, unless it would take long."""
        for job in jobs:
            with self.runtime.office.session() as session:
                shop = session.get(Shop, job.shop_id) if job.shop_id else None
                quick = shop is not None and self._is_quick(session, shop)
                taken = queue.take_this(session, job.id, self.runtime.clock()) if quick else None
            if taken is not None:
                self._work_taken(taken, shop)

    def _is_quick(self, session: Session, shop: Shop) -> bool:
        """Whether a segment of this shop is evaluated in a moment: few customers, no load."""
        if queue.is_running(session, shop.id, works.LOADING):
            return False
        return self.runtime.warehouse(shop).customer_count() <= QUICK_CUSTOMERS_MAX

    def backfill_later(self, session: Session, shop: Shop) -> Job:
        """Have the full first copy of a Shopify shop made."""
        return self.later(session, "backfill", shop)

    def catch_up_later(self, session: Session, shop: Shop) -> Job:
        """Have everything fetched that changed since the last look."""
        return self.later(session, "catch_up", shop)

    def compare_later(self, session: Session, shop: Shop, *, accept_deletions: bool = False) -> Job:
        """Have the whole shop compared with Shopify; a large loss needs `accept_deletions`."""
        arguments: dict[str, object] = {"accept_deletions": accept_deletions}
        return self.later(session, "compare", shop, arguments=arguments)

    def prove_later(self, session: Session, shop: Shop) -> Job:
        """Have the kept members of every segment compared with an evaluation from nothing."""
        return self.later(session, "prove", shop, arguments={"everything": True})

    def import_later(self, session: Session, shop: Shop, files: dict[str, str]) -> Job:
        """Have files of this machine brought into a shop: paths by "orders" and "customers"."""
        key = secrets.token_hex(8)
        return self.later(session, "import_files", shop, key=key, arguments=dict(files))

    def check_upload_later(self, session: Session, shop: Shop, upload_id: int) -> Job:
        """Have the rows of an uploaded file checked."""
        arguments: dict[str, object] = {"upload_id": upload_id}
        return self.later(session, "check_upload", shop, key=str(upload_id), arguments=arguments)

    def uploads(self, shop: Shop) -> Parts:
        """Return what uploads of a shop work with."""
        return works.upload_parts(self.runtime, shop)

    def follow_definitions(self, shop: Shop) -> None:
        """Let the memberships know of renamed and deleted segments and lists, after the commit."""
        memberships = self.runtime.memberships(shop)
        with memberships.held(), self.runtime.office.reading() as session:
            memberships.follow_lists(session, shop)
            memberships.adopt(definitions(session, shop))

    def work_tags_later(self, session: Session, shop: Shop) -> Job:
        """Have waiting tag assignments and removals carried out."""
        return self.later(session, "work_tags", shop)

    def follow_tag_rules_later(self, session: Session, shop: Shop) -> Job:
        """Have the shop's tag rules compared with their segments."""
        return self.later(session, "follow_tag_rules", shop)

    def check_tag_drift_later(self, session: Session, shop: Shop) -> Job:
        """Have the tags at Shopify compared with what we told it."""
        return self.later(session, "check_tag_drift", shop)

    def deliver_later(self, session: Session, shop: Shop, endpoint_id: int) -> Job:
        """Have what waits for an endpoint sent."""
        return telling.deliver_later(self, session, shop, endpoint_id)

    def tell_of_messages_later(
        self, session: Session, shop: Shop, conversation_id: int, *, by_operator: bool
    ) -> Job:
        """Have the other side of a conversation told by mail, should it not look soon."""
        arguments: dict[str, object] = {
            "conversation_id": conversation_id,
            "by_operator": by_operator,
        }
        return self.later(
            session,
            "tell_of_messages",
            shop,
            key=f"{conversation_id}:{by_operator}",
            arguments=arguments,
            due_at=self.runtime.clock() + notices.PATIENCE,
        )

    def _wake_after_commit(self, _session: Session) -> None:
        self._wakes.wake("work")

    def _tick(self) -> None:
        self._schedule()
        self._wakes.wake("inbox")
        self._wakes.wake("work")
        self._wakes.wake("remember")

    def _free(self) -> None:
        with self.runtime.office.session() as session:
            queue.free_all(session, self.runtime.clock())
            tagging.start(session, self.runtime.clock())

    def _schedule(self) -> None:
        with self.runtime.office.session() as session:
            schedule.enqueue_due(session, self.runtime.clock(), self.runtime.settings)

    def _remember(self) -> None:
        self.runtime.warehouses.remember(lambda: self._wakes.running)

    def _apply(self) -> None:
        if self.inbox.apply_all():
            # What was applied may have asked for more work, and may have opened a warehouse.
            self._wakes.wake("work")
            if self.runtime.warehouses.are_lacking:
                self._wakes.wake("remember")

    def _work(self) -> None:
        lane = next((one for one in self._lanes if one.slots.acquire(blocking=False)), None)
        if lane is None:
            # Every slot is taken; whoever has one looks for more work before leaving.
            return
        try:
            while self._wakes.running and self._work_one(lane.kinds):
                pass
        finally:
            lane.slots.release()
        self._wake_when_due(lane.kinds)

    def _wake_when_due(self, kinds: Collection[str]) -> None:
        with self.runtime.office.reading() as session:
            due_at = queue.next_due(session, kinds)
        if due_at is not None:
            seconds = (due_at - self.runtime.clock()).total_seconds()
            # Beyond a minute the tick finds it.
            if seconds < 60:
                self._wakes.wake("work", max(seconds, 0.2))

    def _work_one(self, kinds: Collection[str] = ()) -> bool:
        """Work one due job; False when there is none."""
        with self.runtime.office.session() as session:
            job = queue.take(session, self.runtime.clock(), kinds)
            shop = session.get(Shop, job.shop_id) if job and job.shop_id else None
        if job is None:
            return False
        self._work_taken(job, shop)
        return True

    def _work_taken(self, job: Job, shop: Shop | None) -> None:
        try:
            self._try(JobRun(self.runtime, self, job, shop))
        except queue.LeaseLost:
            log.warning("job %s was taken over", job.id)
        self.runtime.news.publish(job.shop_id or 0, "jobs", id=job.id, kind=job.kind)

    def _try(self, run: JobRun) -> None:
        job = run.job
        try:
            pause = works.WORKS[job.kind](run)
        except queue.LeaseLost:
            raise
        except Throttled as error:
            pause = timedelta(seconds=error.wait_seconds)
        except (InputError, ShopifyError) as error:
            # What a person got wrong does not get better by trying again.
            self._fail(job, str(error), final=isinstance(error, InputError))
            return
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("job %s (%s) failed, reference %s", job.id, job.kind, reference)
            self._fail(job, f"Something went wrong on our side (reference {reference}).")
            return
        with self.runtime.office.session() as session:
            now = self.runtime.clock()
            if pause is None:
                queue.succeed(session, job, now)
            else:
                queue.postpone(session, job, now + pause)

    def _fail(self, job: Job, problem: str, *, final: bool = False) -> None:
        with self.runtime.office.session() as session:
            queue.fail(session, job, self.runtime.clock(), problem, final=final)
