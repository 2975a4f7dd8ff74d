"""/team and /shops/{shop}/keys: who may come in, people and programs; for owners alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select

from regulars.errors import NotFoundError, problem
from regulars.office.models.shops import Shop
from regulars.office.models.staff import ApiKey, Invitation, Staff
from regulars.web import team
from regulars.web.api.shapes import Asked
from regulars.web.deps import ApiCall, ApiCaller

router = APIRouter(tags=["team"])

Role = Literal["owner", "member"]
Scope = Literal["read", "customers", "write"]


class StaffOut(BaseModel):
    """One person."""

    id: int
    login: str
    name: str
    role: str
    created_at: datetime
    #: Whether a code is asked for beside the password.
    has_second_step: bool
    #: May no longer sign in since.
    disabled_at: datetime | None


class InvitationOut(BaseModel):
    """One invitation that can still be used."""

    id: int
    login: str
    role: str
    invited_by: str
    expires_at: datetime


class TeamOut(BaseModel):
    """Everybody who may sign in, and who is invited."""

    people: list[StaffOut]
    invitations: list[InvitationOut]


class InvitationIn(Asked):
    """Whom to invite."""

    login: Annotated[str, Field(max_length=254)]
    role: Role = "member"
    #: The names of the shops that a member will see.
    shops: list[str] = Field(default_factory=list)


class InvitedOut(InvitationOut):
    """A new invitation with the address to pass on, which is shown this once."""

    url: str


class StaffChange(Asked):
    """What is to be changed; what is left out stays."""

    role: Role | None = None
    is_disabled: bool | None = None
    #: Only `false`: ends the two-step sign-in of somebody who lost phone and recovery codes.
    has_second_step: Literal[False] | None = None


class KeyIn(Asked):
    """A new key."""

    name: str
    scope: Scope = "read"


class KeyOut(BaseModel):
    """One key, without its text."""

    id: int
    name: str
    scope: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class MadeKeyOut(KeyOut):
    """A new key with its text, which is shown this once."""

    key: str


class KeysOut(BaseModel):
    """The keys of a shop, those taken back last."""

    keys: list[KeyOut]


@router.get("/team")
def index(call: ApiCaller) -> TeamOut:
    """List the people and the invitations."""
    call.require_local()
    with call.runtime.office.reading() as session:
        people = session.scalars(select(Staff).order_by(Staff.id)).all()
        invitations = team.living_invitations(session, call.now)
    return TeamOut(
        people=[StaffOut.model_validate(one, from_attributes=True) for one in people],
        invitations=[_invitation(one) for one in invitations],
    )


@router.post("/team/invitations", status_code=201)
def invite(call: ApiCaller, asked: InvitationIn) -> InvitedOut:
    """Invite somebody; the address in the answer works once, within seven days."""
    call.require_local()
    with call.office() as session:
        shops = session.scalars(select(Shop.id).where(Shop.name.in_(asked.shops))).all()
        row, token = team.invite(
            session, _act(call), login=asked.login, role=asked.role, shop_ids=shops
        )
    told = _invitation(row).model_dump()
    return InvitedOut(**told, url=f"{call.runtime.settings.address}/join/{token}")


@router.delete("/team/invitations/{invitation_id}", status_code=204)
def revoke_invitation(call: ApiCaller, invitation_id: int) -> None:
    """Take an invitation back."""
    call.require_local()
    with call.office() as session:
        team.revoke_invitation(session, _act(call), invitation_id)


@router.patch("/team/{staff_id}")
def change(call: ApiCaller, staff_id: int, asked: StaffChange) -> StaffOut:
    """Change a person's role, shut them out, or let them in again."""
    call.require_local()
    with call.office() as session:
        if asked.is_disabled is not None:
            team.set_disabled(session, _act(call), staff_id, disabled=asked.is_disabled)
        if asked.role is not None:
            team.change_role(session, _act(call), staff_id, asked.role)
        if asked.has_second_step is not None:
            team.end_second_step(session, staff_id)
        row = session.get(Staff, staff_id)
        if row is None:
            raise NotFoundError(problem("no_staff", "There is no such person in the team."))
        return StaffOut.model_validate(row, from_attributes=True)


@router.get("/shops/{shop}/keys")
def keys(call: ApiCaller, shop: str) -> KeysOut:
    """List the keys of a shop."""
    call.require_local()
    with call.runtime.office.reading() as session:
        rows: Sequence[ApiKey] = team.list_keys(session, call.shop(shop))
    return KeysOut(keys=[_key(row) for row in rows])


@router.post("/shops/{shop}/keys", status_code=201)
def make_key(call: ApiCaller, shop: str, asked: KeyIn) -> MadeKeyOut:
    """Make a key; its text is shown this once."""
    call.require_local()
    found = call.shop(shop)
    with call.office() as session:
        row, text = team.make_key(session, _act(call), found, name=asked.name, scope=asked.scope)
    return MadeKeyOut(**_key(row).model_dump(), key=text)


@router.delete("/shops/{shop}/keys/{key_id}", status_code=204)
def revoke_key(call: ApiCaller, shop: str, key_id: int) -> None:
    """Take a key back: from the next request on it is unknown."""
    call.require_local()
    found = call.shop(shop)
    with call.office() as session:
        team.revoke_key(session, _act(call), found, key_id)


def _act(call: ApiCall) -> team.Act:
    return team.Act(call.author, call.now)


def _invitation(row: Invitation) -> InvitationOut:
    return InvitationOut.model_validate(row, from_attributes=True)


def _key(row: ApiKey) -> KeyOut:
    return KeyOut.model_validate(row, from_attributes=True)
