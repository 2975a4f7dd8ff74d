from collections.abc import Iterator
from pathlib import Path

import pytest

from regulars.warehouse import Warehouse, Warehouses, WarehouseSettings


@pytest.fixture
def warehouses(tmp_path: Path) -> Iterator[Warehouses]:
    opened = Warehouses(tmp_path / "shops", WarehouseSettings(threads=1, memory_limit="500MB"))
    yield opened
    opened.close()


@pytest.fixture
def warehouse(warehouses: Warehouses) -> Warehouse:
    return warehouses.of(1)
