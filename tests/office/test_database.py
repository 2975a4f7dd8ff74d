"""The office database: durable, migrated, and equal to what the models say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import StatementError

from regulars.errors import InputError
from regulars.office import Office, Token, create_shop, find_shop, read_token, save_token
from regulars.office.models import load_all
from regulars.office.models.shops import Shop, ShopToken
from regulars.sealing import Sealer

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def office(tmp_path):
    office = Office(f"sqlite:///{tmp_path / 'office.db'}")
    office.migrate()
    yield office
    office.close()


def test_the_migrations_end_where_the_models_are(office):
    with office.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, load_all().metadata)

    # A difference is closed with: python -m regulars.office.revise "What changed"
    assert differences == []


def test_migrating_twice_changes_nothing(office):
    with office.session() as session:
        create_shop(session, name="basic", now=NOW)

    office.migrate()

    with office.reading() as session:
        assert find_shop(session, "basic").name == "basic"


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_a_commit_survives_a_power_cut(office, pragma, value):
    """WAL with synchronous=FULL (2); NORMAL would lose commits that were acknowledged."""
    with office.engine.connect() as connection:
        found = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()

    assert value == found


def test_an_error_takes_everything_of_its_session_back(office):
    with pytest.raises(InputError), office.session() as session:
        create_shop(session, name="basic", now=NOW) and create_shop(session, name="", now=NOW)

    with office.reading() as session:
        assert session.query(Shop).count() == 0


def test_a_reader_sees_one_state_while_others_write(office):
    with office.reading() as reading:
        before = reading.query(Shop).count()
        with office.session() as session:
            create_shop(session, name="basic", now=NOW)

        assert before == reading.query(Shop).count()


def test_instants_come_back_in_utc(office):
    tokyo = timezone(timedelta(hours=9))
    with office.session() as session:
        create_shop(session, name="basic", now=datetime(2026, 3, 1, 18, tzinfo=tokyo))

    with office.reading() as session:
        assert find_shop(session, "basic").created_at == NOW
        assert find_shop(session, "basic").created_at.tzinfo == UTC


def test_an_instant_without_zone_is_refused(office):
    with pytest.raises(StatementError), office.session() as session:
        create_shop(session, name="basic", now=NOW.replace(tzinfo=None))


def test_all_problems_of_a_new_shop_are_told_at_once(office):
    with pytest.raises(InputError) as raised, office.session() as session:
        create_shop(session, name="Basic!", time_zone="Mars/Base", currency="yen", now=NOW)

    codes = [problem.code for problem in raised.value.problems]
    assert codes == ["shop_name", "time_zone", "currency"]


def test_a_shop_is_found_by_name_and_by_domain(office):
    with office.session() as session:
        create_shop(session, name="basic", domain="basic.myshopify.com", kind="shopify", now=NOW)

    with office.reading() as session:
        assert find_shop(session, "basic").id == find_shop(session, "basic.myshopify.com").id


def test_a_token_is_unreadable_in_the_database_and_bound_to_its_shop(office, tmp_path):
    sealer = Sealer.of_file(tmp_path / "secret.key")
    with office.session() as session:
        ana = create_shop(session, name="ana", now=NOW)
        bo = create_shop(session, name="bo", now=NOW)
        save_token(session, sealer, ana, Token("shpat_secret", "refresh_secret"), NOW)
        stolen = session.get_one(ShopToken, ana.id).access_token
        session.add(ShopToken(shop_id=bo.id, access_token=stolen, scopes="", saved_at=NOW))

    with office.reading() as session:
        assert read_token(session, sealer, ana.id).access_token == "shpat_secret"
        with pytest.raises(ValueError, match="cannot be opened"):
            read_token(session, sealer, bo.id)
    assert b"shpat_secret" not in (tmp_path / "office.db").read_bytes()
    assert b"shpat_secret" not in (tmp_path / "office.db-wal").read_bytes()


def test_the_key_file_belongs_to_the_owner_alone(tmp_path):
    sealed = Sealer.of_file(tmp_path / "secret.key").seal("text", "place")

    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert Sealer.of_file(tmp_path / "secret.key").open(sealed, "place") == "text"
