"""The SQL of revenue trackings, put together from the files of `sql/`. All values are bound."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"


@cache
def query(*parts: str) -> str:
    """Return the text of these files one after the other: shared WITH parts, then a SELECT."""
    return "".join((FOLDER / f"{part}.sql").read_text("utf-8") for part in parts)


ORDERS = query("orders")
ORDERS_OF = query("orders", "of_customers")
FLIPS = query("flips")
LOG_SIZE = query("log_size")
MERGED = query("merged")
NEW_AND_REPEAT = query("chosen", "new_and_repeat")
SPENDING = query("spending")
PRODUCTS = query("chosen", "products")
SOURCES = query("chosen", "sources")
LATE_REFUNDS = query("chosen", "late_refunds")
