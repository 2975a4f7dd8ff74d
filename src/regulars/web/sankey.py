"""A Sankey drawing as shapes: two columns of nodes and bands between them; a template writes them.

Drawn on the server, so that it is there without script, on paper and under the strict policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 760
NODE_WIDTH = 14
MARGIN = 200
HEIGHT = 380
GAP = 14
# A node or band thinner than this could not be seen.
THIN = 2.0


@dataclass(frozen=True, slots=True)
class Node:
    """A segment at one end of the period."""

    name: str
    count: int
    #: Which colour; the same segment has the same one at both ends.
    colour: int
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Band:
    """Customers who went from one node to another."""

    start: str
    end: str
    count: int
    colour: int
    path: str


@dataclass(frozen=True, slots=True)
class Sankey:
    """Everything there is to draw."""

    left: Sequence[Node]
    right: Sequence[Node]
    bands: Sequence[Band]
    width: int = WIDTH
    height: int = HEIGHT


def sankey(
    names: Sequence[str],
    flows: Mapping[tuple[int, int], int],
    *,
    at_start: Sequence[int],
    at_end: Sequence[int],
) -> Sankey:
    """Draw flows between the same names on the left and on the right, by their place.

    A node is as high as its flows together; the number beside it is what is told of it.
    """
    counts = {pair: count for pair, count in flows.items() if count}
    out = [sum(count for (a, _b), count in counts.items() if a == at) for at in range(len(names))]
    into = [sum(count for (_a, b), count in counts.items() if b == at) for at in range(len(names))]
    gaps = max(sum(map(bool, out)), sum(map(bool, into))) - 1
    scale = (HEIGHT - GAP * max(gaps, 0)) / max(sum(out), 1)
    left = _column(names, out, at_start, MARGIN, scale)
    right = _column(names, into, at_end, WIDTH - MARGIN - NODE_WIDTH, scale)
    return Sankey(
        list(left.values()), list(right.values()), _bands(names, counts, left, right, scale)
    )


def _column(
    names: Sequence[str], flows: Sequence[int], told: Sequence[int], x: float, scale: float
) -> dict[int, Node]:
    found: dict[int, Node] = {}
    y = 0.0
    for at, flow in enumerate(flows):
        if flow:
            height = max(flow * scale, THIN)
            found[at] = Node(names[at], told[at], at, x, round(y, 1), round(height, 1))
            y += height + GAP
    return found


def _bands(
    names: Sequence[str],
    counts: Mapping[tuple[int, int], int],
    left: Mapping[int, Node],
    right: Mapping[int, Node],
    scale: float,
) -> list[Band]:
    used_left = {at: node.y for at, node in left.items()}
    used_right = {at: node.y for at, node in right.items()}
    bands = []
    for (a, b), count in sorted(counts.items()):
        thick = max(count * scale, THIN)
        path = _path(used_left[a], used_right[b], thick)
        bands.append(Band(names[a], names[b], count, a, path))
        used_left[a] += thick
        used_right[b] += thick
    return bands


def _path(y1: float, y2: float, thick: float) -> str:
    x1, x2 = MARGIN + NODE_WIDTH, WIDTH - MARGIN - NODE_WIDTH
    middle = (x1 + x2) / 2
    low1, low2 = y1 + thick, y2 + thick
    there = f"M{x1} {y1:.1f}C{middle} {y1:.1f} {middle} {y2:.1f} {x2} {y2:.1f}"
    back = f"V{low2:.1f}C{middle} {low2:.1f} {middle} {low1:.1f} {x1} {low1:.1f}Z"
    return there + back
