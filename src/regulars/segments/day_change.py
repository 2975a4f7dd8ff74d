"""The day change: whom a new day may move, so that nobody else is asked.

The members of a segment hold for the day before. Of its conditions that mention time the engine
tells whose answers the new day turns; nobody else can have moved. Where that is not known everybody
is asked: for ranks, for a segment that was not up to date, after too long a sleep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.engine import Context, SetEvaluator, mentions_time, turned
from regulars.engine.days import DAY, MICROSECOND, day_start
from regulars.engine.lowered import lower
from regulars.errors import InputError
from regulars.language.keys import mentions_ranks
from regulars.language.tree import filters_of
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.segments.definitions import Definition
from regulars.segments.memberships import Few

#: So many customers are always few; in a larger shop, one in so many.
FEW: Final = 1000
ONE_IN: Final = 4


def up_to_date(session: Session, shop: Shop) -> frozenset[int]:
    """Return the segments whose members come from their newest query, and from no problem."""
    rows = select(Segment.id).where(
        Segment.shop_id == shop.id,
        Segment.state == "ready",
        Segment.evaluated_version == Segment.version,
    )
    return frozenset(session.scalars(rows))


def last_of_day(day: date | None, now: Context) -> Context:
    """Return the context of a past day's last instant; of the day before now's for no day."""
    if day is None or day >= now.today:
        return now.at(day_start(now.today, now.zone) - MICROSECOND)
    return now.at(day_start(day + DAY, now.zone) - MICROSECOND)


@contextmanager
def few_moved(
    evaluator: SetEvaluator,
    asked: Iterable[Definition],
    ready: Collection[int],
    before: Context,
    now: Context,
) -> Iterator[Few | None]:
    """Find out whom the days after one may have moved; None where everybody has to be asked.

    `before` is the end of the day that the members of the segments hold for.
    """
    told = [one for one in asked if one.segment_id in ready and not mentions_ranks(one.tree)]
    leaves = dict.fromkeys(leaf for one in told for leaf in filters_of(one.tree))
    most = max(FEW, len(evaluator.universe(now)) // ONE_IN)
    try:
        questions = [lower(leaf, now)[0] for leaf in leaves]
        timed = filter(mentions_time, leaves)
        customers = turned(evaluator, timed, before, now, most=most)
    except InputError:
        # One of them cannot be asked any more: which, is found out segment by segment.
        customers = None
    if customers is None:
        yield None
        return
    with evaluator.among(customers, questions, now) as asking:
        yield Few(customers, asking, {one.segment_id: one.version for one in told})
