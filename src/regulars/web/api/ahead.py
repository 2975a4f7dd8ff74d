"""Near misses and forecasts of queries: what may come next, asked and answered, never saved."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from regulars import segments
from regulars.engine import NearMisses
from regulars.engine.near import NearMiss
from regulars.language import describe
from regulars.language.sentences import Titles
from regulars.web import ahead
from regulars.web.api.shapes import Asked
from regulars.web.deps import ApiCaller
from regulars.web.explaining import change_out, name_in, own_out
from regulars.web.i18n import Localizer

router = APIRouter(tags=["queries"])


class NearIn(Asked):
    """A query whose near misses are wanted."""

    query: str
    limit: int = Field(10, description="Customers for each condition and direction, 1 to 100.")
    language: str = Field("en", description="Of the words: en or ja.")


class NearCustomer(BaseModel):
    """One customer: what they have, and the change that would do."""

    id: str
    #: Money in minor units, days, pieces or orders; the days of dates as texts.
    own: list[Any]
    unit: str
    #: more, less, later or earlier: by `amount` of the unit.
    change: str
    amount: float
    own_text: str = Field(description="What they have, in words.")
    change_text: str = Field(description="What would do, in words.")


class NearOut(BaseModel):
    """The customers closest to joining or leaving through one condition."""

    start: int
    length: int
    text: str
    sentence: str
    within: list[str] = Field(
        description="The segments in whose rules the condition stands, the outermost first; what"
        " stands in the query itself is then where it names the first."
    )
    #: join or leave.
    direction: str
    #: How many hang on this condition alone, however far away.
    count: int
    customers: list[NearCustomer]


class ForecastIn(Asked):
    """A query whose days ahead are wanted."""

    query: str
    days: int = Field(90, description="How many days, 1 to 366.")


class DayAheadOut(BaseModel):
    """One day that changes who matches, by time alone."""

    day: str
    joins: int
    leaves: int
    #: How many match from then on.
    count: int


class ForecastOut(BaseModel):
    """Today's count, and the days ahead that change it."""

    today: str
    count: int
    days: list[DayAheadOut]


@router.post("/shops/{shop}/queries/near-misses")
def near(call: ApiCaller, shop: str, asked: NearIn) -> list[NearOut]:
    """Tell who is closest to joining or leaving a query."""
    found = call.customers_of(shop)
    with call.runtime.office.reading() as session:
        tree = segments.checked_query(session, found, asked.query)
    groups = ahead.close_ones(call.runtime, found, tree, limit=asked.limit)
    say = Localizer("ja" if asked.language == "ja" else "en", found.zone, found.currency)
    titles = call.runtime.warehouse(found).titles
    return [_group(one, asked.query, say, titles) for one in groups]


@router.post("/shops/{shop}/queries/forecast")
def forecast(call: ApiCaller, shop: str, asked: ForecastIn) -> ForecastOut:
    """Tell who joins and leaves in the days ahead if nothing but time happens."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        tree = segments.checked_query(session, found, asked.query)
    told = ahead.days_ahead(call.runtime, found, tree, days=asked.days)
    days = [
        DayAheadOut(
            day=one.day.isoformat(), joins=len(one.joins), leaves=len(one.leaves), count=count
        )
        for one, count in zip(told.days, told.counts, strict=True)
    ]
    return ForecastOut(today=told.today.isoformat(), count=told.count, days=days)


def _group(one: NearMisses, query: str, say: Localizer, titles: Titles) -> NearOut:
    span = one.within[0].span if one.within else one.filter.span
    return NearOut(
        start=span.start,
        length=span.end - span.start,
        text=query[span.start : span.end],
        sentence=describe(one.filter, say.language, say.currency, titles),
        within=[name_in(leaf) for leaf in one.within],
        direction="join" if one.joining else "leave",
        count=one.count,
        customers=[_customer(near, say) for near in one.customers],
    )


def _customer(near: NearMiss, say: Localizer) -> NearCustomer:
    own, change = own_out(near.own, say), change_out(near.change, say)
    return NearCustomer(
        id=near.customer_id,
        own=own.values,
        unit=change.unit,
        change=change.code,
        amount=change.amount or 0,
        own_text=own.text,
        change_text=change.text,
    )
