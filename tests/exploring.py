"""How many random cases the tests look at: the same few at each run, or many other ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: REGULARS_DEEP=1 looks at thirty times as many random cases, other ones at each run; a larger
#: number at that many times as many.
DEEP = int(os.environ.get("REGULARS_DEEP") or 0)
TIMES = {0: 1, 1: 30}.get(DEEP, DEEP)


def looking(quick: int) -> settings:
    """Return how a property is looked at: at `quick` cases, or at many times as many."""
    return settings(
        max_examples=quick * TIMES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not DEEP,
        database=None,
    )
