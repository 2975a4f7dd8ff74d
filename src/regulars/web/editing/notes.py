"""Notes under the query text: how doubtful places were read, and what is probably not meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from regulars.engine import CountedNote, lint_with_counts
from regulars.language import parse_with_notes
from regulars.language.tree import Node

# A longer text is offered without being repeated on the button.
_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Note:
    """One note, as the page draws it."""

    counted: CountedNote
    #: Whether a doubtful place was read in one way of two.
    is_reading: bool

    @property
    def is_short(self) -> bool:
        """Whether the other text fits on a button."""
        return self.counted.meant is not None and len(self.counted.meant) <= _SHOWN_MAX


def notes_on(text: str, count: Callable[[Node], int]) -> Sequence[Note]:
    """Return the notes on a query that can be read; `count` counts the members of a tree."""
    read = parse_with_notes(text)
    found = lint_with_counts(read.node, count, text=text, readings=read.notes)
    return [Note(one, one.note in read.notes) for one in found]
