"""Watching: every change of what matters becomes an entry of the audit log, whoever makes it.

The rows themselves are watched, so that no page, command or route can forget to tell. The entry is
written in the transaction of the change: it is kept or lost with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from regulars.clock import Clock
from regulars.office import audit
from regulars.office.models.base import Base
from regulars.office.models.outgoing import Endpoint
from regulars.office.models.privacy import PrivacyRequest
from regulars.office.models.segments import Segment
from regulars.office.models.shops import Shop, ShopToken
from regulars.office.models.staff import RecoveryCode, SignInLink, Staff, StaffSession
from regulars.office.models.statics import StaticPhase, StaticSegment
from regulars.office.models.tags import TagAssignment, TagEvent, TagRemoval, TagRule
from regulars.office.models.trackings import RevenueTracking
from regulars.office.models.uploads import Upload

#: Who works where nobody asked for it.
OURSELVES: Final = "Regulars"
_AUTHOR, _NOTES = "author", "notes"

Row = Any
#: What changed of a row: the field's value before and now.
Change = tuple[object, object]
#: Reads an act out of a change; None: not worth an entry.
Reads = Callable[[Row, Change], str | None]


@dataclass(frozen=True, slots=True)
class Watch:
    """What is told of one kind of row."""

    #: How the row is named in the log.
    about: Callable[[Session, Row], str]
    #: The act of making one, or the acts by the row's kind; None: not told.
    made: str | Mapping[str, str] | None = None
    removed: str | None = None
    changed: Mapping[str, Reads] = field(default_factory=dict)
    #: Fields worth keeping beside the act.
    details: tuple[str, ...] = ()
    #: Whether a new row is one of those that are told.
    is_told: Callable[[Row], bool] = lambda _row: True
    #: Fields that name who did it, by act, where nobody is named with the transaction.
    done_by: Mapping[str, str] = field(default_factory=dict)
    #: Whose shop it is about.
    shop_id: Callable[[Session, Row], int | None] = lambda _session, row: getattr(
        row, "shop_id", None
    )


@dataclass(frozen=True, slots=True)
class _Note:
    act: str
    about: str
    author: str
    shop_id: int | None
    details: dict[str, object]
    row: Row


def _always(act: str) -> Reads:
    return lambda _row, _change: act


def _set(act: str, back: str | None = None) -> Reads:
    """Tell of an instant that was set, and of one that was taken away."""
    return lambda _row, change: act if change[1] is not None else back


def _gained(act: str, back: str) -> Reads:
    """Tell of what came or went, and not of what another took the place of."""
    return lambda row, change: _set(act, back)(row, change) if None in change else None


def _when(values: Mapping[object, str]) -> Reads:
    """Tell of some values only."""
    return lambda _row, change: values.get(change[1])


def _named(name: str) -> Callable[[Session, Row], str]:
    return lambda _session, row: str(getattr(row, name))


def _login(session: Session, row: Row) -> str:
    staff = session.get(Staff, row.staff_id)
    return staff.login if staff else ""


def _shop_name(session: Session, row: Row) -> str:
    shop = session.get(Shop, row.shop_id)
    return shop.name if shop else ""


def _assignment(session: Session, row: Row) -> str:
    found = session.get(TagAssignment, row.assignment_id)
    return found.tag if found else ""


def _shop_of_assignment(session: Session, row: Row) -> int | None:
    found = session.get(TagAssignment, row.assignment_id)
    return found.shop_id if found else None


#: What people order of tag work beyond its beginning, by the kind of event that keeps it.
_ORDERED = {
    "resumed": "tag_resumed",
    "retried": "tag_retried",
    "removal_undone": "tag_removal_undone",
}


_WORK_BY_HAND = {
    "paused": "tag_paused",
    "cancelling": "tag_cancelled",
    "cancelled": "tag_cancelled",
}


def _by_hand(row: Row, change: Change) -> str | None:
    # The work itself moves the status as well; those steps are not acts.
    session = Session.object_session(row)
    if session is None or _AUTHOR not in session.info:
        return None
    return _WORK_BY_HAND.get(str(change[1]))


WATCHED: Final[Mapping[type[Base], Watch]] = {
    Segment: Watch(
        _named("name"),
        made="segment_made",
        changed={
            "deleted_at": _set("segment_deleted", "segment_restored"),
            "query": _always("segment_changed"),
            "name": _always("segment_renamed"),
            "description": _always("segment_described"),
            "icon": _always("segment_described"),
        },
        details=("version",),
    ),
    TagAssignment: Watch(
        _named("tag"),
        made="tag_assigned",
        changed={"status": _by_hand},
        details=("segment_name", "targeted_count"),
        is_told=lambda row: row.kind == "once",
    ),
    TagRemoval: Watch(_assignment, made="tag_removed"),
    TagEvent: Watch(
        _assignment,
        made=_ORDERED,
        is_told=lambda row: row.kind in _ORDERED and bool(row.author),
        shop_id=_shop_of_assignment,
    ),
    TagRule: Watch(
        _named("tag"),
        made="tag_rule_made",
        changed={
            "is_on": lambda _row, change: "tag_rule_on" if change[1] else "tag_rule_off",
            "held_at": lambda row, change: (
                "tag_rule_released" if change[1] is None and row.is_on else None
            ),
            **dict.fromkeys(
                ("grace_days", "brake_number", "brake_share", "drift", "holdout_share"),
                _always("tag_rule_changed"),
            ),
        },
    ),
    RevenueTracking: Watch(
        _named("name"),
        made="tracking_made",
        removed="tracking_deleted",
        changed={
            "cancelled_at": _set("tracking_cancelled"),
            "name": _always("tracking_changed"),
            "note": _always("tracking_changed"),
        },
        details=("segment_name",),
    ),
    Upload: Watch(
        _named("file_name"),
        changed={"state": _when({"applied": "upload_applied", "undone": "upload_undone"})},
        details=("mode",),
        done_by={"upload_applied": "author"},
    ),
    StaticSegment: Watch(
        _named("name"),
        made="static_brought_in",
        changed={
            "segment_id": _set("static_converted"),
            "deleted_at": _set("static_deleted", "static_restored"),
        },
        done_by={
            "static_brought_in": "imported_by",
            "static_converted": "converted_by",
            "static_deleted": "deleted_by",
        },
    ),
    StaticPhase: Watch(
        _named("phase"),
        made="static_phase_set",
        changed={"phase": _always("static_phase_set")},
        done_by={"static_phase_set": "changed_by"},
    ),
    Shop: Watch(
        _named("name"),
        made="shop_added",
        changed={
            "universe": _always("universe_changed"),
            "disconnected_at": _set("shop_disconnected"),
        },
    ),
    ShopToken: Watch(_shop_name, made="shop_connected"),
    Staff: Watch(
        _named("login"),
        changed={
            "password_hash": _set("password_set"),
            "factor_secret": _gained("second_step_on", "second_step_off"),
        },
    ),
    RecoveryCode: Watch(_login, changed={"used_at": _set("recovery_code_used")}),
    # Not about the shop that is looked at.
    StaffSession: Watch(_login, made="signed_in", shop_id=lambda _session, _row: None),
    SignInLink: Watch(_login, made="sign_in_link_made"),
    Endpoint: Watch(
        _named("address"),
        made="endpoint_made",
        removed="endpoint_deleted",
        changed={
            "events": _always("endpoint_changed"),
            "disabled_at": _set("endpoint_off", "endpoint_on"),
        },
        details=("kind",),
    ),
    # Named by what was asked: the log outlives the customer's data.
    PrivacyRequest: Watch(
        _named("kind"), made="privacy_asked", changed={"state": _when({"done": "privacy_done"})}
    ),
}


def watch(sessions: Any, clock: Clock) -> None:
    """Have every change through a session factory written down, with the instant by `clock`."""

    def before_flush(session: Session, _context: object, _instances: object) -> None:
        session.info.setdefault(_NOTES, []).extend(_notes(session))

    def before_commit(session: Session) -> None:
        session.flush()
        for note in session.info.pop(_NOTES, ()):
            _write(session, note, clock())

    def after_rollback(session: Session, _previous: object) -> None:
        session.info.pop(_NOTES, None)

    event.listen(sessions, "before_flush", before_flush)
    event.listen(sessions, "before_commit", before_commit)
    event.listen(sessions, "after_soft_rollback", after_rollback)


def _write(session: Session, note: _Note, at: datetime) -> None:
    shop_id = note.row.id if isinstance(note.row, Shop) else note.shop_id
    audit.record(
        session,
        act=note.act,
        about=note.about,
        author=note.author,
        at=at,
        shop_id=shop_id,
        details=note.details,
    )


def _notes(session: Session) -> Iterator[_Note]:
    with session.no_autoflush:
        for row in session.new:
            found = WATCHED.get(type(row))
            if found is not None and found.made is not None and found.is_told(row):
                act = found.made if isinstance(found.made, str) else found.made[row.kind]
                yield _note(session, found, row, act, is_new=True)
        for row in session.dirty:
            found = WATCHED.get(type(row))
            if found is not None:
                yield from _changes(session, found, row)
        for row in session.deleted:
            found = WATCHED.get(type(row))
            if found is not None and found.removed is not None:
                yield _note(session, found, row, found.removed)


def _changes(session: Session, found: Watch, row: Row) -> Iterator[_Note]:
    told = set()
    state = inspect(row)
    for name, read in found.changed.items():
        history = state.attrs[name].history
        if not history.has_changes():
            continue
        before = history.deleted[0] if history.deleted else None
        act = read(row, (before, getattr(row, name)))
        if act is not None and act not in told:
            told.add(act)
            yield _note(session, found, row, act)


def _note(session: Session, found: Watch, row: Row, act: str, *, is_new: bool = False) -> _Note:
    author = session.info.get(_AUTHOR)
    if author is None and act in found.done_by:
        author = getattr(row, found.done_by[act])
    if author is None and is_new:
        author = getattr(row, "author", None) or getattr(row, "created_by", None)
    details = {name: getattr(row, name) for name in found.details}
    told = {name: value for name, value in details.items() if value is not None}
    about = found.about(session, row)
    shop_id = found.shop_id(session, row)
    return _Note(act, about, str(author or OURSELVES), shop_id, told, row)
