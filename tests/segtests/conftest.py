"""Makes a test of every case in the `.segtest` files beside this one."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.segtests import runner
from tests.shops import shop as told_shop

UPDATE = bool(os.environ.get("UPDATE"))


@functools.cache
def loaded(name: str) -> runner.Shop:
    told = told_shop(name)
    folder = Path(tempfile.mkdtemp(prefix="segtest-"))
    warehouse = told.warehouse(folder)
    return runner.Shop(told, warehouse)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".segtest":
        return SegtestFile.from_parent(parent, path=file_path)
    return None


class SegtestFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        for case in runner.read(self.path):
            name = f"{case.line}: {case.kind} {' '.join(case.query.split())}"
            yield SegtestItem.from_parent(self, name=name, case=case)


class MismatchError(Exception):
    """What a case says and what the product says differ."""


class SegtestItem(pytest.Item):
    def __init__(self, *, case: runner.Case, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.case = case

    def runtest(self) -> None:
        case, shop = self.case, loaded(self.case.setting.shop or "basic")
        said = runner.answer(case, shop)
        if said != case.expected:
            if not UPDATE:
                raise MismatchError(_difference(case.expected, said))
            rewrite(self.path, case, said)
        if case.kind != "segment":
            return
        for check, holds, seen in runner.free_checks(case, shop):
            excepted = case.exceptions.get(check)
            if excepted is None and not holds:
                raise MismatchError(f"check {check!r} failed\n{seen}")
            if excepted is not None and holds:
                raise MismatchError(f"check {check!r} passes now; take out: {excepted}")

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        if isinstance(excinfo.value, MismatchError):
            return f"{self.path.name}:{self.case.line}\n{self.case.query}\n{excinfo.value}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.case.line - 1, self.name


def _difference(expected: tuple[str, ...], said: tuple[str, ...]) -> str:
    return "\n".join(
        ["expected:", *(f"  {line}" for line in expected), "said:", *(f"  {line}" for line in said)]
    )


def rewrite(path: Path, case: runner.Case, said: tuple[str, ...]) -> None:
    """Put what was said in the place of the expectation, found again by the case's own lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    query = f"{case.kind} {case.query}".split("\n")
    shift = len(lines) - _length_when_read(path)
    at = case.line - 1
    while lines[at : at + len(query)] != query:
        at += 1 if shift >= 0 else -1
    bar = lines.index("----", at)
    end = bar + 1
    while end < len(lines) and lines[end]:
        end += 1
    lines[bar + 1 : end] = said
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


_LENGTHS: dict[Path, int] = {}


def _length_when_read(path: Path) -> int:
    return _LENGTHS.setdefault(path, len(path.read_text(encoding="utf-8").splitlines()))
