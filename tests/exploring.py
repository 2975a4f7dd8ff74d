"""How many random cases the tests look at: the same few at each run, or many other ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: REGULARS_DEEP=1 looks at thirty times as many random cases, other ones at each run.
DEEP = bool(os.environ.get("REGULARS_DEEP"))


def looking(quick: int) -> settings:
    """Return how a property is looked at: at `quick` cases, or at thirty times as many."""
    return settings(
        max_examples=quick * 30 if DEEP else quick,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not DEEP,
        database=None,
    )
