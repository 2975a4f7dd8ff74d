"""The audit log's chain: append an entry, read a page, prove that nothing was changed.

Each entry's hash covers its content and the hash before it: whoever changes, removes or inserts one
breaks the chain from there on. Entries cut off at the end are found by a head noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from regulars.office.models.audit import AuditEntry

FIRST = bytes(32)
#: Who works from the command line, where people and keys have names.
COMMAND_LINE = "command line"
# Entries are read in pages, so that a long log does not fill the memory.
PAGE = 1000

#: Every act that is written down. The texts are told by the web room.
ACTS = frozenset(
    {
        # Who may come in.
        "signed_in", "sign_in_link_made", "password_set", "second_step_on", "second_step_off",
        "recovery_codes_made", "recovery_code_used", "invited", "invitation_revoked",
        "joined_team", "role_changed", "staff_disabled", "staff_enabled", "api_key_made",
        "api_key_revoked",
        # Segments, tags, trackings, uploads, lists of the earlier system.
        "segment_made", "segment_changed", "segment_renamed", "segment_deleted",
        "segment_described", "segment_restored", "segment_pushed", "tag_assigned", "tag_removed",
        "tag_paused", "tag_resumed", "tag_retried", "tag_cancelled", "tag_removal_undone",
        "tag_rule_made", "tag_rule_changed", "tag_rule_on", "tag_rule_off", "tag_rule_released",
        "tracking_made", "tracking_changed", "tracking_cancelled", "tracking_deleted",
        "upload_applied", "upload_undone", "static_brought_in", "static_converted",
        "static_deleted", "static_restored", "static_phase_set",
        # Customers who were seen; data that leaves or goes.
        "customers_seen", "members_exported", "log_exported", "figures_exported", "privacy_asked",
        "privacy_done", "customer_exported", "shop_erased", "shop_kept",
        # Shops, other programs, the installation.
        "shop_added", "shop_connected", "shop_disconnected", "universe_changed",
        "endpoint_made", "endpoint_changed", "endpoint_on", "endpoint_off", "endpoint_deleted",
        "backup_made", "restored", "secrets_sealed_anew", "choice_changed",
        "conversation_closed", "log_shortened",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look through the chain found."""

    count: int
    #: The newest hash as hex: note it elsewhere to prove later that nothing was cut off.
    head: str
    #: The number of the first entry that does not fit; None when all do.
    broken_at: int | None
    #: Whether the head that was asked for stands in the chain; None when none was.
    has_head: bool | None


def record(
    session: Session,
    *,
    act: str,
    about: str,
    author: str,
    at: datetime,
    shop_id: int | None = None,
    details: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Append an entry in the caller's transaction: what it tells of is kept or lost with it."""
    if act not in ACTS:
        raise LookupError(f"there is no act {act!r}")
    newest = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1)
    last = session.scalar(newest.with_for_update())
    entry = AuditEntry(
        number=last.number + 1 if last else 1,
        at=at,
        author=author[:255],
        shop_id=shop_id,
        act=act,
        about=about[:255],
        details=dict(details or {}),
        previous_hash=last.hash if last else FIRST,
    )
    entry.hash = hash_of(entry)
    session.add(entry)
    session.flush()
    return entry


def hash_of(entry: AuditEntry) -> bytes:
    """Return the hash that an entry must have."""
    content = [
        entry.number,
        entry.at.isoformat(),
        entry.author,
        entry.shop_id,
        entry.act,
        entry.about,
        entry.details,
    ]
    told = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(entry.previous_hash + told.encode()).digest()


def verify(session: Session, head: str | None = None) -> Verdict:
    """Recompute every hash from the oldest kept entry on."""
    count, previous, found_head = 0, None, False
    after = 0
    while entries := session.scalars(
        select(AuditEntry).where(AuditEntry.number > after).order_by(AuditEntry.number).limit(PAGE)
    ).all():
        for entry in entries:
            fits = previous is None or (
                entry.previous_hash == previous.hash and entry.number == previous.number + 1
            )
            is_start = previous is None and entry.number == 1
            if not fits or (is_start and entry.previous_hash != FIRST):
                return _broken(count, previous, entry, head, found_head)
            if entry.hash != hash_of(entry):
                return _broken(count, previous, entry, head, found_head)
            count, previous = count + 1, entry
            found_head = found_head or entry.hash.hex() == head
        after = entries[-1].number
    newest = previous.hash.hex() if previous else FIRST.hex()
    return Verdict(count, newest, None, found_head if head else None)


def _broken(
    count: int, previous: AuditEntry | None, entry: AuditEntry, head: str | None, found: bool
) -> Verdict:
    sound = previous.hash.hex() if previous else FIRST.hex()
    return Verdict(count, sound, entry.number, found if head else None)


def list_entries(
    session: Session,
    *,
    shop_ids: Sequence[int] | None = None,
    act: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[AuditEntry]:
    """Return entries, newest first; `shop_ids` None means those of the whole installation."""
    rows = select(AuditEntry)
    if shop_ids is not None:
        rows = rows.where(AuditEntry.shop_id.in_(shop_ids))
    if act:
        rows = rows.where(AuditEntry.act == act)
    if before is not None:
        rows = rows.where(AuditEntry.number < before)
    return session.scalars(rows.order_by(AuditEntry.number.desc()).limit(limit)).all()


def shorten(session: Session, *, before: datetime, now: datetime) -> int:
    """Forget entries older than `before`, and write down that this was done.

    The newest one stays, so that the chain goes on from it.
    """
    newest = select(func.max(AuditEntry.number)).scalar_subquery()
    gone = session.scalars(
        select(AuditEntry.number)
        .where(AuditEntry.at < before, AuditEntry.number < newest)
        .order_by(AuditEntry.number)
    ).all()
    if not gone:
        return 0
    session.execute(delete(AuditEntry).where(AuditEntry.number <= gone[-1]))
    details = {"entries": len(gone), "before": before.date().isoformat()}
    record(
        session, act="log_shortened", about="audit log", author="Regulars", at=now, details=details
    )
    return len(gone)
