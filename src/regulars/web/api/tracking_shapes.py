"""What /shops/{shop}/trackings takes and tells; money is a decimal text of its currency."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from regulars import tracking
from regulars.office import Shop
from regulars.segments import day_of
from regulars.tracking.comparison import Measure, View
from regulars.web.api.shapes import Asked
from regulars.web.trackings import tracked_segments

if TYPE_CHECKING:
    from regulars.runtime import Runtime


class TrackingIn(Asked):
    """A new tracking of a segment, which is named by its id or name."""

    segment: str
    #: First and last day, both counted, such as 2026-12-01.
    starts_on: str
    ends_on: str
    #: Who counts in the headline: order-time, start or ever.
    population: str = "order-time"
    #: Empty: filled in.
    name: str = ""
    note: str = ""


class TrackingChange(Asked):
    """Name and note, which are all that may change."""

    name: str | None = None
    note: str | None = None


class PopulationOut(BaseModel):
    """One population's figures. Money is a decimal text in the tracking's currency."""

    customers: int
    buyers: int
    orders: int
    revenue: str
    gross: str
    refunded: str
    average_order_value: str | None
    orders_per_customer: float | None
    buyers_per_customer: float | None
    revenue_per_customer: str | None


class SumsOut(BaseModel):
    """Orders and money."""

    orders: int
    revenue: str
    gross: str
    refunded: str


class TrackingDayOut(SumsOut):
    """One day of the headline population."""

    day: date


class BridgeOut(BaseModel):
    """start = stayers + leavers; order time = stayers + joiners; ever = all four."""

    stayers: SumsOut
    joiners: SumsOut
    leavers: SumsOut
    outside: SumsOut


class TrackingOut(BaseModel):
    """One tracking with the figures of its headline population."""

    id: int
    name: str
    note: str
    #: "segment", or "static" for a list of an earlier system, whose members are frozen.
    kind: str
    segment_id: int
    segment: str
    query: str
    starts_on: date
    ends_on: date
    time_zone: str
    currency: str
    population: str
    status: str
    day_no: int
    day_count: int
    author: str
    created_at: datetime
    customers_at_start: int
    customers_now: int
    customers_ever: int
    orders: int
    revenue: str
    average_order_value: str | None
    orders_per_customer: float | None
    buyers_per_customer: float | None


class LiftOut(BaseModel):
    """Revenue per customer, treated less held out, with Welch's 95 % interval."""

    treated_customers: int
    held_out_customers: int
    treated_mean: str
    held_out_mean: str
    difference: str
    low: str
    high: str


class ProductOut(BaseModel):
    """A product of the counted orders; `amount` is line totals before refunds and shipping."""

    product_id: str | None
    title: str
    quantity: int
    orders: int
    amount: str


class SourceOut(SumsOut):
    """Where orders came from, in Shopify's word (web, pos ...); empty where it is not told."""

    source: str


class BreakdownOut(BaseModel):
    """The parts of the headline population's totals."""

    first_orders: SumsOut
    later_orders: SumsOut
    products: list[ProductOut]
    sources: list[SourceOut]
    #: Refunds made after the period's end: they are in its revenue.
    late_refunds: int
    late_refunded: str


class TrackingDetailOut(TrackingOut):
    """One tracking with everything that is counted."""

    populations: dict[str, PopulationOut]
    bridge: BridgeOut
    #: Orders by which their customer became a member: not part of order time.
    joining: SumsOut
    days: list[TrackingDayOut]
    breakdown: BreakdownOut
    #: Facts up to this instant are in the figures.
    counted_until: datetime | None
    #: Where customers of the segment were held out of a tag; else null.
    lift: LiftOut | None
    #: The smallest difference per customer that could be seen; null without a holdout.
    smallest_effect: str | None


class TrackingChoice(BaseModel):
    """What the listed trackings have to be; each part that is left out lets everything through."""

    model_config = ConfigDict(extra="forbid")

    #: Ids or names, several at a time.
    segment: list[str] = []
    #: First and last of the chosen days, such as 2026-12-01.
    first: str = ""
    last: str = ""
    #: Days by one word, instead.
    days: tracking.Preset | None = None
    #: Running on any of these days, or wholly within them.
    meets: tracking.Meets = "overlaps"
    status: tracking.Status | None = None
    #: Part of the tracking's or its segment's name.
    q: str = ""

    def read(self, runtime: Runtime, shop: Shop, now: datetime) -> tracking.Choice:
        """Return the choice; raises InputError for a day or segment that is none."""
        first = tracking.parse_day(self.first, "first") if self.first else None
        last = tracking.parse_day(self.last, "last") if self.last else None
        if self.days:
            first, last = tracking.preset_days(self.days, day_of(shop, now))
        ids = tracked_segments(runtime, shop, self.segment)
        return tracking.Choice(ids, first, last, self.meets, self.status, self.q)


class ComparisonAsked(BaseModel):
    """Which trackings to compare, and how."""

    model_config = ConfigDict(extra="forbid")

    ids: list[int] = []
    measure: Measure = "revenue"
    view: View = "absolute"
    align: Literal["day", "date"] = "day"


class SeriesOut(BaseModel):
    """One tracking's values by label; null where it has no such day or no value on it."""

    id: int
    name: str
    values: list[float | None]


class TrackingComparisonOut(BaseModel):
    """Trackings side by side."""

    trackings: list[TrackingOut]
    #: Days, or numbers of days from 1.
    labels: list[str]
    series: list[SeriesOut]
    #: In what they differ: lengths, days, populations, zones, currencies.
    differences: list[str]
    #: Customers in common of each two, as numbers.
    overlap: list[list[int]]


class OutlookAsked(BaseModel):
    """A tracking that might be started."""

    model_config = ConfigDict(extra="forbid")

    segment: str
    starts_on: str
    ends_on: str

    def period(self, shop: Shop, now: datetime) -> tracking.Period:
        """Return the period; raises InputError where a tracking could not have it."""
        first = tracking.parse_day(self.starts_on, "starts_on")
        last = tracking.parse_day(self.ends_on, "ends_on")
        return tracking.check_period(first, last, shop.zone, now)


class HoldoutEffectOut(BaseModel):
    """The smallest difference per customer that a holdout of this share would show."""

    share: float
    treated_customers: int
    held_out_customers: int
    smallest_effect: str


class OutlookOut(BaseModel):
    """What could be seen, judged by what the segment's members spent in as many days before."""

    customers: int
    mean: str
    #: Whether the share is the one that is held out now; else shares are suggested.
    is_held_out: bool
    effects: list[HoldoutEffectOut]


class TrackingsOut(BaseModel):
    """The trackings of a shop, the latest period first."""

    trackings: list[TrackingOut]
