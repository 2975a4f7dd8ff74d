"""The shop's own segments at Shopify: which can be brought in, and ours written there."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from regulars.errors import InputError, ShopifyError, problem
from regulars.jobs import exchanging
from regulars.office.models.segments import Segment
from regulars.segments import list_segments
from regulars.segments.exchange import Offer
from regulars.web.deps import SignedIn, Visit, told
from regulars.web.i18n import N_

router = APIRouter(prefix="/segments/shopify")

STATES = {
    "new": N_("can be brought in"),
    "here": N_("already here"),
    "refused": N_("cannot be read"),
}
TONES = {"new": "good", "here": "", "refused": "warn"}


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show Shopify's segments, and a form to write one of ours there."""
    return _page(visit)


@router.post("/pull")
def pull(visit: SignedIn) -> Response:
    """Bring in the segments that were chosen."""
    names = [str(one) for one in visit.fields.getlist("names")]
    try:
        done = exchanging.pull(
            visit.jobs, visit.shop, author=visit.author, now=visit.now, names=names
        )
    except (InputError, ShopifyError) as wrong:
        return _page(visit, wrong)
    count = sum(one.state == "new" for one in done)
    text = visit.say.ngettext(
        "{count} segment was brought in.", "{count} segments were brought in.", count
    )
    return visit.go("/segments" if count else "/segments/shopify", text)


@router.post("/push")
def push(visit: SignedIn) -> Response:
    """Write the chosen segment to Shopify."""
    try:
        made = exchanging.push(
            visit.runtime, visit.shop, visit.field("segment"), author=visit.author
        )
    except (InputError, ShopifyError) as wrong:
        return _page(visit, wrong)
    name = made.segment.name
    if made.is_new:
        return visit.go("/segments/shopify", visit.say("“{name}” is at Shopify now.", name=name))
    text = visit.say("“{name}” was brought up to date at Shopify.", name=name)
    return visit.go("/segments/shopify", text)


def _page(visit: Visit, wrong: InputError | ShopifyError | None = None) -> Response:
    problems = _told(visit, wrong) if wrong else []
    try:
        offers = exchanging.offers(visit.runtime, visit.shop)
    except (InputError, ShopifyError) as failed:
        offers = ()
        problems = problems or _told(visit, failed)
    with visit.runtime.office.reading() as session:
        ours = list_segments(session, visit.shop)
    return visit.page(
        "segments/shopify.html",
        status=422 if wrong else 200,
        offers=[_row(visit, one) for one in offers],
        ours=[(str(one.id), _called(visit, one)) for one in ours],
        chosen=visit.field("segment"),
        states=STATES,
        tones=TONES,
        can_pull=any(one.state == "new" for one in offers),
        form_problems=problems,
    )


def _called(visit: Visit, segment: Segment) -> str:
    if segment.shopify_gid is None:
        return segment.name
    return visit.say("{name} (written before: will be changed there)", name=segment.name)


def _row(visit: Visit, one: Offer) -> dict[str, Any]:
    reasons = [told(each, visit.say.template).message for each in one.problems]
    return {"offer": one, "reasons": reasons}


def _told(visit: Visit, wrong: InputError | ShopifyError) -> list[Any]:
    if isinstance(wrong, InputError):
        return list(visit.problems(wrong))
    text = "Shopify did not do what was asked: {reason}"
    return [told(problem("shopify", text, reason=str(wrong)), visit.say.template)]
