"""Rows from Python into DuckDB as columns: one table-shaped parameter, not a statement per row.

Instants cross this border: aware UTC outside, UTC without zone inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, overload

import duckdb
import numpy as np

#: "customer" is a customer's number, never missing, in the very type of the tables: a join on
#: another type would read every row instead of skipping most.
Kind = Literal["text", "whole", "customer", "number", "instant", "yes"]
#: A staged table's columns, in order, with what they hold.
Shape = Mapping[str, Kind]


@overload
def inside(instant: datetime) -> datetime: ...


@overload
def inside(instant: None) -> None: ...


@overload
def inside(instant: datetime | None) -> datetime | None: ...


def inside(instant: datetime | None) -> datetime | None:
    """Return an aware instant as DuckDB keeps it: UTC without zone."""
    return None if instant is None else instant.astimezone(UTC).replace(tzinfo=None)


@overload
def outside(instant: datetime) -> datetime: ...


@overload
def outside(instant: datetime | None) -> datetime | None: ...


def outside(instant: datetime | None) -> datetime | None:
    """Return a stored instant as an aware UTC datetime."""
    return None if instant is None else instant.replace(tzinfo=UTC)


def _array(kind: Kind, values: Sequence[Any]) -> np.ndarray[Any, Any]:
    if kind == "text":
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    if kind == "instant":
        return np.array(values, dtype="datetime64[us]")
    if kind == "yes":
        return np.array(values, dtype=np.bool_)
    if kind == "customer":
        return np.array(values, dtype=np.uint32)
    dtype = np.int64 if kind == "whole" else np.float64
    missing = [value is None for value in values]
    if not any(missing):
        return np.array(values, dtype=dtype)
    filled = [0 if value is None else value for value in values]
    return np.ma.masked_array(np.array(filled, dtype=dtype), mask=missing)


@contextmanager
def given(
    cursor: duckdb.DuckDBPyConnection, name: str, shape: Shape, rows: Sequence[Sequence[Any]]
) -> Iterator[None]:
    """Make `rows` readable as the table `name` inside the block."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(shape)
    arrays = {
        column: _array(kind, values)
        for (column, kind), values in zip(shape.items(), columns, strict=True)
    }
    cursor.register(name, arrays)
    try:
        yield
    finally:
        cursor.unregister(name)
