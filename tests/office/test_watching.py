"""Whatever changes what matters stands in the audit log, whoever did it and wherever."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regulars.clock import SettableClock
from regulars.errors import InputError
from regulars.office import Office, audit, create_shop
from regulars.office.models.segments import Segment
from regulars.office.watching import WATCHED

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def office(tmp_path):
    opened = Office(f"sqlite:///{tmp_path / 'office.db'}", SettableClock(NOW))
    opened.migrate()
    yield opened
    opened.close()


def acts(office: Office) -> list[tuple[str, str, str, int | None]]:
    with office.reading() as session:
        rows = reversed(audit.list_entries(session, limit=100))
        return [(row.act, row.about, row.author, row.shop_id) for row in rows]


def made(office: Office, author: str | None = "ana") -> Segment:
    with office.session(author) as session:
        shop = create_shop(session, name="tea", now=NOW)
        segment = Segment(
            shop_id=shop.id,
            name="VIP",
            name_key="vip",
            query="number_of_orders > 3",
            created_at=NOW,
            created_by="bo",
            updated_at=NOW,
        )
        session.add(segment)
    return segment


def made_in_vain(office: Office) -> None:
    with office.session("ana") as session:
        create_shop(session, name="tea", now=NOW)
        create_shop(session, name="tea", now=NOW)


def test_what_is_made_is_told_with_who_made_it(office):
    made(office)

    assert acts(office) == [("shop_added", "tea", "ana", 1), ("segment_made", "VIP", "ana", 1)]


def test_without_a_name_the_rows_own_author_counts(office):
    made(office, author=None)

    assert acts(office)[-1] == ("segment_made", "VIP", "bo", 1)


def test_each_change_is_told_once_and_figures_are_not(office):
    number = made(office).id
    with office.session("cleo") as session:
        row = session.get_one(Segment, number)
        row.query, row.member_count = "number_of_orders > 4", 12
        session.flush()
        row.member_count = 13
    with office.session("cleo") as session:
        session.get_one(Segment, number).deleted_at = NOW

    told = [one[0] for one in acts(office)[2:]]
    assert told == ["segment_changed", "segment_deleted"]


def test_what_is_rolled_back_is_not_told(office):
    with pytest.raises(InputError):
        made_in_vain(office)

    assert acts(office) == []


def test_the_chain_holds_over_all_of_it(office):
    made(office)

    with office.reading() as session:
        assert audit.verify(session).broken_at is None


def test_every_watched_act_is_one_that_the_log_knows():
    told: set[str] = set()
    for watch in WATCHED.values():
        made = [watch.made] if isinstance(watch.made, str) else (watch.made or {}).values()
        told |= {*made, *watch.done_by, *([watch.removed] if watch.removed else [])}

    assert told <= audit.ACTS
