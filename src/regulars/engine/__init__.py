"""The engine: sets of customers and single customers, evaluated, counted and explained.

Takes a checked query tree, a warehouse and a context; knows no shop, no page and no clock.
"""

from regulars.engine.context import Context
from regulars.engine.customer import SharedAnswers, compile_query
from regulars.engine.explain import (
    Change,
    Evidence,
    ExplainedNode,
    Explanation,
    Own,
    explain,
)
from regulars.engine.forecast import DayChange, calendar_ahead
from regulars.engine.linting import CountedNote, lint_with_counts
from regulars.engine.near import NearMiss, NearMisses, near_misses
from regulars.engine.pasts import unknown_past
from regulars.engine.rfm import RfmThresholds, Standing
from regulars.engine.sets import Asking, Counts, NodeCount, SetEvaluator
from regulars.engine.times import next_midnight
from regulars.engine.turning import turned
from regulars.engine.unseen import unseen_values
from regulars.engine.view import View
from regulars.language.keys import mentions_time

__all__ = [
    "Asking",
    "Change",
    "Context",
    "CountedNote",
    "Counts",
    "DayChange",
    "Evidence",
    "ExplainedNode",
    "Explanation",
    "NearMiss",
    "NearMisses",
    "NodeCount",
    "Own",
    "RfmThresholds",
    "SetEvaluator",
    "SharedAnswers",
    "Standing",
    "View",
    "calendar_ahead",
    "compile_query",
    "explain",
    "lint_with_counts",
    "mentions_time",
    "near_misses",
    "next_midnight",
    "turned",
    "unknown_past",
    "unseen_values",
]
