"""Revenue trackings: a segment measured over a period, exactly."""

from regulars.tracking.breakdown import Breakdown, break_down
from regulars.tracking.figures import (
    POPULATIONS,
    Bridge,
    Figures,
    Population,
    PopulationFigures,
    Sums,
    count_figures,
)
from regulars.tracking.period import Period, SpokenDay, check_period, parse_day, today_in
from regulars.tracking.trackings import (
    Standing,
    automatic_name,
    cancel_tracking,
    create_tracking,
    find_tracking,
    free_name,
    list_trackings,
    period_of,
    read_population,
    standing,
    update_tracking,
)

__all__ = [
    "POPULATIONS",
    "Breakdown",
    "Bridge",
    "Figures",
    "Period",
    "Population",
    "PopulationFigures",
    "SpokenDay",
    "Standing",
    "Sums",
    "automatic_name",
    "break_down",
    "cancel_tracking",
    "check_period",
    "count_figures",
    "create_tracking",
    "find_tracking",
    "free_name",
    "list_trackings",
    "parse_day",
    "period_of",
    "read_population",
    "standing",
    "today_in",
    "update_tracking",
]
