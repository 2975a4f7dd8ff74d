"""Comparison: each night the whole shop is looked at again, repaired where it differs, reported.

A comparison that would delete a large part of what is stored stops before it deletes anything: an
empty or half answer must not look like an empty shop. A person then looks, and lets it through.
"""

from __future__ import annotations

from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars import shopify
from regulars.errors import ConflictError, problem
from regulars.jobs import queue
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.warehouse.loading import LoadKind

#: The shop's clock at which a night's comparison begins: after midnight's work, before the day's.
NIGHT = time(3, 0)
#: A comparison may delete this share of what is stored without being asked ...
DELETED_SHARE_MAX = 0.1
#: ... or so many of a kind, so that a shop with thirty customers may lose four.
DELETED_FREE = 20


def brake(kind: LoadKind, gone: int, stored: int) -> None:
    """Raise ConflictError where a comparison would delete more than can be believed."""
    if gone <= DELETED_FREE or gone <= DELETED_SHARE_MAX * stored:
        return
    template = (
        "Shopify no longer lists {gone} of {stored} {kind}. Nothing was deleted. Look whether that "
        "is right, then compare again and accept the deletions."
    )
    raise ConflictError(problem("comparison_brake", template, gone=gone, stored=stored, kind=kind))


def check_of(arguments: dict[str, object]) -> shopify.Allow:
    """Return what a comparison asks before it deletes; a person may have said yes beforehand."""
    return shopify.allow_all if arguments.get("accept_deletions") else brake


def last_comparison(session: Session, shop: Shop) -> Job | None:
    """Return the newest comparison of a shop, whatever became of it."""
    found = select(Job).where(Job.shop_id == shop.id, Job.kind == "compare")
    return session.scalar(found.order_by(Job.id.desc()).limit(1))


def enqueue_due(session: Session, shop: Shop, now: datetime) -> None:
    """Enqueue tonight's comparison once the shop's clock says so."""
    local = now.astimezone(shop.zone)
    if local.time() < NIGHT:
        return
    last = last_comparison(session, shop)
    # A shop loaded today was looked at today.
    looked = [one for one in (last.created_at if last else None, shop.loaded_at) if one]
    if all(one.astimezone(shop.zone).date() < local.date() for one in looked):
        queue.enqueue(session, shop_id=shop.id, kind="compare", now=now)
