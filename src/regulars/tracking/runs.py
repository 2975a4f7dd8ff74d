"""Columns of numbers: stable sorting, and runs of equal numbers in what is sorted. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

Column = np.ndarray[Any, Any]

_LOW_BITS = 16


def begins(sorted_nos: Column) -> Column:
    """Return where another number begins."""
    first = np.ones(len(sorted_nos), np.bool_)
    first[1:] = sorted_nos[1:] != sorted_nos[:-1]
    return first


def order_by(numbers: Column) -> Column:
    """Return the stable order of customer numbers, half by half.

    numpy sorts 16-bit numbers by counting: a third of the time that a stable sort of them takes.
    """
    order = np.argsort((numbers & ((1 << _LOW_BITS) - 1)).astype(np.uint16), kind="stable")
    high = numbers >> _LOW_BITS
    if high.any():
        order = order[np.argsort(high.astype(np.uint16)[order], kind="stable")]
    return order


def stretches(low: Column, lengths: Column) -> Column:
    """Return the places of several stretches one after the other: [2, 7], [2, 1] give 2, 3, 7."""
    before = np.cumsum(lengths) - lengths
    places: Column = np.repeat(low - before, lengths) + np.arange(int(lengths.sum()))
    return places


def rows_of(sorted_nos: Column, wanted: Column) -> Column:
    """Return the places at which some of the sorted numbers stand; `wanted` ascends."""
    low = np.searchsorted(sorted_nos, wanted)
    return stretches(low, np.searchsorted(sorted_nos, wanted, "right") - low)
