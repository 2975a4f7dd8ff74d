"""What all tests share."""

from __future__ import annotations

import os

# A year of past figures for every segment of every test would be most of the suite's time.
os.environ.setdefault("REGULARS_METRICS_DAYS_BACK", "7")
