"""A disk that is full for the files of one folder, without filling any."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: More than the write-ahead log needs for a small commit, less than a checkpoint does.
ROOM = 16_000


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Let no file of the folder grow much beyond its largest."""
    largest = max(path.stat().st_size for path in folder.glob("*.duckdb*"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
