"""The engine: sets of customers and single customers, evaluated, counted and explained.

Takes a checked query tree, a warehouse and a context; knows no shop, no page and no clock.
"""

from regulars.engine.context import Context
from regulars.engine.customer import compile_query
from regulars.engine.sets import Counts, NodeCount, SetEvaluator
from regulars.engine.times import mentions_time

__all__ = [
    "Context",
    "Counts",
    "NodeCount",
    "SetEvaluator",
    "compile_query",
    "mentions_time",
]
