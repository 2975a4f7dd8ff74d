"""A shop at work for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.at_work import AtWork, open_shop


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[AtWork]:
    opened = open_shop(tmp_path / "home")
    yield opened
    opened.runtime.close()
