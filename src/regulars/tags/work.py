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

from regulars.clock import is_over
from regulars.errors import RegularsError, ScopeMissing, ShopifyError, TokenRejected
from regulars.office.models.tags import TagBulk
from regulars.tags import bulks, tasks
from regulars.tags.bulks import BULK_PAUSE
from regulars.tags.lease import give_back, take_lease
from regulars.tags.port import Answer
from regulars.tags.pricing import CHANGE_CUSTOMERS_MAX
from regulars.tags.run import Run
from regulars.tags.tasks import Task

#: From this many open customers on, one bulk mutation does the work instead of single calls.
BULK_CUSTOMERS_MIN = 1_000
#: How long a run goes on before it lets others have the thread.
TURN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """What a worker does next: a batch of a task, or a look at the bulk operation under way."""

    #: None: there is nothing to do but to wait for `bulk`, if there is one.
    task: Task | None
    #: Customers to be worked; none where the task has just ended.
    ids: Sequence[str] = ()
    bulk: TagBulk | None = None
    is_large: bool = False
    looks: bool = False


@dataclass
class Worker(Run):
    """Works the tags of one shop. One instance is one run under one lease."""

    bulk_customers_min: int = BULK_CUSTOMERS_MIN
    batch_size: int = CHANGE_CUSTOMERS_MAX
    #: Told after each stored step, for pages that follow along.
    changed: Callable[[int], None] = field(default=lambda _assignment_id: None)
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

    def _give_back(self) -> None:
        with self.office.session() as session:
            give_back(session, self.shop_id, self.fence)

    def _run(self) -> timedelta | None:
        began_at = self.clock()
        while True:
            step = self._next_step()
            pause = self._do(step)
            if pause is None or pause:
                return min(pause, BULK_PAUSE) if step.bulk and pause else pause
            if is_over(began_at, TURN, self.clock()):
                return pause

    def _next_step(self) -> Step:
        """Decide in one transaction what is to be done next."""
        with self.writing() as session:
            bulk = bulks.open_bulk(session, self.shop_id)
            if bulk is not None and self._is_time_to_look():
                return Step(tasks.task_of_bulk(session, bulk), bulk=bulk, looks=True)
            busy = {bulk.tag_key} if bulk else set()
            while (task := tasks.next_task(session, self.shop_id, self.clock(), busy)) is not None:
                ids = self.desk(session, task).open_ids(self.bulk_customers_min + 1)
                if not ids:
                    tasks.finish(session, task, self.clock())
                is_large = len(ids) > self.bulk_customers_min
                if not (is_large and bulk is not None):
                    return Step(task, ids, bulk, is_large=is_large)
                busy.add(task.key)
        return Step(None, bulk=bulk)

    def _is_time_to_look(self) -> bool:
        return is_over(self._looked_at, BULK_PAUSE, self.clock())

    def _do(self, step: Step) -> timedelta | None:
        """Do a step: zero to go on, None when there is nothing."""
        if step.task is None:
            return BULK_PAUSE if step.bulk else None
        if step.looks and step.bulk is not None:
            self._looked_at = self.clock()
            with self._excused(step.task):
                bulks.follow(self, step.bulk, step.task)
            return timedelta()
        if not step.ids:
            self.changed(step.task.assignment_id)
            return timedelta()
        return self._work(step.task, step.ids, is_large=step.is_large)

    def _work(self, task: Task, ids: Sequence[str], *, is_large: bool) -> timedelta:
        with self._excused(task):
            if is_large:
                bulks.start(self, task)
                self._looked_at = self.clock()
                return timedelta()
            room = self.port.room(len(ids), adds=task.adds)
            if room.customers < 1:
                return room.wait
            self._work_batch(task, ids[: min(self.batch_size, room.customers)])
        return timedelta()

    @contextmanager
    def _excused(self, task: Task) -> Iterator[None]:
        """Leave a reason with work that only a person can set going again; clear it after."""
        try:
            yield
        except (TokenRejected, ScopeMissing) as error:
            with self.writing() as session:
                tasks.set_problem(session, task, error, self.clock())
            raise
        if task.has_problem:
            with self.writing() as session:
                tasks.set_problem(session, task, None, self.clock())
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
