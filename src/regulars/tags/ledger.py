"""Reads and writes the rows of tag work: the ledger, and the outcome of each customer.

Knows nothing of Shopify and of the order of work; everything happens in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ColumnExpressionArgument, exists, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from regulars.office.models.tags import PROBLEM_CHARACTERS_MAX, TagAudience, TagLedger
from regulars.tags.names import tag_key
from regulars.tags.plan import Giving, plan_giving, plan_removing
from regulars.tags.port import Answer
from regulars.tags.tasks import Task, goes_on

#: Rows per statement where a list of ids stands in it; SQLite takes 32,766 values.
IDS_PER_STATEMENT = 10_000

#: Outcomes by which an assignment holds a tag, or is about to. Who had it before us, or was refused
#: it, is not held: otherwise nobody would ever take such a tag off again.
HOLDING = ("waiting", "told", "given", "held")

#: What the ledger says after an answer. A refused gift is not ours: if the tag is seen there later,
#: somebody else gave it. A refused removal leaves our tag where it is.
_TOLD_AFTER_GIVING = {"given": ("given",), "removed": ("failed", "gone")}
_TOLD_AFTER_TAKING = {"removed": ("removed", "gone"), "given": ("failed",)}

Outcome = tuple[str, str | None]


def beside(*wanted: ColumnExpressionArgument[bool]) -> ColumnElement[bool]:
    """Return the condition of audience rows beside which the ledger's row is as wanted."""
    return exists().where(
        TagLedger.shop_id == TagAudience.shop_id,
        TagLedger.tag_key == TagAudience.tag_key,
        TagLedger.customer_id == TagAudience.customer_id,
        *wanted,
    )


def may_have() -> ColumnElement[bool]:
    """Return the condition of audience rows whose customer may have our tag while the row waits.

    It was told once; or other work gave the tag, and left it there because this row wants it.
    """
    ours = beside(TagLedger.told.in_(("giving", "given", "removing")), ~TagLedger.had_before)
    return or_(TagAudience.told_at.is_not(None), ours)


