"""Questions that differ in one text alone: one statement answers them all.

The segments of a shop ask for one tag, vendor or product each, and otherwise for the same; asked
together they read their table once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlglot import exp

from regulars.engine.events import each_query
from regulars.engine.lowered import Question, Texts, only
from regulars.engine.plans import Plan, reads_spellings, written
from regulars.engine.predicates import column, is_storable, one_of, place_among
from regulars.engine.scope import Scope
from regulars.language.shapes import Events, Labels


@dataclass(frozen=True, slots=True)
class Alike:
    """Two or more questions, and one that asks for any of their texts, in their order.

    `row` is the place of the condition with the text; None where it is the test of the question.
    """

    questions: tuple[Question, ...]
    any_of: Question
    row: int | None

    def plan(self, scope: Scope) -> Plan:
        """Write the statement: beside each number it gives which of the texts, from 1."""
        source = self.any_of.source
        if self.row is None:
            query = _labels_query(self.any_of, only(Labels, source), scope)
            return written(query, scope)
        query, inverted = each_query(self.any_of, self.row, scope, only(Events, source).of)
        return written(query, scope, inverted=inverted)

    def answers(self, rows: Mapping[str, NDArray[Any]]) -> Iterator[tuple[Question, NDArray[Any]]]:
        """Give each question with its numbers."""
        order = np.argsort(rows["place"], kind="stable")
        numbers, places = rows["customer_no"][order], rows["place"][order]
        ends = np.searchsorted(places, np.arange(1, len(self.questions)), side="right")
        return zip(self.questions, np.split(numbers, ends), strict=True)


def alike(questions: Iterable[Question]) -> Iterator[Alike]:
    """Give the questions that can be answered together; those that are like no other are left."""
    found: dict[tuple[Question, int | None], dict[str, Question]] = {}
    for question in questions:
        named = next(_texts(question), None)
        if named is not None:
            row, text = named
            stem = _with_texts(question, row, ())
            found.setdefault((stem, row), {})[text] = question
    for (stem, row), by_text in found.items():
        if len(by_text) > 1:
            yield Alike(tuple(by_text.values()), _with_texts(stem, row, tuple(by_text)), row)


def _texts(question: Question) -> Iterator[tuple[int | None, str]]:
    """Give the single texts that a question names, with the place of their condition."""
    source = question.source
    if isinstance(source, Labels) and not reads_spellings(question):
        tests: list[tuple[int | None, object]] = [(None, question.test)]
    elif isinstance(source, Events) and not source.in_order:
        tests = [(row, one.test) for row, one in enumerate(question.rows) if not one.negated]
    else:
        return
    for row, test in tests:
        if isinstance(test, Texts) and len(test.values) == 1 and is_storable(test.values[0]):
            yield row, test.values[0]


def _with_texts(question: Question, row: int | None, texts: tuple[str, ...]) -> Question:
    if row is None:
        return replace(question, test=Texts(texts))
    rows = list(question.rows)
    rows[row] = replace(rows[row], test=Texts(texts))
    return replace(question, rows=tuple(rows))


def _labels_query(question: Question, source: Labels, scope: Scope) -> exp.Select:
    texts = only(Texts, question.test).values
    place = place_among(column(source.column), texts, scope.binds)
    query = exp.Select().select(column("customer_no"), place, copy=False)
    query = query.from_(exp.to_table(source.table), copy=False)
    return query.where(one_of(column(source.column), texts, scope.binds), copy=False)
