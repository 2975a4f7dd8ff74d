"""Insights: what segments share, what sets one apart, how buyers come back, who moved where.

Figures over sets and stored orders, exact and as of now unless told otherwise. How they are shown
is the matter of the web room.
"""

from regulars.insights.cohorts import COLUMNS, By, Cohort, cohorts, together
from regulars.insights.features import (
    DISTRIBUTIONS,
    KINDS,
    KINDS_OF_ORDERS,
    ORDERS,
    STEPS,
    Feature,
    Features,
    features_of,
)
from regulars.insights.sets import SEGMENTS_MAX, Moves, Overlap, journey, overlap

__all__ = [
    "COLUMNS",
    "DISTRIBUTIONS",
    "KINDS",
    "KINDS_OF_ORDERS",
    "ORDERS",
    "SEGMENTS_MAX",
    "STEPS",
    "By",
    "Cohort",
    "Feature",
    "Features",
    "Moves",
    "Overlap",
    "cohorts",
    "features_of",
    "journey",
    "overlap",
    "together",
]
