"""Overlap and journey: arithmetic on sets of customers, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

# Twelve rows still fit a screen; the work grows with the square.
SEGMENTS_MAX = 12


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many customers each two segments share."""

    #: counts[a][b]: in both; counts[a][a]: in a.
    counts: Mapping[int, Mapping[int, int]]
    #: In this segment and in none of the others that were chosen.
    only: Mapping[int, int]
    #: In at least one of them.
    together: int


@dataclass(frozen=True, slots=True)
class Moves:
    """Who was where at the start of a period and where at its end."""

    #: moved[a][b]: member of a at the start, and of b at the end but not at the start. moved[a][a]:
    #: member of a at both.
    moved: Mapping[int, Mapping[int, int]]
    at_start: Mapping[int, int]
    at_end: Mapping[int, int]
    #: Member at the start, and of none of the chosen segments at the end.
    gone: Mapping[int, int]
    #: Member at the end, and of none of the chosen segments at the start.
    new: Mapping[int, int]


def overlap(members: Mapping[int, BitMap]) -> Overlap:
    """Count who is in which two of these segments."""
    counts = {
        a: {b: ours.intersection_cardinality(theirs) for b, theirs in members.items()}
        for a, ours in members.items()
    }
    only = {
        a: ours.difference_cardinality(_union([one for b, one in members.items() if b != a]))
        for a, ours in members.items()
    }
    return Overlap(counts, only, len(_union(list(members.values()))))


def journey(start: Mapping[int, BitMap], end: Mapping[int, BitMap]) -> Moves:
    """Count who moved, from the members of the same segments at two instants."""
    before, after = _union(list(start.values())), _union(list(end.values()))
    arrived = {b: theirs - start[b] for b, theirs in end.items()}
    moved = {
        a: {b: ours.intersection_cardinality(end[a] if a == b else arrived[b]) for b in end}
        for a, ours in start.items()
    }
    return Moves(
        moved,
        {a: len(ours) for a, ours in start.items()},
        {b: len(theirs) for b, theirs in end.items()},
        {a: ours.difference_cardinality(after) for a, ours in start.items()},
        {b: theirs.difference_cardinality(before) for b, theirs in end.items()},
    )


def _union(sets: Sequence[BitMap]) -> BitMap:
    return BitMap.union(BitMap(), *sets)
