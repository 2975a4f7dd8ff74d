"""The warehouse: one DuckDB file per shop with its facts and membership log.

The only place that opens DuckDB. Fetching facts is shopify's and importing's work, asking who
matches is the engine's.
"""

from regulars.warehouse.applied import Applied
from regulars.warehouse.membership import LogEntry, LoggedEntry
from regulars.warehouse.opening import WarehouseSettings
from regulars.warehouse.warehouse import Warehouse, Warehouses

__all__ = ["Applied", "LogEntry", "LoggedEntry", "Warehouse", "WarehouseSettings", "Warehouses"]
