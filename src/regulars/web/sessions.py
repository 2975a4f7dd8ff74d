"""Who is asking: passwords, one-time links, session cookies, and proof that a form is ours.

A session is a random 256-bit cookie whose hash is a row; it ends after twelve idle hours or seven
days. Guessing is slowed per login and address, and nobody is ever locked out for good.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from regulars.errors import InputError, LimitError, PermissionDenied, problem
from regulars.office.models.staff import SignInAttempt, SignInLink, Staff, StaffSession
from regulars.office.signing_in import LINK_MINUTES, token_hash
from regulars.web.passwords import is_guessed_first

IDLE_HOURS = 12
ABSOLUTE_DAYS = 7
# NIST asks for eight; ten still fits a phrase and makes offline guessing of argon2id hopeless.
PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 1000
# Refused sign-ins within a quarter of an hour before an address has to wait.
ATTEMPTS_PER_LOGIN = 10
ATTEMPTS_PER_ADDRESS = 50

FOREIGN_FORM = problem(
    "foreign_form",
    "This form did not come from this app. Open the page again and repeat the step.",
)

_hasher = PasswordHasher()


def ensure_owner(session: Session, now: datetime) -> Staff:
    """Return the owner, made without a password where the installation is new."""
    owner = session.scalar(select(Staff).where(Staff.role == "owner").order_by(Staff.id))
    if owner is None:
        owner = Staff(login="owner", name="Owner", role="owner", created_at=now)
        session.add(owner)
        session.flush()
    return owner


def create_sign_in_link(session: Session, staff: Staff, now: datetime) -> str:
    """Return the token of a link that signs this person in once, within fifteen minutes."""
    token = secrets.token_urlsafe(32)
    expires_at = now + timedelta(minutes=LINK_MINUTES)
    session.add(SignInLink(token_hash=token_hash(token), staff_id=staff.id, expires_at=expires_at))
    return token


def use_sign_in_link(session: Session, token: str, now: datetime) -> Staff:
    """Return the person of a link and use it up; raises PermissionDenied for a dead one."""
    link = session.get(SignInLink, token_hash(token), with_for_update=True)
    staff = session.get(Staff, link.staff_id) if link else None
    if link is None or link.used_at or link.expires_at <= now or staff is None or staff.disabled_at:
        text = (
            "This sign-in link has been used or is older than 15 minutes. "
            "Ask for a new one with: regulars sign-in-link"
        )
        raise PermissionDenied(problem("dead_link", text))
    link.used_at = now
    return staff


def check_password(
    session: Session, login: str, password: str, address: str, now: datetime
) -> Staff:
    """Return the person with this login and password; raises InputError, always the same words."""
    key = login.strip().lower()
    check_attempts(session, key, address, now)
    staff = session.scalar(select(Staff).where(Staff.login == key, Staff.disabled_at.is_(None)))
    # An unknown login costs the same time as a known one, so that timing tells nothing.
    stored = staff.password_hash if staff and staff.password_hash else _decoy()
    try:
        _hasher.verify(stored, password[:PASSWORD_LENGTH_MAX])
    except (VerifyMismatchError, InvalidHashError):
        staff = None
    if staff is None or staff.password_hash is None:
        text = "That name and password do not belong together. Check both and try again."
        raise InputError(problem("wrong_password", text, field="password"))
    if _hasher.check_needs_rehash(staff.password_hash):
        staff.password_hash = _hasher.hash(password)
    return staff


def check_attempts(session: Session, login: str, address: str, now: datetime) -> None:
    """Raise LimitError where there were too many refused tries of this login from here."""
    recent = SignInAttempt.attempted_at > now - timedelta(minutes=15)
    here = select(func.count()).where(recent, SignInAttempt.address == address)
    of_login = session.scalar(here.where(SignInAttempt.login == login)) or 0
    of_address = session.scalar(here) or 0
    # Counted for login and address together: a stranger elsewhere cannot lock the owner out.
    if of_login >= ATTEMPTS_PER_LOGIN or of_address >= ATTEMPTS_PER_ADDRESS:
        text = "Too many tries. Wait a quarter of an hour, or sign in with: regulars sign-in-link"
        raise LimitError(problem("too_many_tries", text, field="password"))


def record_attempt(session: Session, login: str, address: str, now: datetime) -> None:
    """Remember a refused sign-in; in a transaction of its own, which the refusal cannot undo."""
    session.execute(
        delete(SignInAttempt).where(SignInAttempt.attempted_at < now - timedelta(hours=1))
    )
    key = login.strip().lower()[:255]
    session.add(SignInAttempt(login=key, address=address[:64], attempted_at=now))


def set_password(staff: Staff, password: str) -> None:
    """Give a person a password; raises InputError for one that is too short, too long or known."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        text = "A password has at least {least} characters. A few words in a row are a good one."
        raise InputError(
            problem("password_length", text, field="password", least=PASSWORD_LENGTH_MIN)
        )
    if is_guessed_first(password, re.split(r"[\W_]+", f"{staff.login} {staff.name}")):
        text = (
            "This password is in lists of known passwords, or made of one of them or of your own "
            "name, so it would be guessed early. Choose another: a few words in a row are a good "
            "one."
        )
        raise InputError(problem("password_known", text, field="password"))
    staff.password_hash = _hasher.hash(password)


