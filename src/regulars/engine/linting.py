"""Notes on a query with their witnesses: how many customers each one concerns.

What is doubtful is `language`'s to say; here a query and its remedy are counted against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

from regulars.errors import Problem
from regulars.language import print_query
from regulars.language.lint import Finding, findings, other_reading
from regulars.language.tree import Node
from regulars.language.unseen import Unseen, unseen_findings

#: Notes that are counted and told; a query with more is not read note by note.
NOTES_MAX = 10


@dataclass(frozen=True, slots=True)
class CountedNote:
    """A note, how many customers it concerns, and the query as it may have been meant."""

    note: Problem
    #: Who would join or leave by the remedy; without a remedy, whom the query lets in or out; None
    #: where there is nobody to count.
    customer_count: int | None
    #: The whole query with the remedy; None where the language has no words for it.
    meant: str | None


def lint_with_counts(
    node: Node,
    count: Callable[[Node], int],
    *,
    text: str = "",
    readings: Iterable[Problem] = (),
    unseen: Unseen = MappingProxyType({}),
) -> tuple[CountedNote, ...]:
    """Return the notes on a tree, each with the number of customers that it concerns.

    `count` counts the members of a tree. `text` is the query's own, for line and column; `readings`
    are the notes that came with it when it was read, `unseen` what its shop has never had.
    """
    read = (other_reading(node, note) for note in readings)
    found = [
        *(one for one in read if one is not None),
        *unseen_findings(node, text, unseen),
        *findings(node, text),
    ]
    return tuple(_counted(one, count) for one in found[:NOTES_MAX])


def _counted(one: Finding, count: Callable[[Node], int]) -> CountedNote:
    concerned = None if one.affected is None else count(one.affected)
    return CountedNote(one.note, concerned, None if one.meant is None else print_query(one.meant))
