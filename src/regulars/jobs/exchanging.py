"""Where our segments and Shopify's own meet: list theirs, bring them in, write ours there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regulars.errors import InputError, problem
from regulars.office import Shop, audit
from regulars.segments import find_segment
from regulars.segments.exchange import Offer, bring_in, look_at, text_for_shopify
from regulars.shopify.answers import InputRefused
from regulars.shopify.own_segments import OwnSegment, change_segment, read_segments, write_segment

if TYPE_CHECKING:
    from datetime import datetime

    from regulars.jobs.jobs import Jobs
    from regulars.runtime import Runtime
    from regulars.shopify import ShopifyClient


def offers(runtime: Runtime, shop: Shop) -> Sequence[Offer]:
    """List Shopify's segments, each with whether it can be brought in."""
    found = [(one.name, one.query) for one in read_segments(_client(runtime, shop))]
    with runtime.office.reading() as session:
        return look_at(session, shop, found)


def pull(
    jobs: Jobs, shop: Shop, *, author: str, now: datetime, names: Sequence[str] | None = None
) -> Sequence[Offer]:
    """Bring Shopify's segments in, all or those of these names, and have them counted."""
    found = [
        (one.name, one.query)
        for one in read_segments(_client(jobs.runtime, shop))
        if names is None or one.name in names
    ]
    with jobs.runtime.office.session() as session:
        done = bring_in(session, shop, found, author=author, now=now)
        for offer in done:
            if offer.state == "new" and offer.segment_id is not None:
                jobs.refresh_segment_later(session, shop, offer.segment_id, "created")
    return done


@dataclass(frozen=True, slots=True)
class Pushed:
    """A segment of ours as Shopify keeps it; `is_new`: it was made, not changed."""

    segment: OwnSegment
    is_new: bool


def push(
    runtime: Runtime, shop: Shop, segment: int | str, *, author: str, name: str | None = None
) -> Pushed:
    """Write a segment of ours to Shopify; one written before is changed there.

    InputError names what Shopify would not take.
    """
    client = _client(runtime, shop)
    with runtime.office.reading() as session:
        found, text = text_for_shopify(session, shop, segment, client.api_version)
    try:
        pushed = _written(client, found.shopify_gid, name or found.name, text)
    except InputRefused as refused:
        reason = "; ".join(one.message for one in refused.refusals)
        template = "Shopify did not accept this segment: {reason}"
        raise InputError(problem("segment_refused", template, reason=reason)) from refused
    with runtime.office.session(author) as session:
        row = find_segment(session, shop, found.id)
        row.shopify_gid = pushed.segment.gid
        audit.record(
            session,
            act="segment_pushed",
            about=row.name,
            author=author,
            at=runtime.clock(),
            shop_id=shop.id,
        )
    return pushed


def _written(client: ShopifyClient, gid: str | None, name: str, text: str) -> Pushed:
    """Change the segment of this id; make one where there is none, or none any more."""
    changed = change_segment(client, gid, name, text) if gid is not None else None
    if changed is not None:
        return Pushed(changed, is_new=False)
    return Pushed(write_segment(client, name, text), is_new=True)


def _client(runtime: Runtime, shop: Shop) -> ShopifyClient:
    if shop.kind != "shopify":
        template = 'The shop "{shop}" was made of files, so it has no segments at Shopify.'
        raise InputError(problem("no_segments_at_shopify", template, shop=shop.name))
    return runtime.shopify(shop)
