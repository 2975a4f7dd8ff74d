"""Revenue trackings: a segment measured over a period, exactly."""

from regulars.tracking.before import Before, frozen, log_begins, look_back
from regulars.tracking.breakdown import Breakdown
from regulars.tracking.choosing import PRESETS, Choice, Meets, Preset, preset_days
from regulars.tracking.counter import Asked, Counter, counter_of
from regulars.tracking.figures import (
    POPULATIONS,
    Bridge,
    Figures,
    Population,
    PopulationFigures,
    Sums,
)
from regulars.tracking.lift import Lift, Spending, lift, smallest_effect, spending
from regulars.tracking.period import Period, SpokenDay, check_period, parse_day, reached
from regulars.tracking.trackings import (
    Standing,
    Status,
    asked_of,
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
    "PRESETS",
    "Asked",
    "Before",
    "Breakdown",
    "Bridge",
    "Choice",
    "Counter",
    "Figures",
    "Lift",
    "Meets",
    "Period",
    "Population",
    "PopulationFigures",
    "Preset",
    "Spending",
    "SpokenDay",
    "Standing",
    "Status",
    "Sums",
    "asked_of",
    "automatic_name",
    "cancel_tracking",
    "check_period",
    "counter_of",
    "create_tracking",
    "find_tracking",
    "free_name",
    "frozen",
    "lift",
    "list_trackings",
    "log_begins",
    "look_back",
    "parse_day",
    "period_of",
    "preset_days",
    "reached",
    "read_population",
    "smallest_effect",
    "spending",
    "standing",
    "update_tracking",
]
