"""Backups: a consistent copy of everything that cannot be fetched again, made while the app runs.

No warehouse is written while the copy is made, and the office is copied as of that time: what the
office says was applied is in the warehouses, and nothing in them is unknown to it. Webhooks are
taken meanwhile. Bringing a copy back is `bootstrap.restoring`'s work.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import orjson
from sqlalchemy import make_url, select

import regulars
from regulars.errors import InputError, problem
from regulars.office import Shop
from regulars.runtime.runtime import Runtime

MANIFEST = "manifest.json"
NAME = re.compile(r"regulars-\d{8}-\d{6}")
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Backup:
    """One finished copy."""

    folder: Path
    made_at: datetime
    byte_count: int
    shop_count: int
    has_key: bool
    has_office: bool


def back_up(runtime: Runtime, folder: Path | None = None, *, with_key: bool = False) -> Backup:
    """Copy the installation into a new folder inside `folder`; raises InputError.

    The key under which secrets are sealed is left out unless asked for: who has both has the shops'
    access tokens.
    """
    home = runtime.settings.home_folder
    target = (folder or home / "backups").expanduser()
    now = runtime.clock()
    name = f"regulars-{now:%Y%m%d-%H%M%S}"
    partial = target / f"{name}.partial"
    try:
        partial.mkdir(parents=True, mode=0o700)
        _copy(runtime, partial, with_key=with_key)
        _write_manifest(runtime, partial, now)
        partial.rename(target / name)
        _sync(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        text = "The backup could not be written to {folder}: {reason}."
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            problem("backup_not_written", text, folder=target, reason=reason, field="folder")
        ) from error
    return read_backup(target / name)


def list_backups(folder: Path) -> Sequence[Backup]:
    """Return the finished copies in a folder, newest first."""
    if not folder.is_dir():
        return ()
    found = [one for one in folder.iterdir() if NAME.fullmatch(one.name)]
    whole = [one for one in found if (one / MANIFEST).is_file()]
    return [read_backup(one) for one in sorted(whole, reverse=True)]


def keep_newest(folder: Path, count: int) -> int:
    """Remove all but the newest copies; return how many went."""
    gone = list_backups(folder)[count:]
    for one in gone:
        shutil.rmtree(one.folder)
    return len(gone)


def read_backup(folder: Path) -> Backup:
    """Return what a copy's manifest says; raises InputError for a folder that is none."""
    try:
        told = orjson.loads((folder / MANIFEST).read_bytes())
        return Backup(
            folder=folder,
            made_at=datetime.fromisoformat(told["made_at"]),
            byte_count=sum(one["bytes"] for one in told["files"].values()),
            shop_count=len(told["shops"]),
            has_key="secret.key" in told["files"],
            has_office="office.db" in told["files"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        text = "{folder} is not a backup made by Regulars: its {name} is missing or not whole."
        raise InputError(
            problem("not_a_backup", text, folder=folder, name=MANIFEST, field="folder")
        ) from error


def check(backup: Backup) -> None:
    """Read a whole copy again, as restoring would; raises InputError where something is not right.

    Every file against the manifest, the office by SQLite's own check, every row of every shop.
    """
    told = orjson.loads((backup.folder / MANIFEST).read_bytes())["files"]
    for name, one in told.items():
        path = backup.folder / name
        if not path.is_file() or digest_of(path) != one["sha256"]:
            raise _unsound(name, "it is not what was written")
    if backup.has_office:
        _check_office(backup.folder / "office.db")
    for path in sorted((backup.folder / "shops").glob("*.duckdb")):
        _check_shop(path)


def _check_office(path: Path) -> None:
    office = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        ((verdict,),) = office.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    finally:
        office.close()
    if verdict != "ok":
        raise _unsound(path.name, str(verdict))


def _check_shop(path: Path) -> None:
    """Read every row: DuckDB compares the checksum of each block that it reads."""
    try:
        with duckdb.connect(path, read_only=True) as shop:
            tables = shop.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal")
            for (name,) in tables.fetchall():
                shop.execute("SELECT bit_xor(hash(t)) FROM query_table(?) AS t", [name]).fetchall()
    except duckdb.Error as error:
        raise _unsound(path.name, str(error).partition("\n")[0]) from error


def _unsound(name: str, reason: str) -> InputError:
    text = "The backup was written, but its file {name} cannot be used: {reason}."
    return InputError(problem("backup_unsound", text, name=name, reason=reason, field="folder"))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def _copy(runtime: Runtime, target: Path, *, with_key: bool) -> None:
    home = runtime.settings.home_folder
    (target / "shops").mkdir(mode=0o700)
    with runtime.office.reading() as session:
        shop_ids = session.scalars(select(Shop.id).order_by(Shop.id)).all()
    with ExitStack() as stack:
        files: list[Path] = []
        for shop_id in shop_ids:
            files += stack.enter_context(runtime.warehouses.of(shop_id).held_still())
        _copy_office(runtime, target)
        for path in files:
            shutil.copyfile(path, target / "shops" / path.name)
    if (home / "uploads").is_dir():
        shutil.copytree(home / "uploads", target / "uploads")
    if with_key:
        shutil.copyfile(home / "secret.key", target / "secret.key")


def _copy_office(runtime: Runtime, target: Path) -> None:
    """Copy SQLite's file as of now. PostgreSQL has tools of its own (docs/operating.md)."""
    url = make_url(runtime.office.url)
    if url.get_backend_name() != "sqlite" or url.database is None:
        return
    source = sqlite3.connect(url.database)
    try:
        # Written anew, page by page: what was deleted is not in the copy.
        source.execute("VACUUM INTO ?", [str(target / "office.db")])
    finally:
        source.close()


def _write_manifest(runtime: Runtime, target: Path, now: datetime) -> None:
    with runtime.office.reading() as session:
        shops = session.execute(select(Shop.id, Shop.name).order_by(Shop.id)).all()
    told = {
        "version": getattr(regulars, "__version__", "0"),
        "made_at": now.isoformat(),
        "shops": {str(number): name for number, name in shops},
        "files": {
            str(path.relative_to(target)): {
                "bytes": path.stat().st_size,
                "sha256": digest_of(path),
            }
            for path in sorted(_files(target))
        },
    }
    manifest = target / MANIFEST
    manifest.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    for path in [manifest, *_files(target)]:
        path.chmod(0o600)
        _sync(path)
    _sync(target)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
