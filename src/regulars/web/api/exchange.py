"""/shops/{shop}/shopify-segments: the shop's own segments at Shopify, brought in and written."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from regulars.jobs import exchanging
from regulars.segments.exchange import Offer
from regulars.web.api.shapes import Asked, NoteOut, note_out
from regulars.web.deps import ApiCaller

router = APIRouter(prefix="/shops/{shop}", tags=["segments"])


class OfferOut(BaseModel):
    """A segment at Shopify, and what would become of it, or became of it, here."""

    name: str
    query: str
    #: "new", "here" (ours asks the same) or "refused".
    state: str
    problems: list[NoteOut]
    segment_id: int | None


class OffersOut(BaseModel):
    """Shopify's segments, oldest first."""

    segments: list[OfferOut]


class PullIn(Asked):
    """Which segments to bring in; None: all that can be read."""

    names: list[str] | None = None


class PushIn(Asked):
    """How the segment is to be called at Shopify; None: as here."""

    name: str | None = None


class PushOut(BaseModel):
    """The segment as Shopify keeps it."""

    id: str
    name: str
    query: str
    #: Whether it was made; else the one written before was changed.
    is_new: bool


@router.get("/shopify-segments")
def index(call: ApiCaller, shop: str) -> OffersOut:
    """List Shopify's segments, each with whether it can be brought in and why not."""
    found = exchanging.offers(call.runtime, call.shop(shop))
    return OffersOut(segments=[_out(one) for one in found])


@router.post("/shopify-segments/pull")
def pull(call: ApiCaller, shop: str, asked: PullIn) -> OffersOut:
    """Bring Shopify's segments in as customer segments."""
    done = exchanging.pull(
        call.jobs, call.shop(shop), author=call.author, now=call.now, names=asked.names
    )
    return OffersOut(segments=[_out(one) for one in done])


@router.post("/segments/{segment}/push", status_code=201)
def push(call: ApiCaller, shop: str, segment: str, asked: PushIn) -> PushOut:
    """Write a segment to Shopify, or change the one written before; what it lacks is named."""
    made = exchanging.push(
        call.runtime, call.shop(shop), segment, author=call.author, name=asked.name
    )
    own = made.segment
    return PushOut(id=own.gid, name=own.name, query=own.query, is_new=made.is_new)


def _out(one: Offer) -> OfferOut:
    return OfferOut(
        name=one.name,
        query=one.query,
        state=one.state,
        problems=[note_out(told) for told in one.problems],
        segment_id=one.segment_id,
    )
