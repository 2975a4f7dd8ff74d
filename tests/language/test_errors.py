"""Each mistake of `mistakes.txt` is found with its place, its sentence and its way out.

A case: a sentence after #, the query, then for every problem the marked characters, the code with
the message, and after => what may stand there instead. `UPDATE=1` rewrites what is expected.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regulars.errors import Problem, QueryError
from regulars.language import parse

_FILE = Path(__file__).parent / "mistakes.txt"
_HEAD, *_CASES = _FILE.read_text(encoding="utf-8").strip().split("\n\n")


def _query(case: str) -> tuple[str, str]:
    """Return the form and the text of a case; `previous:` before the text names the form."""
    line = case.split("\n")[1]
    for form in ("previous", "matches"):
        if line.startswith(f"{form}: "):
            return form, line.removeprefix(f"{form}: ")
    return "any", line


def _told(found: Problem, shift: int) -> list[str]:
    start, length = found.start or 0, found.length or 0
    lines = [" " * (start + shift) + "^" * max(length, 1), f"{found.code}: {found.message}"]
    return lines if found.suggestion is None else [*lines, f"=> {found.suggestion}".rstrip()]


def _expected(case: str) -> str:
    form, query = _query(case)
    try:
        parse(query, form)
    except QueryError as refusal:
        problems = refusal.problems
    else:
        problems = ()
    shift = len(case.split("\n")[1]) - len(query)
    told = [line for found in problems for line in _told(found, shift)]
    return "\n".join([*case.split("\n")[:2], *told])


if os.environ.get("UPDATE") == "1":
    _CASES = [_expected(case) for case in _CASES]
    _FILE.write_text("\n\n".join([_HEAD, *_CASES]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.split("\n")[0][2:])
def test_a_mistake_is_marked_and_explained(case: str):
    assert case == _expected(case)


def test_places_count_lines_from_one_and_columns_from_zero():
    with pytest.raises(QueryError) as refusal:
        parse("number_of_orders >= 3\n  AND amount_spnt > 3")

    found = refusal.value.problems[0]
    assert (found.line, found.column, found.length) == (2, 6, 11)


def test_ten_problems_are_told_and_the_rest_counted():
    with pytest.raises(QueryError) as refusal:
        parse(" AND ".join(f"wrong_{n} = 1" for n in range(13)))

    assert len(refusal.value.problems) == 11
    assert refusal.value.problems[-1].message == "And 3 more."
