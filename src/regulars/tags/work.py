"""Carries out the tag work of one shop, so that it may stop at any point.

Each step is: look at the tags, store what will be done (row and ledger), do it, store the outcome.
A process that dies anywhere leaves rows that say "told": the next worker looks again before it does
anything. A run ends after a short while even when there is more, so that every shop has its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from regulars.clock import Clock
from regulars.errors import RegularsError, ScopeMissing, ShopifyError, TokenRejected
from regulars.office import Office
from regulars.office.models.tags import TagBulk
from regulars.tags import bulks, tasks
from regulars.tags.bulks import BULK_PAUSE
from regulars.tags.lease import give_back, hold_lease, take_lease
from regulars.tags.ledger import Desk
from regulars.tags.port import CHANGE_CUSTOMERS_MAX, Answer, TagPort
from regulars.tags.tasks import Task

#: From this many open customers on, one bulk mutation does the work instead of single calls.
BULK_CUSTOMERS_MIN = 1_000
#: How long a run goes on before it lets others have the thread.
TURN = timedelta(seconds=1)

#: A named point between two effects. Tests stop the process there.
Checkpoint = Callable[[str], None]


@dataclass
class Worker:
    """Works the tags of one shop through `port`. One instance is one run under one lease."""

    office: Office
    shop_id: int
    port: TagPort
    clock: Clock
    checkpoint: Checkpoint = field(default=lambda _name: None)
    bulk_customers_min: int = BULK_CUSTOMERS_MIN
    batch_size: int = CHANGE_CUSTOMERS_MAX
    #: Told after each stored step, for pages that follow along.
    changed: Callable[[int], None] = field(default=lambda _assignment_id: None)
    fence: int = 0
    _looked_at: datetime | None = None

    def run(self) -> timedelta | None:
        """Work until nothing is left (None) or until it is worth waiting (how long).

        ShopifyErrors pass through after what is known was stored; work that cannot go on without a
        person (token, scope) is marked with the reason first.
        """
        with self.office.session() as session:
            fence = take_lease(session, self.shop_id, self.clock())
        if fence is None:
            return BULK_PAUSE
        self.fence = fence
        try:
            pause = self._run()
        except RegularsError:
            self._give_back()
            raise
        self._give_back()
        return pause

    def desk(self, session: Session, task: Task) -> Desk:
        """Return the rows of a task in a transaction."""
        return Desk(session, self.shop_id, task, self.clock())

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction that commits only while the lease is ours."""
        with self.office.session() as session:
            hold_lease(session, self.shop_id, self.fence, self.clock())
            yield session

    def _give_back(self) -> None:
        with self.office.session() as session:
            give_back(session, self.shop_id, self.fence)

    def _run(self) -> timedelta | None:
        ends_at = self.clock() + TURN
        while True:
            bulk = self._follow_bulk()
            pause = self._step(bulk)
            if pause is None or pause:
                return min(pause, BULK_PAUSE) if bulk and pause else pause
            if self.clock() >= ends_at:
                return pause

    def _follow_bulk(self) -> TagBulk | None:
        """Move the shop's bulk operation on, now and then; return it while it goes on."""
        with self.office.reading() as session:
            bulk = bulks.open_bulk(session, self.shop_id)
            task = tasks.task_of_bulk(session, bulk) if bulk else None
        if bulk is None or task is None:
            return None
        now = self.clock()
        if self._looked_at is None or now >= self._looked_at + BULK_PAUSE:
            self._looked_at = now
            with self._excused(task):
                bulks.follow(self, bulk, task)
            with self.office.reading() as session:
                return bulks.open_bulk(session, self.shop_id)
        return bulk

    def _step(self, bulk: TagBulk | None) -> timedelta | None:
        """Do the next batch of the next task: zero to go on, None when there is nothing."""
        busy = {bulk.tag_key} if bulk else set()
        while (task := self._next_task(busy)) is not None:
            with self.office.reading() as session:
                ids = self.desk(session, task).open_ids(self.bulk_customers_min + 1)
            is_large = len(ids) > self.bulk_customers_min
            if is_large and bulk is not None:
                busy.add(task.key)
                continue
            return self._work(task, ids, is_large=is_large)
        return BULK_PAUSE if bulk else None

    def _work(self, task: Task, ids: Sequence[str], *, is_large: bool) -> timedelta:
        if not ids:
            with self.writing() as session:
                tasks.finish(session, task, self.clock())
            self.changed(task.assignment_id)
            return timedelta()
        with self._excused(task):
            if is_large:
                bulks.start(self, task)
                self._looked_at = self.clock()
                return timedelta()
            room = self.port.room()
            if room.customers < 1:
                return room.wait
            self._work_batch(task, ids[: min(self.batch_size, room.customers)])
        return timedelta()

    def _next_task(self, busy: set[str]) -> Task | None:
        with self.writing() as session:
            return tasks.next_task(session, self.shop_id, self.clock(), busy)

    @contextmanager
    def _excused(self, task: Task) -> Iterator[None]:
        """Leave a reason with work that only a person can set going again; clear it after."""
        try:
            yield
        except (TokenRejected, ScopeMissing) as error:
            with self.writing() as session:
                tasks.set_problem(session, task, str(error)[:2000])
            raise
        if task.has_problem:
            with self.writing() as session:
                tasks.set_problem(session, task, None)
        self.changed(task.assignment_id)

    def _work_batch(self, task: Task, ids: Sequence[str]) -> None:
        tags = self.port.read(ids) if task.adds else {}
        self.checkpoint("read")
        due = self._store_intent(task, ids, tags)
        self.checkpoint("intent stored")
        if due:
            self._store_answers(task, self._change(task, due))
            self.checkpoint("outcome stored")

    def _change(self, task: Task, due: Sequence[str]) -> Mapping[str, Answer]:
        answers: dict[str, Answer] = {}
        for start in range(0, len(due), CHANGE_CUSTOMERS_MAX):
            part = due[start : start + CHANGE_CUSTOMERS_MAX]
            try:
                answers |= self.port.change(part, task.tag, add=task.adds)
            except ShopifyError:
                self._store_answers(task, answers)
                raise
            self.checkpoint("effect done")
        return answers

    def _store_intent(
        self, task: Task, ids: Sequence[str], tags: Mapping[str, Sequence[str]]
    ) -> list[str]:
        with self.writing() as session:
            if not tasks.is_open(session, task):
                return []
            return self.desk(session, task).intend(ids, tags)

    def _store_answers(self, task: Task, answers: Mapping[str, Answer]) -> None:
        if answers:
            with self.writing() as session:
                self.desk(session, task).store_answers(answers)
