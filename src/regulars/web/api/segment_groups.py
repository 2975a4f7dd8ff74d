"""/shops/{shop}/segment-groups: the named groups that segments are kept in."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from regulars.segments import shelves
from regulars.web.deps import ApiCaller

router = APIRouter(prefix="/shops/{shop}/segment-groups", tags=["segments"])


class GroupOut(BaseModel):
    """One group with the ids of its segments."""

    name: str
    segments: list[int]


class GroupsOut(BaseModel):
    """All groups of a shop, by name."""

    groups: list[GroupOut]


@router.get("")
def index(call: ApiCaller, shop: str) -> GroupsOut:
    """List the groups."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        listed = shelves.groups_of(session, found)
    return GroupsOut(
        groups=[GroupOut(name=name, segments=list(ids)) for name, ids in listed.items()]
    )
