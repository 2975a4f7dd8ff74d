"""/shops/{shop}/rfm: a day's thresholds of the RFM scores, and the size of each group."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from regulars.language import CATALOGUE
from regulars.language.tree import Filter, Operator, Text
from regulars.web.api.shapes import instant_of
from regulars.web.deps import ApiCaller

router = APIRouter(tags=["queries"])

_GROUP = "computed_rfm_group"


class RfmGroupOut(BaseModel):
    """One group and its customers."""

    group: str
    count: int


class RfmOut(BaseModel):
    """The thresholds of a day; a customer who is above k of them scores 1 + k."""

    #: The instant that the day began with.
    at: datetime
    #: How many customers had ordered before it.
    customer_count: int
    #: Days of the last order.
    recency: list[date]
    #: Numbers of orders.
    frequency: list[int]
    #: Amounts in minor units.
    monetary: list[int]
    groups: list[RfmGroupOut]


@router.get("/shops/{shop}/rfm")
def show(
    call: ApiCaller,
    shop: str,
    as_of: Annotated[str | None, Query(description="A past day, or an instant.")] = None,
) -> RfmOut:
    """Tell the thresholds of the RFM scores of a day, and the groups that they make."""
    found = call.shop(shop)
    context = call.runtime.context(found, instant_of(found, as_of) if as_of else None)
    told, evaluator = context.rfm_thresholds(), call.runtime.evaluator(found)
    names = CATALOGUE[_GROUP].values
    trees = [Filter(_GROUP, Operator.EQ, (Text(name),)) for name in names]
    groups = evaluator.members_of_many(trees, context)
    return RfmOut(
        at=told.at,
        customer_count=told.customer_count,
        recency=list(told.recency),
        frequency=list(told.frequency),
        monetary=list(told.monetary),
        groups=[
            RfmGroupOut(group=name, count=len(members))
            for name, members in zip(names, groups, strict=True)
        ],
    )
