"""The audit log tells when somebody changed it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from regulars.office import Office, audit
from regulars.office.models.audit import AuditEntry

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def office(tmp_path):
    opened = Office(f"sqlite:///{tmp_path / 'office.db'}")
    opened.migrate()
    with opened.session() as session:
        for day in range(5):
            at = NOW + timedelta(days=day)
            audit.record(
                session, act="invited", about=f"person {day}", author="Owner", at=at, shop_id=1
            )
    yield opened
    opened.close()


def verdict(office: Office, head: str | None = None) -> audit.Verdict:
    with office.reading() as session:
        return audit.verify(session, head)


def test_an_untouched_log_holds(office):
    found = verdict(office)

    assert (found.count, found.broken_at) == (5, None)


@pytest.mark.parametrize(
    ("column", "value"),
    [("about", "somebody else"), ("author", "Bo"), ("at", NOW), ("details", {"role": "owner"})],
)
def test_a_changed_entry_is_named(office, column, value):
    with office.session() as session:
        session.execute(update(AuditEntry).where(AuditEntry.number == 3).values({column: value}))

    assert verdict(office).broken_at == 3


def test_a_removed_entry_is_noticed_at_the_next_one(office):
    with office.session() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.number == 2))

    assert verdict(office).broken_at == 3


def test_a_rewritten_entry_breaks_the_one_after_it(office):
    with office.session() as session:
        entry = session.get_one(AuditEntry, 3)
        entry.about = "somebody else"
        entry.hash = audit.hash_of(entry)

    assert verdict(office).broken_at == 4


def test_a_cut_off_end_is_found_by_a_noted_head(office):
    noted = verdict(office).head
    assert verdict(office, noted).has_head is True
    with office.session() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.number > 3))

    assert verdict(office, noted).has_head is False


def test_a_shortened_log_still_holds_and_says_so(office):
    with office.session() as session:
        gone = audit.shorten(session, before=NOW + timedelta(days=3), now=NOW + timedelta(days=9))

    assert gone == 3
    assert verdict(office).broken_at is None
    with office.reading() as session:
        newest, *rest = audit.list_entries(session)
    assert (newest.act, newest.details["entries"]) == ("log_shortened", 3)
    assert [entry.number for entry in rest] == [5, 4]
