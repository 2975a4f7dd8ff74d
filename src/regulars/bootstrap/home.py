"""One process owns a home folder: open it, tell others where the app listens."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson

from regulars.clock import Clock, system_clock
from regulars.errors import ConflictError, InputError, problem
from regulars.settings import Settings

if TYPE_CHECKING:
    from regulars.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running app is reached: the content of `run.json`."""

    url: str
    token: str
    pid: int


def open_runtime(
    home: Path | None = None, *, settings: Settings | None = None, clock: Clock = system_clock
) -> Runtime:
    """Open a home folder for this process alone, its tables brought up to date.

    Raises InputError when the folder cannot be written, ConflictError when another process has it.
    """
    from regulars.runtime import Runtime

    settings = settings or (Settings(home=home) if home is not None else Settings())
    lock = _lock(settings.home_folder)
    try:
        runtime = Runtime(settings, clock=clock)
        runtime.on_close(lock.close)
        runtime.office.migrate()
    except BaseException:
        lock.close()
        raise
    return runtime


def _lock(home: Path) -> IO[str]:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / "shops").mkdir(exist_ok=True, mode=0o700)
        file = (home / "lock").open("a+")
    except OSError as error:
        template = (
            "The home folder {home} cannot be written: {reason}. "
            "Name another with REGULARS_HOME, or change its owner."
        )
        reason = (error.strerror or str(error)).lower()
        raise InputError(problem("home_not_writable", template, home=home, reason=reason)) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        template = (
            "Another Regulars has the home folder {home} open and does not answer. "
            "Wait until it is done, or stop it."
        )
        raise ConflictError(problem("home_in_use", template, home=home)) from None
    return file


@contextmanager
def announced(runtime: Runtime, url: str) -> Iterator[None]:
    """Tell the commands of this machine where the app listens, for as long as it does."""
    path = runtime.settings.home_folder / "run.json"
    content = {"url": url, "token": runtime.local_token, "pid": os.getpid()}
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(content))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find_running(home: Path) -> Running | None:
    """Return where the app that has this home says it listens; it may be gone by now."""
    try:
        found = orjson.loads((home / "run.json").read_bytes())
        return Running(str(found["url"]), str(found["token"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
