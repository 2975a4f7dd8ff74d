"""docs/security.md names only tests that exist."""

from __future__ import annotations

import re

from tests.house.source import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_named_test_exists():
    named = NAMED.findall((ROOT / "docs" / "security.md").read_text("utf-8"))
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text("utf-8")
    ]

    assert len(named) > 18
    assert missing == []