@dataclass(frozen=True, slots=True)
class Desk:
    """One transaction's rows of one task."""

    session: Session
    shop_id: int
    task: Task
    now: datetime

    def open_ids(self, most: int) -> list[str]:
        """Return customers to be worked; a row that was told goes first: it may be half the way."""
        table = self.task.table
        found: list[str] = []
        for outcome in (self.task.told, self.task.waiting):
            found += self.session.scalars(
                select(table.customer_id)
                .where(self.task.of, table.outcome == outcome)
                .order_by(table.customer_id)
                .limit(most - len(found))
            )
        return found

    def intend(self, ids: Sequence[str], tags: Mapping[str, Sequence[str]]) -> list[str]:
        """Store what will be done; return those for whom an effect is due.

        Who was decided otherwise since they were picked (a rule's customer came back) is left out.
        """
        outcomes = self._outcomes(ids)
        still = [one for one in ids if outcomes.get(one) in {self.task.told, self.task.waiting}]
        ledger = self._ledger(still)
        if self.task.adds:
            return self._intend_giving(still, outcomes, tags, ledger)
        return self._intend_taking(still, ledger)

    def store_answers(self, answers: Mapping[str, Answer]) -> None:
        """Store what Shopify answered; customers without an answer stay told, and are looked at.

        So do those of whom the ledger says another thing since: an answer to taking the tag off
        does not speak of a tag that a merge brought meanwhile.
        """
        rows: dict[str, Outcome] = {}
        if not self.task.adds:
            ledger = self._ledger(list(answers))
            still = {one for one, row in ledger.items() if row.told == "removing"}
            answers = {one: answer for one, answer in answers.items() if one in still}
        for one, answer in answers.items():
            if answer.is_gone:
                rows[one] = ("gone", None)
            elif answer.problem is not None:
                rows[one] = ("failed", answer.problem[:PROBLEM_CHARACTERS_MAX])
            else:
                rows[one] = (self.task.done, None)
        self._write(rows, only=self.task.told)
        after = _TOLD_AFTER_GIVING if self.task.adds else _TOLD_AFTER_TAKING
        for told, outcomes in after.items():
            self._write_told([one for one, row in rows.items() if row[0] in outcomes], told)

    def _intend_giving(
        self,
        ids: Sequence[str],
        outcomes: Mapping[str, str],
        tags: Mapping[str, Sequence[str]],
        ledger: Mapping[str, TagLedger],
    ) -> list[str]:
        on, told = goes_on(self.session, self.task), self._was_told(ids)
        plans: dict[str, Giving] = {}
        for one in ids:
            known, present = ledger.get(one), tags.get(one)
            plans[one] = plan_giving(
                known.told if known else None,  # type: ignore[arg-type]
                "told" if one in told else outcomes[one],
                present is not None and self.task.key in map(tag_key, present),
                None if present is None else len(present),
                goes_on=on,
            )
        self._write_ledger(ledger, plans)
        self._write({one: (plan.outcome, plan.problem) for one, plan in plans.items()})
        return [one for one, plan in plans.items() if plan.outcome == "told"]

    def _intend_taking(self, ids: Sequence[str], ledger: Mapping[str, TagLedger]) -> list[str]:
        wanted = self._wanted_by_others(ids)
        outcomes: dict[str, Outcome] = {}
        for one in ids:
            known = ledger.get(one)
            outcome: str = plan_removing(
                known.told if known else None,  # type: ignore[arg-type]
                had_before=known.had_before if known else False,
                is_wanted=one in wanted,
            )
            if outcome == "told":
                outcome = self.task.told
                if known is not None:
                    known.told, known.told_at = "removing", self.now
            outcomes[one] = (outcome, None)
        self._write(outcomes)
        return [one for one, (outcome, _) in outcomes.items() if outcome == self.task.told]

    def _outcomes(self, ids: Sequence[str]) -> dict[str, str]:
        table = self.task.table
        rows = self.session.execute(
            select(table.customer_id, table.outcome).where(self.task.of, table.customer_id.in_(ids))
        )
        return {one: outcome for one, outcome in rows}  # noqa: C416 - rows are not pairs to mypy

    def _was_told(self, ids: Sequence[str]) -> set[str]:
        """Return for whom this very row told Shopify once: the tag there is its own."""
        table = self.task.table
        query = select(table.customer_id).where(
            self.task.of, table.customer_id.in_(ids), table.told_at.is_not(None)
        )
        return set(self.session.scalars(query))

    def _ledger(self, ids: Sequence[str]) -> dict[str, TagLedger]:
        rows = self.session.scalars(
            select(TagLedger).where(
                TagLedger.shop_id == self.shop_id,
                TagLedger.tag_key == self.task.key,
                TagLedger.customer_id.in_(ids),
            )
        )
        return {row.customer_id: row for row in rows}

    def _wanted_by_others(self, ids: Sequence[str]) -> set[str]:
        other = aliased(TagAudience)
        return set(
            self.session.scalars(
                select(other.customer_id).where(
                    other.shop_id == self.shop_id,
                    other.tag_key == self.task.key,
                    other.customer_id.in_(ids),
                    other.wanted,
                    other.outcome.in_(HOLDING),
                    other.assignment_id != self.task.assignment_id,
                )
            )
        )

    def _write_ledger(self, ledger: Mapping[str, TagLedger], plans: Mapping[str, Giving]) -> None:
        new = []
        for one, plan in plans.items():
            if plan.told is None:
                continue
            told_at = self.now if plan.outcome == "told" else None
            known = ledger.get(one)
            if known is None:
                new.append(
                    {
                        "shop_id": self.shop_id,
                        "tag_key": self.task.key,
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
            self.session.execute(insert(TagLedger), new)

    def _write_told(self, ids: Sequence[str], told: str) -> None:
        for part in parts(ids):
            self.session.execute(
                update(TagLedger)
                .where(
                    TagLedger.shop_id == self.shop_id,
                    TagLedger.tag_key == self.task.key,
                    TagLedger.customer_id.in_(part),
                )
                .values(told=told, told_at=self.now)
                .execution_options(synchronize_session=False)
            )

    def _write(self, rows: Mapping[str, Outcome], *, only: str | None = None) -> None:
        """Write outcomes, together where they are the same; `only` over rows with that outcome."""
        table = self.task.table
        same: dict[Outcome, list[str]] = {}
        for one, row in rows.items():
            same.setdefault(row, []).append(one)
        for (outcome, problem), ids in same.items():
            values: dict[str, object] = {"outcome": outcome, "problem": problem}
            if outcome in {self.task.told, self.task.done}:
                values["told_at"] = self.now
            for part in parts(ids):
                query = update(table).where(self.task.of, table.customer_id.in_(part))
                if only is not None:
                    query = query.where(table.outcome == only)
                self.session.execute(
                    query.values(values).execution_options(synchronize_session=False)
                )


def parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the ids in lists that a statement can hold."""
    return (ids[n : n + IDS_PER_STATEMENT] for n in range(0, len(ids), IDS_PER_STATEMENT))


def present_tags(
    everybody: Iterable[tuple[str, Sequence[str]]], ids: Sequence[str]
) -> dict[str, Sequence[str]]:
    """Pick these customers' tags from a reading of the whole shop."""
    asked = set(ids)
    return {one: tags for one, tags in everybody if one in asked}
