"""Every problem and note of the language has its Japanese sentence, with the same places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import read_po

from regulars.language.catalogue import CATALOGUE, Unavailable

_ROOT = Path(__file__).parents[2]
_TELLING = ("report", "note", "problem", "BadLiteral", "tell", "tell_without", "tell_unsayable")
_ERRORS = _ROOT / "src/regulars/errors.py"


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def _templates() -> set[str]:
    found = {row.source.reason for row in CATALOGUE.values() if isinstance(row.source, Unavailable)}
    for path in (*(_ROOT / "src/regulars/language").glob("*.py"), _ERRORS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) >= 2:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in _TELLING:
                    found |= set(_literals(node.args[1]))
    return found


def _translations() -> dict[str, str]:
    path = _ROOT / "src/regulars/web/locale/ja/language.po"
    with path.open("rb") as file:
        entries = read_po(file, locale="ja")
    return {str(entry.id): str(entry.string) for entry in entries if entry.id}


def test_every_template_has_its_japanese_and_no_other_is_kept():
    assert set(_translations()) == _templates()


def test_a_translation_has_the_same_places():
    for english, japanese in _translations().items():
        assert sorted(set(re.findall(r"{\w+}", english))) == sorted(
            set(re.findall(r"{\w+}", japanese))
        ), english
        assert re.search(r"[ぁ-んァ-ン一-龥]", japanese)
