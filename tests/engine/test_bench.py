"""The engine's bench runs to its end, on a shop small enough for a test."""

from __future__ import annotations

import pytest
from bench import engine
from bench.report import Options, Table


@pytest.mark.slow
def test_the_bench_compares_everything_with_the_same_ids_found() -> None:
    sections = engine.measure(Options(customers=300, rounds=1, postgres=False, segments=30))

    told = {one.title: one for one in sections}
    assert len(told) == 6
    for title, section in told.items():
        tables = [part for part in section.parts if isinstance(part, Table)]
        assert title.startswith("The engine") or tables
        for table in tables:
            assert all(len(row) == len(table.columns) for row in table.rows)
