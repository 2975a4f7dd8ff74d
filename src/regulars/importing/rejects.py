"""The file of rows that could not be read: line, reason, and the row's own values."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from regulars.importing.kinds import Rejected
from regulars.spreadsheet import guarded


class RejectsFile:
    """Written only when there is something to write; begun anew by each import."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> RejectsFile:
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def path(self) -> Path | None:
        """Where the rows are, if there are any."""
        return self._path if self._file is not None else None

    def write(self, file_name: str, rejected: Rejected) -> None:
        """Add a row with its reason."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # With a byte order mark, so that spreadsheets read it as UTF-8.
            self._file = self._path.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["file", "line", "reason", "row"])
        values = [guarded(value[:1000]) for value in rejected.row.values[:200]]
        self._writer.writerow([file_name, rejected.row.line, guarded(rejected.reason), *values])
