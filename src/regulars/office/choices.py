"""Choices for the installation that are made on the screens: how long things are kept, who is told.

Reads and writes; what follows from a choice is the jobs' work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from regulars.errors import InputError, problem
from regulars.office.models.installation import Choice

#: Name → (default, least, most) of those that are whole numbers of days.
DAYS: Final[Mapping[str, tuple[int, int, int]]] = {
    "audit_days": (730, 90, 3650),
    "chat_days": (730, 30, 3650),
    "job_days": (90, 7, 3650),
    "delivery_days": (30, 7, 3650),
}
NOTICE_EMAIL = "notice_email"
EMAIL_LENGTH_MAX = 254


def days(session: Session, name: str) -> int:
    """Return for how many days something is kept."""
    row = session.get(Choice, name)
    return row.value if row is not None and isinstance(row.value, int) else DAYS[name][0]


def set_days(session: Session, name: str, text: str) -> bool:
    """Choose for how many days something is kept; return whether that is new."""
    _default, least, most = DAYS[name]
    number = int(text) if text.strip().isdecimal() else -1
    if not least <= number <= most:
        template = "Choose between {least} and {most} days."
        raise InputError(problem("kept_days", template, field=name, least=least, most=most))
    return _set(session, name, number)


def notice_email(session: Session) -> str:
    """Return the address that the operator is written to; empty for none."""
    row = session.get(Choice, NOTICE_EMAIL)
    return str(row.value) if row is not None else ""


def set_notice_email(session: Session, text: str) -> bool:
    """Choose the operator's address; return whether that is new."""
    address = text.strip()
    if address and not is_email(address):
        template = '"{text}" is not an e-mail address. Write one like you@example.com.'
        raise InputError(problem("email", template, field=NOTICE_EMAIL, text=address[:100]))
    return _set(session, NOTICE_EMAIL, address)


def is_email(text: str) -> bool:
    """Whether a text has the shape of one e-mail address, safe to write into a letter's head."""
    name, at, host = text.rpartition("@")
    plain = text.isprintable() and not any(sign in text for sign in ' ,;<>"()[]\\:')
    return bool(name and at and "." in host.strip(".") and plain and len(text) <= EMAIL_LENGTH_MAX)


def _set(session: Session, name: str, value: object) -> bool:
    row = session.get(Choice, name)
    if row is None:
        session.add(Choice(name=name, value=value))
        return True
    is_new = row.value != value
    row.value = value
    return is_new
