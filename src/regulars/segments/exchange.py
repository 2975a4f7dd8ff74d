"""Exchange with Shopify's own segments: which of them can be brought in, and ours as its text.

Texts and names come in and go out; asking Shopify is the caller's work.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from regulars.errors import InputError, Problem
from regulars.language import parse, print_for_shopify
from regulars.language.tree import Node
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.segments.definitions import (
    checked_query,
    create_segment,
    find_segment,
    list_segments,
    next_name,
)
from regulars.segments.names import NAME_CHARACTERS_MAX, name_key

#: The first API version whose segments are written in the newer form.
NEWER_FORM_SINCE = "2026-10"
# Room for " (12)" behind a name that is taken.
_NAME_ROOM = 8


@dataclass(frozen=True, slots=True)
class Offer:
    """A segment at Shopify, and what would become of it here."""

    name: str
    query: str
    #: "new": can be brought in; "here": a segment of ours asks the same; "refused": see problems.
    state: Literal["new", "here", "refused"]
    problems: tuple[Problem, ...] = ()
    #: Our segment that asks the same, or the one it became.
    segment_id: int | None = None


def look_at(session: Session, shop: Shop, found: Iterable[tuple[str, str]]) -> list[Offer]:
    """Say of each (name, query) of Shopify whether it can be brought in, and why not."""
    ours = {parse(one.query): one.id for one in list_segments(session, shop)}
    return [_offer(session, shop, name, query, ours) for name, query in found]


def _offer(session: Session, shop: Shop, name: str, query: str, ours: dict[Node, int]) -> Offer:
    try:
        tree = checked_query(session, shop, query)
    except InputError as wrong:
        return Offer(name, query, "refused", wrong.problems)
    if tree in ours:
        return Offer(name, query, "here", segment_id=ours[tree])
    return Offer(name, query, "new")


def bring_in(
    session: Session, shop: Shop, found: Iterable[tuple[str, str]], *, author: str, now: datetime
) -> Sequence[Offer]:
    """Make a segment of each that can be one; two that ask the same become one.

    A name that is taken gets a number. The new ones are "building": the caller has them counted.
    """
    done: list[Offer] = []
    for name, query in found:
        (offer,) = look_at(session, shop, [(name, query)])
        if offer.state == "new":
            free = available_name(session, shop, name)
            made = create_segment(session, shop, name=free, query=query, author=author, now=now)
            offer = replace(offer, segment_id=made.id)
        done.append(offer)
    return done


def available_name(session: Session, shop: Shop, name: str) -> str:
    """Return the name as ours may be, with a number where it is taken."""
    printable = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C")
    clean = " ".join(printable.split())[: NAME_CHARACTERS_MAX - _NAME_ROOM].strip() or "Shopify"
    taken = {one.name_key for one in list_segments(session, shop)}
    return next_name(session, shop, clean) if name_key(clean) in taken else clean


def text_for_shopify(
    session: Session, shop: Shop, segment: int | str, version: str
) -> tuple[Segment, str]:
    """Return a segment and its query as Shopify of this API version takes it.

    Raises QueryError that names everything Shopify would not take.
    """
    found = find_segment(session, shop, segment)
    form = "matches" if version >= NEWER_FORM_SINCE else "previous"
    return found, print_for_shopify(parse(found.query), form)
