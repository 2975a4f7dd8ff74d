"""Finds every text that is shown to people, in Python and in templates, as gettext would."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "regulars"
LOCALE = SOURCE / "web" / "locale"

#: Function → which arguments are texts; `problem` has its template second, `refuse` and `report`
#: hand one through.
KEYWORDS = {
    "_": None,
    "N_": None,
    "say": None,
    "ngettext": (1, 2),
    "problem": (2,),
    "report": (2,),
}
#: Texts that are places only: nothing to translate.
PLACES_ONLY = {"{text}", "{place}: {reason}", "{name}, {day}: {amount}"}


def shown_texts() -> Iterator[tuple[str, str]]:
    """Yield (text, where) of every text for people."""
    for path in sorted(SOURCE.rglob("*.py")):
        if "simulator" in path.parts:
            continue
        yield from _texts(path, "python")
        yield from _named_texts(path)
    for path in sorted((SOURCE / "web" / "templates").rglob("*.html")):
        yield from _texts(path, "jinja2.ext:babel_extract")


def _texts(path: Path, method: str) -> Iterator[tuple[str, str]]:
    options = {"silent": "false", "trimmed": "true"} if "jinja" in method else {}
    found = extract_from_file(method, path, keywords=KEYWORDS, options=options)
    for line, message, _comments, _context in found:
        text = message[0] if isinstance(message, tuple) else message
        if text and text not in PLACES_ONLY:
            yield text, f"{path.relative_to(ROOT)}:{line}"


def _named_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield texts that are given a name first: text = "…"; problem("code", text)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        told = {name for call in ast.walk(function) for name in _names_told(call)}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and {
                target.id for target in node.targets if isinstance(target, ast.Name)
            } & told:
                for text in _constants(node.value):
                    yield text, f"{path.relative_to(ROOT)}:{node.lineno}"


def _names_told(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    place = {"problem": 1, "report": 1, "say": 0}.get(name)
    if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Name):
        yield node.args[place].id


def _constants(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)


def translated(language: str) -> dict[str, str]:
    """Return every translated text of a language."""
    known: dict[str, str] = {}
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as file:
            for entry in read_po(file, locale=language):
                keys = entry.id if isinstance(entry.id, tuple) else (entry.id,)
                value = entry.string[0] if isinstance(entry.string, tuple) else entry.string
                known.update({key: value for key in keys if key and value})
    return known
