"""Each message of ours that a person may read is there in Japanese, with the same places."""

from __future__ import annotations

import ast
import string
from pathlib import Path

from babel.messages.pofile import read_po

import regulars

SOURCE = Path(regulars.__file__).parent
OURS = [SOURCE / "money.py", SOURCE / "sealing.py", *sorted((SOURCE / "shopify").rglob("*.py"))]


def templates() -> set[str]:
    """The second argument of each `problem(...)` and `_denied(...)`, where it is a literal."""
    return {
        node.args[1].value
        for path in OURS
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in {"problem", "_denied"}
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    }


def translated() -> dict[str, str]:
    with (SOURCE / "web/locale/ja/shopify.po").open("rb") as file:
        return {entry.id: entry.string for entry in read_po(file) if entry.id}


def places(text: str) -> set[str | None]:
    return {name for _text, name, _form, _conversion in string.Formatter().parse(text) if name}


def test_every_message_is_translated_and_no_other():
    assert templates() == set(translated())


def test_translations_keep_their_places():
    assert [text for text, told in translated().items() if places(text) != places(told)] == []
