"""Insights: what segments share, what sets one apart, how buyers come back, who moved where.

Figures over sets and stored orders, exact and as of now unless told otherwise. How they are shown
is the matter of the web room.
"""

from regulars.insights.cohorts import Cohort, cohorts
from regulars.insights.features import KINDS, Feature, features_of
from regulars.insights.sets import SEGMENTS_MAX, Moves, Overlap, journey, overlap

__all__ = [
    "KINDS",
    "SEGMENTS_MAX",
    "Cohort",
    "Feature",
    "Moves",
    "Overlap",
    "cohorts",
    "features_of",
    "journey",
    "overlap",
]
