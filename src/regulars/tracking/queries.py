"""The SQL of revenue trackings, put together from the files of `sql/`. All values are bound."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"


@cache
def query(*parts: str) -> str:
    """Return the text of these files one after the other: shared WITH parts, then a SELECT."""
    return "".join((FOLDER / f"{part}.sql").read_text("utf-8") for part in parts)


CUSTOMERS = query("states", "customers")
SUMS = query("states", "attributed", "sums")
NEW_AND_REPEAT = query("states", "attributed", "new_and_repeat")
PRODUCTS = query("states", "attributed", "products")
SOURCES = query("states", "attributed", "sources")
LATE_REFUNDS = query("states", "attributed", "late_refunds")
