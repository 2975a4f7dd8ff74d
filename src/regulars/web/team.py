"""The team: invitations, roles and API keys, each act written into the audit log.

The rules that keep an installation reachable live here: the last owner stays an owner.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from regulars.errors import ConflictError, InputError, NotFoundError, PermissionDenied, problem
from regulars.office import Shop, audit, choices, second_factor
from regulars.office.models.staff import ApiKey, Invitation, Staff, StaffSession, StaffShop
from regulars.office.signing_in import INVITATION_DAYS, token_hash
from regulars.web.i18n import N_
from regulars.web.sessions import set_password

# So that a leaked key is found by the programs that look for such in public code.
KEY_PREFIX = "regulars_"
NAME_LENGTH_MAX = 100

ROLES = {
    "member": N_("Member: sees the chosen shops"),
    "owner": N_("Owner: sees everything and runs the installation"),
}
SCOPES = {
    "read": N_("Read definitions and counts"),
    "customers": N_("Read, and see who the customers are"),
    "write": N_("Read, see customers, and change"),
}


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, and when: what every entry of the audit log needs."""

    author: str
    at: datetime

    def note(
        self, session: Session, act: str, about: str, shop_id: int | None = None, **details: object
    ) -> None:
        """Write it down in the transaction that does it."""
        audit.record(
            session,
            act=act,
            about=about,
            author=self.author,
            at=self.at,
            shop_id=shop_id,
            details=details,
        )


def invite(
    session: Session, act: Act, *, login: str, role: str, shop_ids: Sequence[int]
) -> tuple[Invitation, str]:
    """Make an invitation; returns it with the token, which is shown once."""
    address = login.strip().lower()
    problems = []
    if not choices.is_email(address):
        text = "Write the e-mail address with which your colleague will sign in."
        problems.append(problem("email", text, field="login"))
    elif session.scalar(select(Staff.id).where(Staff.login == address)):
        text = "{login} belongs to the team already."
        problems.append(problem("in_team", text, field="login", login=address))
    if role not in ROLES:
        problems.append(problem("role", "Choose one of the two roles.", field="role"))
    known = set(session.scalars(select(Shop.id).where(Shop.id.in_(shop_ids))))
    if role == "member" and not known:
        text = "Choose at least one shop that this member will see."
        problems.append(problem("no_shops", text, field="shops"))
    if problems:
        raise InputError(*problems)
    token = secrets.token_urlsafe(32)
    row = Invitation(
        token_hash=token_hash(token),
        login=address,
        role=role,
        shop_ids=sorted(known) if role == "member" else [],
        invited_by=act.author,
        created_at=act.at,
        expires_at=act.at + timedelta(days=INVITATION_DAYS),
    )
    session.add(row)
    session.flush()
    act.note(session, "invited", address, role=role, shop_ids=row.shop_ids)
    return row, token


def find_invitation(session: Session, token: str, now: datetime) -> Invitation:
    """Return the living invitation of an address; raises PermissionDenied for a dead one."""
    row = session.scalar(select(Invitation).where(Invitation.token_hash == token_hash(token)))
    if row is None or row.used_at or row.revoked_at or row.expires_at <= now:
        text = "This invitation was used or taken back, or is older than 7 days. Ask for a new one."
        raise PermissionDenied(problem("dead_invitation", text))
    return row


def accept(session: Session, row: Invitation, *, name: str, password: str, now: datetime) -> Staff:
    """Let a person join; they sign in with the address they were invited by."""
    if session.scalar(select(Staff.id).where(Staff.login == row.login)):
        text = "{login} belongs to the team already."
        raise ConflictError(problem("in_team", text, login=row.login))
    clean = name.strip()[:NAME_LENGTH_MAX]
    if not clean:
        raise InputError(problem("no_name", "Write your name.", field="name"))
    staff = Staff(login=row.login, name=clean, role=row.role, created_at=now)
    set_password(staff, password)
    session.add(staff)
    session.flush()
    # A shop may have been taken away since the invitation.
    for shop_id in session.scalars(select(Shop.id).where(Shop.id.in_(row.shop_ids))).all():
        session.add(StaffShop(staff_id=staff.id, shop_id=shop_id))
    row.used_at = now
    Act(staff.name, now).note(session, "joined_team", staff.login, role=staff.role)
    return staff


