"""The bench of uploads runs to its end, on a file small enough for a test."""

from __future__ import annotations

import pytest
from bench import uploads
from bench.report import Options, Table


@pytest.mark.slow
def test_the_bench_takes_a_file_through_every_step():
    (section,) = uploads.measure(Options(customers=30))

    (table,) = [part for part in section.parts if isinstance(part, Table)]
    assert [row[0] for row in table.rows[3:]] == ["received", "checked", "made into a segment"]
    assert {row[1] for row in table.rows} == {"30", "300"}
