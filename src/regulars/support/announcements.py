"""Announcements: what changed, and what needs an action before a date, in both languages.

Written in announcements.toml, which comes with each version; who has read which is in the office.
Some are told only on an occasion: their days are those that this installation has set.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.office.models.installation import Dismissal

FILE = Path(__file__).parent / "announcements.toml"

#: By the occasion's name, the day it was set on and the last day on which something can be done.
Occasions = Mapping[str, tuple[date, date]]


@dataclass(frozen=True, slots=True)
class Announcement:
    """One change, in one language."""

    key: str
    #: The day from which it is shown.
    told_on: date
    #: The last day on which something can be done about it; None: nothing has to be done.
    act_by: date | None
    title: str
    text: str
    #: The page of ours where it is seen or done; empty for none.
    link: str
    #: The occasion that it is told on; empty for always.
    when: str

    @property
    def name(self) -> str:
        """What its dismissal is called; an occasion that is moved is told anew."""
        return f"announcement:{self.key}" + (f":{self.act_by}" if self.when else "")


@cache
def _all(language: str) -> tuple[Announcement, ...]:
    with FILE.open("rb") as file:
        told = tomllib.load(file)
    listed = [
        Announcement(
            key=key,
            told_on=one.get("told_on", date.min),
            act_by=one.get("act_by"),
            title=one[language]["title"],
            text=one[language]["text"].strip(),
            link=one.get("link", ""),
            when=one.get("when", ""),
        )
        for key, one in told.items()
    ]
    return tuple(listed)


def announcements(language: str, today: date, occasions: Occasions) -> list[Announcement]:
    """Return what has been told up to today, the latest first."""
    told = []
    for one in _all(language):
        if not one.when:
            told.append(one)
        elif one.when in occasions:
            told_on, act_by = occasions[one.when]
            told.append(replace(one, told_on=told_on, act_by=act_by))
    shown = (one for one in told if one.told_on <= today)
    return sorted(shown, key=lambda one: one.told_on, reverse=True)


def unread(session: Session, staff_id: int, told: Collection[Announcement]) -> list[Announcement]:
    """Return those of them that a person has not read yet."""
    read = dismissed(session, staff_id)
    return [one for one in told if one.name not in read]


def dismissed(session: Session, staff_id: int) -> Collection[str]:
    """Return the names of everything that a person has put away."""
    return set(session.scalars(select(Dismissal.name).where(Dismissal.staff_id == staff_id)))


def dismiss(session: Session, staff_id: int, name: str, now: datetime) -> None:
    """Remember that a person has read or put away something."""
    if session.get(Dismissal, (staff_id, name)) is None:
        session.add(Dismissal(staff_id=staff_id, name=name, dismissed_at=now))