def revoke_invitation(session: Session, act: Act, invitation_id: int) -> None:
    """Take an invitation back."""
    row = session.get(Invitation, invitation_id)
    if row is None:
        raise NotFoundError(problem("no_invitation", "There is no such invitation."))
    row.revoked_at = act.at
    act.note(session, "invitation_revoked", row.login)


def living_invitations(session: Session, now: datetime) -> Sequence[Invitation]:
    """Return the invitations that can still be used."""
    rows = select(Invitation).where(
        Invitation.used_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now
    )
    return session.scalars(rows.order_by(Invitation.id)).all()


def change_role(session: Session, act: Act, staff_id: int, role: str) -> None:
    """Give a person another role, and sign them out so that it counts everywhere."""
    staff = _staff(session, staff_id)
    if role not in ROLES:
        raise InputError(problem("role", "Choose one of the two roles.", field="role"))
    if role != "owner":
        _keep_an_owner(session, staff)
        if not session.scalar(select(StaffShop.shop_id).where(StaffShop.staff_id == staff.id)):
            for shop_id in session.scalars(select(Shop.id)).all():
                session.add(StaffShop(staff_id=staff.id, shop_id=shop_id))
    staff.role = role
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff.id))
    act.note(session, "role_changed", staff.login, role=role)


def set_disabled(session: Session, act: Act, staff_id: int, *, disabled: bool) -> None:
    """Shut a person out, or let them in again; what they did stays."""
    staff = _staff(session, staff_id)
    if disabled:
        _keep_an_owner(session, staff)
        session.execute(delete(StaffSession).where(StaffSession.staff_id == staff.id))
    staff.disabled_at = act.at if disabled else None
    act.note(session, "staff_disabled" if disabled else "staff_enabled", staff.login)


def end_second_step(session: Session, staff_id: int) -> None:
    """Let a person who lost phone and recovery codes sign in with the password alone."""
    second_factor.turn_off(session, _staff(session, staff_id))


def _staff(session: Session, staff_id: int) -> Staff:
    staff = session.get(Staff, staff_id)
    if staff is None:
        raise NotFoundError(problem("no_staff", "There is no such person in the team."))
    return staff


def _keep_an_owner(session: Session, leaving: Staff) -> None:
    others = select(Staff.id).where(
        Staff.role == "owner", Staff.disabled_at.is_(None), Staff.id != leaving.id
    )
    if leaving.role == "owner" and not session.scalar(others.limit(1)):
        text = "{name} is the only owner. Make somebody else an owner first."
        raise ConflictError(problem("last_owner", text, name=leaving.name))


def make_key(
    session: Session, act: Act, shop: Shop, *, name: str, scope: str
) -> tuple[ApiKey, str]:
    """Make an API key of a shop; returns it with its text, which is shown once."""
    clean = name.strip()[:NAME_LENGTH_MAX]
    problems = []
    if not clean:
        text = "Name the key after what will use it."
        problems.append(problem("no_key_name", text, field="name"))
    if scope not in SCOPES:
        problems.append(problem("scope", "Choose what the key may do.", field="scope"))
    if problems:
        raise InputError(*problems)
    text = KEY_PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        shop_id=shop.id, name=clean, token_hash=token_hash(text), scope=scope, created_at=act.at
    )
    session.add(row)
    session.flush()
    act.note(session, "api_key_made", clean, shop.id, scope=scope)
    return row, text


def list_keys(session: Session, shop: Shop) -> Sequence[ApiKey]:
    """Return the keys of a shop, those taken back last."""
    rows = select(ApiKey).where(ApiKey.shop_id == shop.id)
    return session.scalars(rows.order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())).all()


def find_key(session: Session, shop: Shop, key_id: int) -> ApiKey:
    """Return a key of the shop, revoked ones too."""
    row = session.get(ApiKey, key_id)
    if row is None or row.shop_id != shop.id:
        raise NotFoundError(problem("no_key", "There is no such API key in this shop."))
    return row


def revoke_key(session: Session, act: Act, shop: Shop, key_id: int) -> None:
    """Take a key back: from the next request on it is unknown."""
    row = find_key(session, shop, key_id)
    if row.revoked_at is None:
        row.revoked_at = act.at
        act.note(session, "api_key_revoked", row.name, shop.id)
