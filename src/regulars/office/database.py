"""The office database: one engine, short transactions, migrations at start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.orm import Session, sessionmaker

MIGRATIONS = Path(__file__).parent / "migrations"
# A writer that waits longer than this stands behind something stuck, and says so.
BUSY_SECONDS = 15


class Office:
    """The database of one installation. Sessions are short: nothing long is done inside one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a transaction that commits at the end and rolls back on an error.

        On SQLite it takes the write lock at once, so that what was read cannot have changed when it
        is written; do not open a second one inside. Objects stay readable afterwards.
        """
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that reads one consistent state and never waits for writers."""
        with self._sessions(bind=self.engine.execution_options(regulars_reading=True)) as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to the newest revision; run at every start."""
        with self.engine.connect() as connection:
            command.upgrade(alembic_config(connection), "head")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def alembic_config(connection: Any = None) -> Config:
    """Return Alembic's configuration for our migrations, over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=20)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling begins too late and commits around DDL: we say BEGIN.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    reading = connection.get_execution_options().get("regulars_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
