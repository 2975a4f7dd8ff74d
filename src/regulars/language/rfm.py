"""Recency, frequency, spend: how the scores of a customer make one of eleven groups.

Only the grid; scores are given by the engine, from thresholds that the shop's own customers set.
The names of the groups are Shopify's, and so are the two sides of the grid; the edges are ours
(decision 0030).
"""

from __future__ import annotations

#: The lowest and the highest score.
SCORES = (1, 5)
#: The group of customers without a counted order, who have no scores.
WITHOUT_ORDERS = "PROSPECTS"

# One line for each recency score, from the most recent; in it one group for each score of
# frequency and spend together, from the lowest.
_GRID = {
    5: ("NEW", "NEW", "ACTIVE", "CHAMPIONS", "CHAMPIONS"),
    4: ("PROMISING", "PROMISING", "ACTIVE", "LOYAL", "LOYAL"),
    3: ("ALMOST_LOST", "NEEDS_ATTENTION", "NEEDS_ATTENTION", "LOYAL", "LOYAL"),
    2: ("ALMOST_LOST", "ALMOST_LOST", "AT_RISK", "AT_RISK", "PREVIOUSLY_LOYAL"),
    1: ("DORMANT", "DORMANT", "AT_RISK", "AT_RISK", "PREVIOUSLY_LOYAL"),
}


def together(frequency: int, monetary: int) -> int:
    """Return the score of frequency and spend together: their mean, a half rounded up."""
    return (frequency + monetary + 1) // 2


def group_of(recency: int, frequency: int, monetary: int) -> str:
    """Return the group of a customer with these scores."""
    return _GRID[recency][together(frequency, monetary) - 1]


def pairs_of(group: str) -> tuple[tuple[int, int], ...]:
    """Return the (recency, frequency and spend together) scores that make a group."""
    return tuple(
        (recency, column + 1)
        for recency, line in sorted(_GRID.items())
        for column, name in enumerate(line)
        if name == group
    )
