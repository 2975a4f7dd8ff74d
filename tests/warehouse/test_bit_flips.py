"""A turned bit in a shop's file or log is noticed, or does no harm; it never changes an answer.

In the log it may take back the newest commits, whole, which the next comparison with Shopify brings
again. That is DuckDB's doing and is told in docs/security.md.
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.exploring import DEEP

#: Each turns one bit, half of them in the log.
COUNT = 1_000 if DEEP else 24


def test_no_turned_bit_changes_an_answer(tmp_path):
    command = [sys.executable, "-m", "tests.warehouse.bit_flips", str(tmp_path), str(COUNT)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    assert found.get("wrong", 0) == 0
    assert found["files"] == 2
    assert found["refused"] > 0
    assert sum(found.get(name, 0) for name in ("same", "behind", "refused", "died")) == COUNT
