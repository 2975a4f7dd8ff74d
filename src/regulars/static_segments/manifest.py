"""The manifest: what an earlier system says about one of its lists, as a small JSON file.

{"name": "Spring guests", "created": "2024-04-01", "source": "csv",
"tags": [{"tag": "spring", "given": "2024-04-02", "customers": 120}],
"trackings": [{"name": "Spring", "starts": "2026-11-01", "ends": "2026-11-30",
"status": "in progress"}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from regulars.errors import InputError, Problem, UploadError, all_of, problem
from regulars.segments.names import checked_name

BYTES_MAX: Final = 1_000_000
ROWS_MAX: Final = 1_000
SOURCES: Final = ("csv", "operation")
STATUSES: Final = ("scheduled", "in_progress", "finished", "cancelled")


@dataclass(frozen=True, slots=True)
class GivenTag:
    """A tag that was given to the list's customers."""

    tag: str
    given_on: date
    customer_count: int | None


@dataclass(frozen=True, slots=True)
class RunTracking:
    """A revenue tracking that was run over the list. A cancelled one counts until that day."""

    name: str
    starts_on: date
    ends_on: date
    status: str
    cancelled_on: date | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known about a list besides its customers."""

    name: str
    created_on: date
    source: str
    tags: tuple[GivenTag, ...]
    trackings: tuple[RunTracking, ...]


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest; raises UploadError with all its problems."""
    if len(content) > BYTES_MAX:
        template = "The manifest is larger than {most} bytes."
        raise UploadError(problem("manifest_too_large", template, most=BYTES_MAX))
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        template = "The manifest is not JSON: {reason}."
        raise UploadError(problem("manifest_json", template, reason=str(error))) from None
    if not isinstance(told, dict):
        template = "The manifest has to be a JSON object with name, created and source."
        raise UploadError(problem("manifest_object", template))
    reader = _Reader()
    found = reader.manifest(told)
    if reader.problems:
        raise UploadError(*all_of(reader.problems))
    return found


class _Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def manifest(self, told: Mapping[str, Any]) -> Manifest:
        """Read all of it."""
        source = str(told.get("source", "csv")).lower()
        if source not in SOURCES:
            self._wrong("source", source, "csv, operation")
        return Manifest(
            self._name(told.get("name"), "name"),
            self._day(told.get("created"), "created"),
            source,
            tuple(self._tag(one, at) for at, one in self._listed(told, "tags")),
            tuple(self._tracking(one, at) for at, one in self._listed(told, "trackings")),
        )

    def _tag(self, told: Mapping[str, Any], at: str) -> GivenTag:
        count = told.get("customers")
        if count is not None and (not isinstance(count, int) or count < 0 or count >= 2**31):
            self._wrong(f"{at}.customers", count, "a whole number")
            count = None
        return GivenTag(
            self._name(told.get("tag"), f"{at}.tag"),
            self._day(told.get("given"), f"{at}.given"),
            count,
        )

    def _tracking(self, told: Mapping[str, Any], at: str) -> RunTracking:
        status = str(told.get("status", "")).lower().replace(" ", "_").replace("-", "_")
        if status not in STATUSES:
            self._wrong(f"{at}.status", told.get("status"), ", ".join(STATUSES))
        cancelled = told.get("cancelled")
        starts = self._day(told.get("starts"), f"{at}.starts")
        ends = self._day(told.get("ends"), f"{at}.ends")
        if ends < starts:
            self._wrong(f"{at}.ends", told.get("ends"), "a day not before starts")
        if status == "cancelled" and cancelled is None:
            self._wrong(f"{at}.cancelled", cancelled, "the day it was cancelled")
        return RunTracking(
            self._name(told.get("name"), f"{at}.name"),
            starts,
            ends,
            status,
            self._day(cancelled, f"{at}.cancelled") if cancelled is not None else None,
        )

    def _listed(self, told: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
        rows = told.get(key) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._wrong(key, rows, "a list of objects")
            return []
        if len(rows) > ROWS_MAX:
            self._wrong(key, len(rows), f"at most {ROWS_MAX} objects")
        return [(f"{key}[{number}]", row) for number, row in enumerate(rows[:ROWS_MAX])]

    def _name(self, value: object, at: str) -> str:
        try:
            return checked_name(value if isinstance(value, str) else "")
        except InputError:
            self._wrong(at, value, "a text of up to 120 characters")
            return ""

    def _day(self, value: object, at: str) -> date:
        try:
            found = date.fromisoformat(str(value)[:10])
        except ValueError:
            self._wrong(at, value, "a day like 2026-11-21")
            return date(2000, 1, 1)
        if not 1990 <= found.year <= 2200:
            self._wrong(at, value, "a day between 1990 and 2200")
        return found

    def _wrong(self, at: str, value: object, allowed: str) -> None:
        template = 'The manifest\'s {place} cannot be "{value}". Allowed is: {allowed}.'
        shown = "" if value is None else str(value)[:60]
        self.problems.append(
            problem("manifest_value", template, place=at, value=shown, allowed=allowed, field=at)
        )
