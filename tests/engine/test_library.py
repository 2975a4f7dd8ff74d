"""The examples of docs/library.md do what they say."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8").replace("```python\n", "").replace("```\n", "\n")

    example = doctest.DocTestParser().get_doctest(text, {}, "library.md", str(PAGE), 0)
    said: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(example, out=said.append)

    assert results.attempted > 30
    assert "".join(said) == ""
    assert results.failed == 0