def demand_password(staff: Staff, password: str) -> None:
    """Check the present password of a signed-in person; raises InputError."""
    try:
        _hasher.verify(staff.password_hash or _decoy(), password[:PASSWORD_LENGTH_MAX])
    except (VerifyMismatchError, InvalidHashError):
        text = "This is not your present password."
        wrong = problem("wrong_current_password", text, field="current_password")
        raise InputError(wrong) from None


def end_other_sessions(session: Session, staff: Staff, token: str) -> None:
    """Sign a person out everywhere but in this browser."""
    session.execute(
        delete(StaffSession).where(
            StaffSession.staff_id == staff.id, StaffSession.token_hash != token_hash(token)
        )
    )


def start_session(session: Session, staff: Staff, now: datetime) -> str:
    """Return the cookie value of a new session."""
    token = secrets.token_urlsafe(32)
    too_old = now - timedelta(days=ABSOLUTE_DAYS)
    session.execute(delete(StaffSession).where(StaffSession.created_at < too_old))
    session.add(
        StaffSession(token_hash=token_hash(token), staff_id=staff.id, created_at=now, seen_at=now)
    )
    return token


def find_session(session: Session, token: str, now: datetime) -> tuple[StaffSession, Staff] | None:
    """Return a living session and its person."""
    row = session.get(StaffSession, token_hash(token))
    if row is None or row.created_at < now - timedelta(days=ABSOLUTE_DAYS):
        return None
    if row.seen_at < now - timedelta(hours=IDLE_HOURS):
        return None
    staff = session.get(Staff, row.staff_id)
    return (row, staff) if staff is not None and staff.disabled_at is None else None


def end_session(session: Session, token: str) -> None:
    """Sign a browser out."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == token_hash(token)))


def form_token(session_token: str) -> str:
    """Return a proof for a form of this session; a new text each time, as pages are compressed."""
    secret = _form_secret(session_token)
    mask = secrets.token_bytes(len(secret))
    hidden = bytes(a ^ b for a, b in zip(mask, secret, strict=True))
    return base64.urlsafe_b64encode(mask + hidden).decode()


def is_form_token(session_token: str, given: str) -> bool:
    """Whether a form's proof belongs to this session."""
    secret = _form_secret(session_token)
    try:
        raw = base64.urlsafe_b64decode(given.encode())
    except ValueError:
        return False
    if len(raw) != 2 * len(secret):
        return False
    shown = bytes(a ^ b for a, b in zip(raw[: len(secret)], raw[len(secret) :], strict=True))
    return hmac.compare_digest(shown, secret)


def _form_secret(session_token: str) -> bytes:
    return hmac.digest(session_token.encode(), b"regulars form", "sha256")


def _decoy() -> str:
    if not _decoys:
        _decoys.append(_hasher.hash(secrets.token_urlsafe(16)))
    return _decoys[0]


_decoys: list[str] = []
