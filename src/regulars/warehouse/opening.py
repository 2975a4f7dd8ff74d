"""Opening one shop's file: settings, migrations, and the words for what can go wrong with a file.

The instance is shut in before anything else runs on it: no file, no network, no change of settings.
Only the `incoming` folder beside the files can be attached from, for loads (see loading.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import duckdb

from regulars.errors import ConflictError, InputError, LimitError, problem

#: The schema this program writes; older files are migrated step by step, newer ones refused.
SCHEMA_VERSION: Final = 3

#: What systems and DuckDB say when there is no room for more.
_FULL: Final = ("no space left", "disk quota", "could not allocate block", "file too large")

#: Files of schema steps by the version they lead to. Version 1 is schema.sql itself.
_STEPS: Final[dict[int, str]] = {2: "schema_2.sql", 3: "schema_3.sql"}


@dataclass(frozen=True, slots=True)
class WarehouseSettings:
    """What one open file may use.

    `threads`: DuckDB's own threads; None means all cores but one, so that requests are answered.
    `checkpoint_bytes`: how large the write-ahead log grows before the warehouse folds it in.
    DuckDB's own threshold of 16 MB stalls commits for up to 64 ms, so it is put out of reach.
    `sheets_bytes`: memory for the sheets of those who ordered last (sheets.py).
    """

    memory_limit: str = "2GB"
    threads: int | None = None
    checkpoint_bytes: int = 64 * 1024 * 1024
    sheets_bytes: int = 128 * 1024 * 1024


def open_file(path: Path, incoming: Path, settings: WarehouseSettings) -> duckdb.DuckDBPyConnection:
    """Open or make a warehouse file, migrated and shut in.

    Raises ConflictError when another process holds it or a newer version made it, InputError when
    the folder cannot be written or the file is damaged, LimitError when the disk is full.
    """
    with file_problems(path):
        incoming.mkdir(parents=True, exist_ok=True)
        threads = settings.threads or max(1, (os.cpu_count() or 2) - 1)
        connection = duckdb.connect(
            str(path),
            config={
                "threads": threads,
                "memory_limit": settings.memory_limit,
                "checkpoint_threshold": "1TB",
                # So many customers, with so many rows, are found by index (decision 0050). DuckDB's
                # own 50 and 2,048 made it read every line of the shop for a larger batch.
                "dynamic_or_filter_threshold": "256",
                "index_scan_max_count": "10000",
                "python_enable_replacements": False,
                # Text columns given from Python are text, also where the first thousand are
                # missing.
                "pandas_analyze_sample": 0,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        try:
            _shut_in(connection, incoming)
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _shut_in(connection: duckdb.DuckDBPyConnection, incoming: Path) -> None:
    connection.execute("SET allowed_directories = [?]", [f"{incoming.resolve()}/"])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise ConflictError(
            problem(
                "warehouse_too_new",
                "{path} was written by a newer version of Regulars (schema {found}, this one knows "
                "{known}). Start the newer version, or restore the backup made before the upgrade.",
                path=path,
                found=version,
                known=SCHEMA_VERSION,
            )
        )
    if version == SCHEMA_VERSION:
        return
    connection.execute("BEGIN")
    try:
        if version == 0:
            connection.execute(_text("schema.sql"))
            connection.execute(
                "INSERT INTO meta VALUES ('schema_version', ?), ('data_version', '0')",
                [str(SCHEMA_VERSION)],
            )
        else:
            for step in range(version + 1, SCHEMA_VERSION + 1):
                connection.execute(_text(_STEPS[step]))
            connection.execute(
                "UPDATE meta SET value = ? WHERE name = 'schema_version'", [str(SCHEMA_VERSION)]
            )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    ((tables,),) = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE NOT internal AND table_name = 'meta'"
    ).fetchall()
    if tables == 0:
        return 0
    ((version,),) = connection.execute(
        "SELECT value FROM meta WHERE name = 'schema_version'"
    ).fetchall()
    return int(version)


def _text(name: str) -> str:
    return (resources.files("regulars.warehouse") / name).read_text(encoding="utf-8")


@contextmanager
def file_problems(path: Path) -> Iterator[None]:
    """Turn what DuckDB and the system say about files into errors with a next step."""
    try:
        yield
    except (PermissionError, FileNotFoundError, NotADirectoryError, FileExistsError) as error:
        raise _not_writable(path, error.strerror or str(error)) from error
    except OSError as error:
        raise _in_words(path, str(error)) from error
    except (
        duckdb.IOException,
        duckdb.SerializationException,
        duckdb.FatalException,
        duckdb.InternalException,
        duckdb.OutOfMemoryException,
    ) as error:
        raise _in_words(path, str(error)) from error
    except duckdb.TransactionException as error:
        # A commit that found no room; other ends of a transaction are the caller's to know.
        if not any(one in str(error).lower() for one in _FULL):
            raise
        raise _in_words(path, str(error)) from error


def _in_words(path: Path, said: str) -> InputError:
    lower = said.lower()
    if "could not set lock" in lower or "conflicting lock" in lower:
        return ConflictError(
            problem(
                "warehouse_in_use",
                "{path} is open in another program. Use the running Regulars (its commands and "
                "pages reach the same data), or stop it first.",
                path=path,
            )
        )
    if "has been invalidated" in lower:
        return LimitError(
            problem(
                "warehouse_stopped",
                "The warehouse {path} stopped after an error and is opened again. Try again in a "
                "moment.",
                path=path,
            )
        )
    if any(one in lower for one in _FULL):
        return LimitError(
            problem(
                "disk_full",
                "The disk that holds {path} is full. Nothing was changed. Free some space and try "
                "again.",
                path=path.parent,
            )
        )
    if "permission denied" in lower or "read-only file system" in lower:
        return _not_writable(path, "permission denied")
    if "out of memory" in lower:
        return LimitError(
            problem(
                "memory_limit",
                "This work needs more memory than the warehouse may use. Nothing was changed. "
                "Raise the memory limit in the settings and try again.",
            )
        )
    return InputError(
        problem(
            "warehouse_damaged",
            "{path} cannot be read as a Regulars warehouse: {said}. Nothing was changed. Restore "
            "it from a backup, or move it away and load the shop again.",
            path=path,
            said=said.splitlines()[0][:200] if said else "unknown",
        )
    )


def _not_writable(path: Path, said: str) -> InputError:
    return InputError(
        problem(
            "folder_not_writable",
            "{path} cannot be written: {said}. Give this account the right to write there, or set "
            "REGULARS_HOME to another folder.",
            path=path.parent,
            said=said,
        )
    )
