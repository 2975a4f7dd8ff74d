"""The office database: one engine, short transactions, migrations at start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from regulars.clock import Clock, system_clock

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
# A writer that waits longer than this stands behind something stuck, and says so.
BUSY_SECONDS = 15
# What was answered for is on the disk: NORMAL, which many advise, loses commits in a power cut.
DURABILITY = "synchronous=FULL"


class Office:
    """The database of one installation. Sessions are short: nothing long is done inside one."""

    def __init__(self, url: str, clock: Clock = system_clock) -> None:
        from regulars.office.watching import watch

        self.url = url
        self.engine = _engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        watch(self._sessions, clock)
        self._reading = self.engine.execution_options(regulars_reading=True)

    @contextmanager
    def session(self, author: str | None = None) -> Iterator[Session]:
        """Open a transaction that commits at the end and rolls back on an error.

        `author` is who stands in the audit log for what it changes.

        On SQLite it takes the write lock at once, so that what was read cannot have changed when it
        is written; do not open a second one inside. Objects stay readable afterwards.
        """
        with self._sessions.begin() as session:
            if author is not None:
                session.info["author"] = author
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that reads one consistent state and never waits for writers."""
        with self._sessions(bind=self._reading) as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to the newest revision; run at every start."""
        with self.engine.connect() as connection:
            if revision_of(connection) == newest_revision():
                return
            from alembic import command

            command.upgrade(alembic_config(connection), "head")

    def checkpoint(self) -> None:
        """Fold SQLite's write-ahead log into the file and empty it: it holds what was deleted."""
        if self.engine.dialect.name == "sqlite":
            # Outside a transaction, which a session always is in.
            with closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def newest_revision() -> str:
    """Return the newest revision there is: migration files begin with their number."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database; None for a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration for our migrations, over an open connection."""
    from alembic.config import Config

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
    # What is deleted is written over: somebody who asked to be forgotten is not in the file.
    for pragma in ("journal_mode=WAL", DURABILITY, "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    reading = connection.get_execution_options().get("regulars_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
