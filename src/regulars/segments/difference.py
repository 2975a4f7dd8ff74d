"""The difference of two query texts, word by word, for showing what an edit changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# A quoted text is one word; so is a run of spaces, so that the pieces join to the text again.
_WORD = re.compile(r"'(?:\\.|[^'\\])*'|\w+(?:[.:-]\w+)*|\s+|[<>!]=|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that both texts have, or only one of them."""

    kind: Literal["same", "added", "removed"]
    text: str


def difference(old: str, new: str) -> Sequence[Piece]:
    """Return the pieces: without what was added the old text, without what was removed the new."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    pieces: list[Piece] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(before[start:end])))
            continue
        if end > start:
            pieces.append(Piece("removed", "".join(before[start:end])))
        if new_end > new_start:
            pieces.append(Piece("added", "".join(after[new_start:new_end])))
    return pieces
