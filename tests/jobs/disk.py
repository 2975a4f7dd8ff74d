"""A disk under SQLite that remembers each write and sync, and can refuse writes.

It stands between SQLite and the system's own files, in the process that asks for it, and writes
through. From what it remembers come the files as they may be after a power cut: what was synced is
there, each later write is there or not, torn at the disk's sectors.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

SECTOR = 512
#: SQLite's words for a full disk and for one that cannot be written to.
FULL, UNWRITABLE = 13, 778
_OK = 0
#: ("write", path, place, bytes), ("truncate", path, size, None), ("sync", path, 0, None), or
#: ("note", what, 0, None) for what others noted in between.
Event = tuple[str, str, int, bytes | None]
_Pointer = ctypes.c_void_p

# The name is passed on where it lies: SQLite keeps it there.
_OPEN = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, _Pointer, ctypes.c_int, _Pointer)
_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, ctypes.c_int, ctypes.c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.c_int64)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.c_int)


class _System(ctypes.Structure):
    """sqlite3_vfs, as far as it is looked at."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("path_max", ctypes.c_int),
        ("next", _Pointer),
        ("name", ctypes.c_char_p),
        ("data", _Pointer),
        ("open", _OPEN),
        ("others", _Pointer * 14),
    ]


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, as far as it is looked at."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("close", _Pointer),
        ("read", _Pointer),
        ("write", _WRITE),
        ("truncate", _TRUNCATE),
        ("sync", _SYNC),
        ("others", _Pointer * 13),
    ]


@dataclass
class _File:
    durable: bytearray
    #: Writes (place, bytes) since the last sync; without bytes: cut off there.
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)


class Disk:
    """Remembers what SQLite writes in this process from now on."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        #: Asked before each write: what SQLite is told instead of writing; 0 lets it through.
        self.refuses: Callable[[], int] = lambda: _OK
        # A note and the writes around it stand in the order in which they happened.
        self._lock = threading.Lock()
        self._paths: dict[int, str] = {}
        self._kept: list[Any] = []
        self._changed: dict[int, _Methods] = {}

    def note(self, what: str) -> None:
        """Remember that something happened here."""
        with self._lock:
            self.events.append(("note", what, 0, None))

    def put_under_sqlite(self) -> None:
        """Have every file that SQLite opens from now on come through here."""
        library = ctypes.CDLL(ctypes.util.find_library("sqlite3"))
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_System)
        own = library.sqlite3_vfs_find(None)
        ours = _System.from_buffer_copy(own.contents)
        ours.name = b"remembering"
        opens = own.contents.open

        def opened(_system: int, name: int, file: int, flags: int, told: int) -> int:
            result: int = opens(ctypes.addressof(own.contents), name, file, flags, told)
            if result == _OK and name:
                self._paths[file] = ctypes.string_at(name).decode()
                self._stand_between(file)
            return result

        ours.open = _OPEN(opened)
        self._kept += [library, own, ours]
        assert library.sqlite3_vfs_register(ctypes.byref(ours), 1) == _OK

    def _stand_between(self, file: int) -> None:
        place = ctypes.cast(file, ctypes.POINTER(_Pointer))
        own = place[0]
        if own not in self._changed:
            self._changed[own] = self._changed_methods(_Methods.from_address(own))
        place[0] = ctypes.addressof(self._changed[own])

    def _changed_methods(self, own: _Methods) -> _Methods:
        writes, truncates, syncs = own.write, own.truncate, own.sync

        def write(file: int, source: int, size: int, at: int) -> int:
            with self._lock:
                refused = self.refuses()
                if refused:
                    return refused
                self._remember("write", file, at, ctypes.string_at(source, size))
                return int(writes(file, source, size, at))

        def truncate(file: int, size: int) -> int:
            with self._lock:
                self._remember("truncate", file, size, None)
                return int(truncates(file, size))

        def sync(file: int, flags: int) -> int:
            result: int = syncs(file, flags)
            with self._lock:
                self._remember("sync", file, 0, None)
            return result

        changed = _Methods.from_buffer_copy(own)
        changed.write, changed.truncate, changed.sync = (
            _WRITE(write),
            _TRUNCATE(truncate),
            _SYNC(sync),
        )
        return changed

    def _remember(self, what: str, file: int, at: int, data: bytes | None) -> None:
        self.events.append((what, self._paths[file], at, data))


def watches_this_python() -> bool:
    """Whether this Python's SQLite is a library that can be stood under."""
    name = ctypes.util.find_library("sqlite3")
    if name is None:
        return False
    version = ctypes.CDLL(name).sqlite3_libversion
    version.restype = ctypes.c_char_p
    return bool(version().decode() == sqlite3.sqlite_version)


def cuts(
    events: list[Event],
    before: dict[str, bytes],
    places: set[int],
) -> Iterator[tuple[dict[str, bytes], set[str]]]:
    """Return, for a cut ahead of each of these events, the files then and what was noted before."""
    files = {path: _File(bytearray(content)) for path, content in before.items()}
    noted: set[str] = set()
    for number, (what, path, at, data) in enumerate(events):
        if number in places:
            chance = random.Random(number)
            yield {name: _after_cut(one, chance) for name, one in files.items()}, set(noted)
        if what == "note":
            noted.add(path)
            continue
        file = files.setdefault(path, _File(bytearray()))
        if what == "sync":
            for place, written in file.pending:
                _write(file.durable, place, written)
            file.pending.clear()
        else:
            file.pending.append((at, data))


def _after_cut(file: _File, chance: random.Random) -> bytes:
    content = bytearray(file.durable)
    for place, written in file.pending:
        if written is None:
            if chance.random() < 0.5:
                _write(content, place, None)
            continue
        for start in range(0, len(written), SECTOR):
            if chance.random() < 0.5:
                _write(content, place + start, written[start : start + SECTOR])
    return bytes(content)


def _write(content: bytearray, place: int, written: bytes | None) -> None:
    if written is None:
        del content[place:]
        return
    content.extend(bytes(max(0, place - len(content))))
    content[place : place + len(written)] = written
