"""A shop with the cast, and uploads into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.at_work import open_shop
from tests.uploads.files import Uploading


@pytest.fixture
def uploading(tmp_path: Path) -> Iterator[Uploading]:
    at_work = open_shop(tmp_path / "home")
    at_work.told(
        at_work.customer("ana", email="ana@shop.example", phone="+819012345678"),
        at_work.customer("bo", email="Bo@Shop.Example"),
        at_work.customer("cleo", email="twins@shop.example"),
        at_work.customer("dee", email="twins@shop.example", phone="090-1111-2222"),
    )
    yield Uploading(at_work)
    at_work.runtime.close()
