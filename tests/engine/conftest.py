"""One random shop, told once and loaded once, that every property test looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from regulars.warehouse.facts import Fact
from regulars.warehouse.warehouse import Warehouse, WarehouseSettings
from tests.engine.pool import TOLD_AT, random_facts


def load(folder: Path, facts: Sequence[Fact]) -> Warehouse:
    warehouse = Warehouse(folder / "pool.duckdb", WarehouseSettings(threads=1))
    warehouse.apply(facts, at=TOLD_AT)
    return warehouse


@pytest.fixture(scope="session")
def pool_facts() -> list[Fact]:
    return random_facts(seed=7, customers=120)


@pytest.fixture(scope="session")
def pool_shop(
    tmp_path_factory: pytest.TempPathFactory, pool_facts: list[Fact]
) -> Iterator[Warehouse]:
    warehouse = load(tmp_path_factory.mktemp("pool"), pool_facts)
    yield warehouse
    warehouse.close()
