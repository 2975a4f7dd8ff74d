"""What tag work costs in Shopify's points, and so how fast it can be."""

from __future__ import annotations

from math import floor, log

#: Shopify takes this for each `tagsAdd` and `tagsRemove`, of one customer each.
POINTS_PER_CHANGE = 10

#: Customers of one look at tags, and of the changes after it. One hundred are a second's work of
#: the largest usual plan, so that few points go to looking and little time passes after it.
CHANGE_CUSTOMERS_MAX = 100

#: Seconds' worth of points that a long job saves up before it goes on: a look at many customers
#: costs hardly more than one at a few.
SAVED_SECONDS = 3.0


def look_points(customers: int) -> int:
    """Return what looking at the tags of so many customers costs.

    By id each takes a point; as one page of a search the page takes 2 and twice its logarithm.

    >>> look_points(1), look_points(30), look_points(100)
    (1, 8, 11)
    """
    if customers < 1:
        return 0
    return min(customers, 2 + max(1, floor(2 * log(customers))))


def batch_size(points_per_second: float) -> int:
    """Return how many customers a long job works at once at this rate.

    >>> batch_size(100), batch_size(1000)
    (30, 100)
    """
    return max(1, min(CHANGE_CUSTOMERS_MAX, int(SAVED_SECONDS * points_per_second) // 10))


def points_for(customers: int, *, adds: bool) -> int:
    """Return what looking at and changing so many customers costs; removing needs no look."""
    return customers * POINTS_PER_CHANGE + (look_points(customers) if adds else 0)


def seconds_for(looked_at: int, changed: int, points_per_second: float) -> float:
    """Return how long a long job takes at this rate."""
    size = batch_size(points_per_second)
    looks = looked_at / size * look_points(size)
    return (looks + changed * POINTS_PER_CHANGE) / points_per_second
