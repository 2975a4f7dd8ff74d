"""The glossary is true: its names are used, and its other words are not."""

from __future__ import annotations

import re

from tests.house.source import ROOT, SOURCE, modules

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "GLOSSARY.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| term")
]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _source() -> str:
    queries = [path.read_text("utf-8") for path in SOURCE.rglob("*.sql")]
    return "\n".join([*(module.text for module in modules()), *queries])


def test_every_name_of_the_glossary_is_used():
    text = _source()
    names = [name for _term, _meaning, used, _never in ROWS for name in _names(used)]

    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_no_other_word_is_used_for_the_same_thing():
    text = _source()
    names = [name for _term, _meaning, _used, never in ROWS for name in _names(never)]

    assert [name for name in names if re.search(rf"\b{name}\b", text)] == []


def test_terms_are_told_once():
    terms = [term for term, *_rest in ROWS]

    assert sorted(set(terms)) == sorted(terms)
