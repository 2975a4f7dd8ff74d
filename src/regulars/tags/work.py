"""Carries out tag assignments and removals of one shop, so that it may stop at any point.

Each step is: look at the tags, store what will be done (row and ledger), do it, store the outcome.
A process that dies anywhere leaves rows that say "told": the next worker looks again before it does
anything. The work itself is rows; this file decides their order and writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session, aliased

from regulars.clock import Clock
from regulars.errors import RegularsError, ScopeMissing, ShopifyError, TokenRejected, Unavailable
from regulars.office import Office
from regulars.office.models.tags import (
    PROBLEM_CHARACTERS_MAX,
    TagAssignment,
    TagAudience,
    TagBulk,
    TagLedger,
    TagRemoval,
    TagRemovalRow,
)
from regulars.tags.lease import give_back, hold_lease, take_lease
from regulars.tags.names import tag_key
from regulars.tags.plan import Giving, plan_giving, plan_removing
from regulars.tags.port import CHANGE_CUSTOMERS_MAX, Answer, TagPort

#: From this many open customers on, one bulk mutation does the work instead of single calls.
BULK_CUSTOMERS_MIN = 1_000
#: Customers of one bulk mutation: about 8 MB of Shopify's 100 MB, and a stop repeats no more.
BULK_CUSTOMERS_MAX = 100_000
#: How often a bulk mutation is asked how far it is.
BULK_PAUSE = timedelta(seconds=2)
#: Rows per statement where a list of ids stands in it; SQLite takes 32,766 values.
IDS_PER_STATEMENT = 10_000

#: Outcomes by which an assignment holds a tag, or is about to. Who had it before us, or was refused
#: it, is not held: otherwise nobody would ever take such a tag off again.
HOLDING = ("waiting", "told", "given", "held")

#: What the ledger says after an answer. A refused gift is not ours: if the tag is seen there later,
#: somebody else gave it. A refused removal leaves our tag where it is.
_TOLD_AFTER = {
    "assignment": {"given": ("given",), "removed": ("failed", "gone")},
    "removal": {"removed": ("removed", "gone"), "given": ("failed",)},
}

#: A named point between two effects. Tests stop the process there.
Checkpoint = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One assignment or removal being worked."""

    kind: Literal["assignment", "removal"]
    id: int
    assignment_id: int
    tag: str
    key: str
    #: It stood still for a person's sake when it was taken up again.
    has_problem: bool = False

    @property
    def adds(self) -> bool:
        """Whether the tag is given rather than taken off."""
        return self.kind == "assignment"


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
            pause = self._run_tasks()
        except RegularsError:
            self._give_back()
            raise
        self._give_back()
        return pause

    def _give_back(self) -> None:
        with self.office.session() as session:
            give_back(session, self.shop_id, self.fence)

    def _run_tasks(self) -> timedelta | None:
        while (task := self._next_task()) is not None:
            try:
                pause = self._step(task)
            except (TokenRejected, ScopeMissing) as error:
                self._set_problem(task, str(error)[:2000])
                raise
            if task.has_problem:
                self._set_problem(task, None)
            self.changed(task.assignment_id)
            if pause is not None:
                return pause
        return None

    def _next_task(self) -> Task | None:
        """Return the oldest open work: acts of one shop are carried out in the order they came."""
        with self._writing() as session:
            assignment = session.scalar(
                select(TagAssignment)
                .where(
                    TagAssignment.shop_id == self.shop_id,
                    TagAssignment.status.in_(("waiting", "assigning", "cancelling")),
                )
                .order_by(TagAssignment.created_at, TagAssignment.id)
                .limit(1)
            )
            removal = session.scalar(
                select(TagRemoval)
                .where(
                    TagRemoval.shop_id == self.shop_id,
                    TagRemoval.status.in_(("waiting", "removing")),
                )
                .order_by(TagRemoval.created_at, TagRemoval.id)
                .limit(1)
            )
            if removal and (assignment is None or removal.created_at <= assignment.created_at):
                return self._start_removal(session, removal)
            return self._start_assignment(assignment) if assignment else None

    def _start_assignment(self, assignment: TagAssignment) -> Task:
        if assignment.status == "waiting":
            assignment.status = "assigning"
            assignment.started_at = assignment.started_at or self.clock()
        return Task(
            "assignment",
            assignment.id,
            assignment.id,
            assignment.tag,
            assignment.tag_key,
            assignment.problem is not None,
        )

    def _start_removal(self, session: Session, removal: TagRemoval) -> Task:
        if removal.status == "waiting":
            removal.status = "removing"
            removal.started_at = removal.started_at or self.clock()
        assignment = session.get_one(TagAssignment, removal.assignment_id)
        return Task(
            "removal",
            removal.id,
            assignment.id,
            assignment.tag,
            assignment.tag_key,
            removal.problem is not None,
        )

    def _step(self, task: Task) -> timedelta | None:
        """Do the next batch of a task, or finish it."""
        bulk = self._open_bulk(task)
        if bulk is not None:
            return self._follow_bulk(task, bulk)
        # A row that was told already goes first: its effect may be half the way.
        ids = self._open_ids(task, self.bulk_customers_min + 1)
        if not ids:
            self._finish(task)
            return None
        if len(ids) > self.bulk_customers_min:
            return self._start_bulk(task)
        self._work_batch(task, ids[: self.batch_size])
        return None

    # -- small work: single calls -------------------------------------------------------------

    def _work_batch(self, task: Task, ids: Sequence[str]) -> None:
        tags = self.port.read(ids) if task.adds else {}
        self.checkpoint("read")
        due = self._store_intent(task, ids, tags)
        self.checkpoint("intent stored")
        if due:
            self._store_outcomes(task, self._change(task, due))
            self.checkpoint("outcome stored")

    def _change(self, task: Task, due: Sequence[str]) -> Mapping[str, Answer]:
        answers: dict[str, Answer] = {}
        for start in range(0, len(due), CHANGE_CUSTOMERS_MAX):
            part = due[start : start + CHANGE_CUSTOMERS_MAX]
            try:
                answers |= self.port.change(part, task.tag, add=task.adds)
            except ShopifyError:
                self._store_outcomes(task, answers)
                raise
            self.checkpoint("effect done")
        return answers

    def _store_intent(
        self, task: Task, ids: Sequence[str], tags: Mapping[str, Sequence[str]]
    ) -> list[str]:
        """Store what will be done for these customers; return those for whom an effect is due."""
        with self._writing() as session:
            if not self._is_open(session, task):
                return []
            ledger = self._ledger(session, task, ids)
            if task.adds:
                return self._intend_giving(session, task, ids, tags, ledger)
            return self._intend_removing(session, task, ids, ledger)

    def _intend_giving(
        self,
        session: Session,
        task: Task,
        ids: Sequence[str],
        tags: Mapping[str, Sequence[str]],
        ledger: Mapping[str, TagLedger],
    ) -> list[str]:
        outcomes = self._row_outcomes(session, task, ids)
        goes_on = session.get_one(TagAssignment, task.id).status == "assigning"
        plans: dict[str, Giving] = {}
        for one in ids:
            known, present = ledger.get(one), tags.get(one)
            has_tag = present is not None and task.key in map(tag_key, present)
            count = None if present is None else len(present)
            plans[one] = plan_giving(
                known.told if known else None,  # type: ignore[arg-type]
                outcomes.get(one, "waiting"),
                has_tag,
                count,
                goes_on=goes_on,
            )
        self._write_ledger(session, task, ledger, plans)
        self._write_rows(session, task, {one: (p.outcome, p.problem) for one, p in plans.items()})
        return [one for one, plan in plans.items() if plan.outcome == "told"]

    def _intend_removing(
        self, session: Session, task: Task, ids: Sequence[str], ledger: Mapping[str, TagLedger]
    ) -> list[str]:
        wanted = self._wanted_by_others(session, task, ids)
        outcomes: dict[str, tuple[str, str | None]] = {}
        now = self.clock()
        for one in ids:
            known = ledger.get(one)
            outcome = plan_removing(
                known.told if known else None,  # type: ignore[arg-type]
                had_before=known.had_before if known else False,
                is_wanted=one in wanted,
            )
            outcomes[one] = (outcome, None)
            if outcome == "told" and known is not None:
                known.told, known.told_at = "removing", now
        self._write_rows(session, task, outcomes)
        return [one for one, (outcome, _) in outcomes.items() if outcome == "told"]

    def _store_outcomes(self, task: Task, answers: Mapping[str, Answer]) -> None:
        """Store what Shopify answered; customers without an answer stay told, and are looked at."""
        if not answers:
            return
        done = "given" if task.adds else "removed"
        rows: dict[str, tuple[str, str | None]] = {}
        for one, answer in answers.items():
            if answer.is_gone:
                rows[one] = ("gone", None)
            elif answer.problem is not None:
                rows[one] = ("failed", answer.problem[:PROBLEM_CHARACTERS_MAX])
            else:
                rows[one] = (done, None)
        with self._writing() as session:
            self._write_rows(session, task, rows)
            for told, outcomes in _TOLD_AFTER[task.kind].items():
                ids = [one for one, row in rows.items() if row[0] in outcomes]
                self._write_told(session, task, ids, told)

    # -- large work: bulk mutations -----------------------------------------------------------

    def _start_bulk(self, task: Task) -> timedelta | None:
        ids = self._open_ids(task, BULK_CUSTOMERS_MAX)
        tags = self._read_many(ids) if task.adds else {}
        self.checkpoint("bulk read")
        with self._writing() as session:
            due: list[str] = []
            if self._is_open(session, task):
                for part in _parts(ids):
                    ledger = self._ledger(session, task, part)
                    if task.adds:
                        due += self._intend_giving(session, task, part, tags, ledger)
                    else:
                        due += self._intend_removing(session, task, part, ledger)
            if not due:
                return None
            bulk = TagBulk(
                shop_id=self.shop_id,
                work=task.kind,
                work_id=task.id,
                customer_ids=due,
                state="made",
                done_count=0,
                created_at=self.clock(),
            )
            session.add(bulk)
        self.checkpoint("bulk intent stored")
        self._send_bulk(task, bulk, is_new=True)
        return BULK_PAUSE

    def _read_many(self, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Read the tags of many customers: one bulk query costs no points, whatever its size."""
        asked = set(ids)
        return {one: tags for one, tags in self.port.read_all() if one in asked}

    def _send_bulk(self, task: Task, bulk: TagBulk, *, is_new: bool = False) -> None:
        # Where the answer of an earlier start was lost, the operation may be there already.
        gid = None if is_new else self._find_bulk(task, bulk)
        if gid is None:
            gid = self.port.start_bulk(bulk.customer_ids, task.tag, add=task.adds)
        self.checkpoint("bulk started")
        with self._writing() as session:
            row = session.get_one(TagBulk, bulk.id)
            row.state, row.operation_gid = "running", gid

    def _find_bulk(self, task: Task, bulk: TagBulk) -> str | None:
        with self.office.reading() as session:
            known = session.scalars(
                select(TagBulk.operation_gid).where(TagBulk.shop_id == self.shop_id)
            )
            gids = {gid for gid in known if gid is not None}
        return self.port.find_bulk(add=task.adds, since=bulk.created_at, known=gids)

    def _follow_bulk(self, task: Task, bulk: TagBulk) -> timedelta | None:
        if bulk.operation_gid is None:
            self._send_bulk(task, bulk)
            return BULK_PAUSE
        state = self.port.look_at_bulk(bulk.operation_gid)
        self.checkpoint("bulk looked at")
        if not state.is_finished:
            with self._writing() as session:
                session.get_one(TagBulk, bulk.id).done_count = state.done_count
            return BULK_PAUSE
        answers = {
            one: state.answers[line]
            for line, one in enumerate(bulk.customer_ids)
            if state.answers is not None and line in state.answers
        }
        for part in _parts(list(answers)):
            self._store_outcomes(task, {one: answers[one] for one in part})
            self.checkpoint("bulk outcome stored")
        with self._writing() as session:
            session.get_one(TagBulk, bulk.id).state = "done"
        if not answers:
            raise Unavailable("Shopify gave a bulk operation up. It is started again.")
        return None

    def _open_bulk(self, task: Task) -> TagBulk | None:
        with self.office.reading() as session:
            return session.scalar(
                select(TagBulk).where(
                    TagBulk.work == task.kind, TagBulk.work_id == task.id, TagBulk.state != "done"
                )
            )

    # -- rows ---------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Any:
        """Open a transaction that commits only while the lease is ours."""
        with self.office.session() as session:
            hold_lease(session, self.shop_id, self.fence, self.clock())
            yield session

    def _is_open(self, session: Session, task: Task) -> bool:
        """Whether nobody paused, cancelled or removed the work since it was taken."""
        if task.adds:
            return session.get_one(TagAssignment, task.id).status in {"assigning", "cancelling"}
        return session.get_one(TagRemoval, task.id).status == "removing"

    def _open_ids(self, task: Task, most: int) -> list[str]:
        table, of = _rows_of(task)
        with self.office.reading() as session:
            found: list[str] = []
            for outcome in ("told", "waiting"):
                found += session.scalars(
                    select(table.customer_id)
                    .where(of, table.outcome == outcome)
                    .order_by(table.customer_id)
                    .limit(most - len(found))
                )
            return found

    def _row_outcomes(self, session: Session, task: Task, ids: Sequence[str]) -> dict[str, str]:
        table, of = _rows_of(task)
        rows = session.execute(
            select(table.customer_id, table.outcome).where(of, table.customer_id.in_(ids))
        )
        return {one: outcome for one, outcome in rows}  # noqa: C416 - rows are not pairs to mypy

    def _ledger(self, session: Session, task: Task, ids: Sequence[str]) -> dict[str, TagLedger]:
        rows = session.scalars(
            select(TagLedger).where(
                TagLedger.shop_id == self.shop_id,
                TagLedger.tag_key == task.key,
                TagLedger.customer_id.in_(ids),
            )
        )
        return {row.customer_id: row for row in rows}

    def _wanted_by_others(self, session: Session, task: Task, ids: Sequence[str]) -> set[str]:
        other = aliased(TagAudience)
        return set(
            session.scalars(
                select(other.customer_id).where(
                    other.shop_id == self.shop_id,
                    other.tag_key == task.key,
                    other.customer_id.in_(ids),
                    other.wanted,
                    other.outcome.in_(HOLDING),
                    other.assignment_id != task.assignment_id,
                )
            )
        )

    def _write_ledger(
        self,
        session: Session,
        task: Task,
        ledger: Mapping[str, TagLedger],
        plans: Mapping[str, Giving],
    ) -> None:
        now = self.clock()
        new = []
        for one, plan in plans.items():
            if plan.told is None:
                continue
            told_at = now if plan.outcome == "told" else None
            known = ledger.get(one)
            if known is None:
                new.append(
                    {
                        "shop_id": self.shop_id,
                        "tag_key": task.key,
                        "customer_id": one,
                        "had_before": plan.had_before,
                        "told": plan.told,
                        "told_at": told_at,
                    }
                )
            else:
                known.had_before, known.told = plan.had_before, plan.told
                known.told_at = told_at or known.told_at
        if new:
            session.execute(insert(TagLedger), new)

    def _write_told(self, session: Session, task: Task, ids: Sequence[str], told: str) -> None:
        for part in _parts(ids):
            session.execute(
                update(TagLedger)
                .where(
                    TagLedger.shop_id == self.shop_id,
                    TagLedger.tag_key == task.key,
                    TagLedger.customer_id.in_(part),
                )
                .values(told=told, told_at=self.clock())
                .execution_options(synchronize_session=False)
            )

    def _write_rows(
        self, session: Session, task: Task, rows: Mapping[str, tuple[str, str | None]]
    ) -> None:
        """Write outcomes; customers with the same one are written together."""
        table, of = _rows_of(task)
        same: dict[tuple[str, str | None], list[str]] = {}
        for one, row in rows.items():
            same.setdefault(row, []).append(one)
        for (outcome, problem), ids in same.items():
            values: dict[str, object] = {"outcome": outcome, "problem": problem}
            if outcome in {"told", "given", "removed"}:
                values["told_at"] = self.clock()
            for part in _parts(ids):
                session.execute(
                    update(table)
                    .where(of, table.customer_id.in_(part))
                    .values(values)
                    .execution_options(synchronize_session=False)
                )

    # -- ends ---------------------------------------------------------------------------------

    def _finish(self, task: Task) -> None:
        with self._writing() as session:
            if not self._is_open(session, task):
                return
            counts = count_outcomes(session, task)
            failed = counts.get("failed", 0)
            worked = sum(counts.values()) - failed - counts.get("not_given", 0)
            status = "assigned" if task.adds else "removed"
            if failed:
                status = "partly_failed" if worked else "failed"
            assignment = session.get_one(TagAssignment, task.assignment_id)
            if task.adds:
                if assignment.status == "cancelling":
                    status = "cancelled"
                assignment.status, assignment.finished_at = status, self.clock()
                return
            removal = session.get_one(TagRemoval, task.id)
            removal.status, removal.finished_at = status, self.clock()
            assignment.status = "removed" if status == "removed" else "partly_removed"

    def _set_problem(self, task: Task, told: str | None) -> None:
        """Leave the reason with work that rests until the shop is connected anew, or clear it."""
        with self._writing() as session:
            row: TagAssignment | TagRemoval
            if task.adds:
                row = session.get_one(TagAssignment, task.id)
            else:
                row = session.get_one(TagRemoval, task.id)
            row.problem = told


def has_open_work(session: Session, shop_id: int) -> bool:
    """Whether a shop has tag work that is not through: rows are the truth, jobs only wake up."""
    open_assignment = select(TagAssignment.id).where(
        TagAssignment.shop_id == shop_id,
        TagAssignment.status.in_(("waiting", "assigning", "cancelling")),
    )
    open_removal = select(TagRemoval.id).where(
        TagRemoval.shop_id == shop_id, TagRemoval.status.in_(("waiting", "removing"))
    )
    return any(session.scalar(query.limit(1)) for query in (open_assignment, open_removal))


def count_outcomes(session: Session, task: Task) -> dict[str, int]:
    """Return how many rows of a task have which outcome."""
    table, of = _rows_of(task)
    rows = session.execute(select(table.outcome, func.count()).where(of).group_by(table.outcome))
    return {outcome: count for outcome, count in rows}  # noqa: C416 - rows are not pairs to mypy


def _rows_of(task: Task) -> tuple[Any, Any]:
    """Return the table of a task's rows and the condition that picks them."""
    if task.adds:
        return TagAudience, TagAudience.assignment_id == task.id
    return TagRemovalRow, TagRemovalRow.removal_id == task.id


def _parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[n : n + IDS_PER_STATEMENT] for n in range(0, len(ids), IDS_PER_STATEMENT))
