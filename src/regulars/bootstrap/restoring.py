"""Restoring: a backup becomes a new home folder, checked byte by byte before and opened after."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import orjson

from regulars.bootstrap.home import open_runtime
from regulars.clock import Clock, system_clock
from regulars.errors import ConflictError, InputError, problem
from regulars.office import audit, list_shops
from regulars.runtime.backups import MANIFEST, digest_of, read_backup
from regulars.settings import Settings

#: What a home may hold and still be empty: a start that found nothing leaves these.
IGNORED = {"backups"}


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    home: Path
    #: Customers of each shop, by its name.
    shops: dict[str, int]
    #: Whether tokens and secrets can be opened; else shops have to be connected again.
    has_key: bool


def restore(
    backup: Path,
    *,
    settings: Settings,
    key: Path | None = None,
    clock: Clock = system_clock,
) -> Restored:
    """Make the home folder of the settings out of a backup; raises InputError, changing nothing.

    Without the key that sealed them, access tokens and webhook secrets are taken out.
    """
    found = read_backup(backup)
    files = _checked_files(backup)
    home = settings.home_folder
    _demand_empty(home)
    if not found.has_office and not settings.office_url:
        text = "This backup has no office: bring its PostgreSQL back first and name it by {name}."
        raise InputError(problem("backup_without_office", text, name="REGULARS_OFFICE_URL"))
    beside = home.with_name(f"{home.name}.restoring")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True, mode=0o700)
    for name in files:
        (beside / name).parent.mkdir(exist_ok=True, mode=0o700)
        shutil.copyfile(backup / name, beside / name)
        (beside / name).chmod(0o600)
    has_key = _put_key(beside, key, found.has_key)
    _check_office(beside / "office.db", has_key=has_key)
    _move(beside, home)
    return _opened(settings, clock, has_key=has_key)


def _checked_files(backup: Path) -> list[str]:
    told = orjson.loads((backup / MANIFEST).read_bytes())["files"]
    for name, one in told.items():
        path = backup / name
        is_inside = path.resolve().is_relative_to(backup.resolve())
        if not is_inside or not path.is_file() or digest_of(path) != one["sha256"]:
            text = "The backup's file {name} is missing or was changed. Nothing was restored."
            raise InputError(problem("backup_damaged", text, name=name, field="folder"))
    return list(told)


def _demand_empty(home: Path) -> None:
    if home.exists() and {one.name for one in home.iterdir()} - IGNORED:
        text = (
            "{home} is not empty, so nothing was restored. Name a new folder with REGULARS_HOME, "
            "or move this one away."
        )
        raise ConflictError(problem("home_not_empty", text, home=home))


def _put_key(target: Path, key: Path | None, is_in_backup: bool) -> bool:
    if key is None:
        return is_in_backup
    if not key.is_file():
        text = 'There is no key file "{path}".'
        raise InputError(problem("no_key_file", text, path=key, field="key"))
    shutil.copyfile(key, target / "secret.key")
    (target / "secret.key").chmod(0o600)
    return True


def _check_office(path: Path, *, has_key: bool) -> None:
    if not path.exists():
        return
    office = sqlite3.connect(path)
    try:
        ((verdict,),) = office.execute("PRAGMA integrity_check").fetchall()
        if verdict != "ok":
            text = "The backup's file {name} is missing or was changed. Nothing was restored."
            raise InputError(problem("backup_damaged", text, name=path.name, field="folder"))
        if not has_key:
            office.execute("DELETE FROM shop_tokens")
            office.execute("DELETE FROM endpoints WHERE secret IS NOT NULL")
        # Whoever was signed in signs in again: the copy may be in other hands.
        office.execute("DELETE FROM staff_sessions")
        office.commit()
    finally:
        office.close()


def _move(beside: Path, home: Path) -> None:
    if not home.exists():
        beside.rename(home)
        return
    for path in beside.iterdir():
        path.rename(home / path.name)
    beside.rmdir()


def _opened(settings: Settings, clock: Clock, *, has_key: bool) -> Restored:
    """Open everything once: a file that cannot be read is found now and not at the next start."""
    with open_runtime(settings=settings, clock=clock) as runtime:
        with runtime.office.session() as session:
            shops = list(list_shops(session))
            details = {"shops": len(shops), "with_key": has_key}
            audit.record(
                session,
                act="restored",
                about=settings.home_folder.name,
                author=audit.COMMAND_LINE,
                at=clock(),
                details=details,
            )
        counts = {shop.name: runtime.warehouse(shop).customer_count() for shop in shops}
    return Restored(settings.home_folder, counts, has_key)
