"""Notes on a draft: how doubtful places were read, what is probably not meant, values never seen.

Under the query text with whom each one concerns; a value never seen beside its row as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from regulars.engine import CountedNote, lint_with_counts
from regulars.errors import Problem
from regulars.language import parse_with_notes
from regulars.language.tree import Node
from regulars.language.unseen import Unseen, unseen_findings
from regulars.web.editing.writing import Written

# A longer text is offered without being repeated on the button.
_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Note:
    """One note, as the page draws it."""

    counted: CountedNote
    #: Whether a doubtful place was read in one way of two.
    is_reading: bool

    @property
    def is_warning(self) -> bool:
        """Whether a reading or a mistyped value may make it another rule than the one meant."""
        return self.is_reading or self._is_of_value

    @property
    def value(self) -> str | None:
        """What may stand in the place of a value never seen, where one is near."""
        return self.counted.note.suggestion if self._is_of_value else None

    @property
    def _is_of_value(self) -> bool:
        return self.counted.note.code == "never_seen"

    @property
    def is_short(self) -> bool:
        """Whether the other text fits on a button."""
        return self.counted.meant is not None and len(self.counted.meant) <= _SHOWN_MAX


def notes_on(text: str, count: Callable[[Node], int], unseen: Unseen) -> Sequence[Note]:
    """Return the notes on a query that can be read; `count` counts the members of a tree.

    `unseen` is what the query names and the shop has never had.
    """
    read = parse_with_notes(text)
    found = lint_with_counts(read.node, count, text=text, readings=read.notes, unseen=unseen)
    return [Note(one, one.note in read.notes) for one in found]


def row_notes(rows: Written, read: Node, unseen: Unseen) -> Mapping[str, Sequence[Problem]]:
    """Return what each row names and the shop has never had; `read` is the text of the rows."""
    found: dict[str, list[Problem]] = {}
    for one in unseen_findings(read, rows.text, unseen):
        if one.note.start is not None:
            found.setdefault(rows.row_at(one.note.start), []).append(one.note)
    return found
