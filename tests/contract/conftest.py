"""Fixtures of the contract tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.shop import Place, open_place


@pytest.fixture
def place() -> Iterator[Place]:
    made = open_place()
    yield made
    made.simulator.close()
