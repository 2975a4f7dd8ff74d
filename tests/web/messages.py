"""Finds every text that is shown to people, in Python and in templates, as gettext would."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "regulars"
LOCALE = SOURCE / "web" / "locale"

Calls = Mapping[str, tuple[int, ...]]

#: Function → the places of its texts, counted from 0.
CALLS: Calls = {
    "_": (0,),
    "N_": (0,),
    "say": (0,),
    "ngettext": (0, 1),
    "problem": (1,),
    "report": (1,),
    "translate": (0,),
}
#: Notes on queries; elsewhere these names mean other things.
NOTES: Calls = {"note": (1,), "tell": (1,), "tell_without": (1,), "tell_unsayable": (1,)}
#: Texts that are places only: nothing to translate.
PLACES_ONLY = {"{text}", "{reason}", "{place}: {reason}", "{name}, {day}: {amount}"}


def shown_texts() -> Iterator[tuple[str, str]]:
    """Yield (text, where) of every text for people."""
    for path in sorted(SOURCE.rglob("*.py")):
        # Commands speak English; the pretend Shopify is not part of the product.
        if not {"simulator", "cli"} & set(path.parts):
            yield from _in_python(path)
    for path in sorted((SOURCE / "web" / "templates").rglob("*.html")):
        yield from _in_template(path)


def _in_template(path: Path) -> Iterator[tuple[str, str]]:
    options = {"silent": "false", "trimmed": "true"}
    keywords = {"_": None, "ngettext": (1, 2)}
    found = extract_from_file("jinja2.ext:babel_extract", path, keywords=keywords, options=options)
    for line, message, _comments, _context in found:
        for text in message if isinstance(message, tuple) else (message,):
            yield text, f"{path.relative_to(ROOT)}:{line}"


def _in_python(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    scopes = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    calls = {**CALLS, **NOTES} if "language" in path.parts else CALLS
    found = {*_given(tree, calls), *(pair for scope in scopes for pair in _named(scope, calls))}
    for text, line in sorted(found):
        if text not in PLACES_ONLY:
            yield text, f"{path.relative_to(ROOT)}:{line}"


def _given(tree: ast.AST, calls: Calls) -> Iterator[tuple[str, int]]:
    """Yield texts written where they are given: problem("code", "…")."""
    for argument in _text_arguments(tree, calls):
        for text in _constants(argument):
            yield text, argument.lineno


def _named(scope: ast.AST, calls: Calls) -> Iterator[tuple[str, int]]:
    """Yield texts that are given a name first: text = "…"; problem("code", text)."""
    told = {one.id for one in _text_arguments(scope, calls) if isinstance(one, ast.Name)}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if names & told:
                for text in _constants(node.value):
                    yield text, node.lineno


def _text_arguments(tree: ast.AST, calls: Calls) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            attribute = isinstance(node.func, ast.Attribute)
            name = node.func.attr if attribute else getattr(node.func, "id", "")
            for place in calls.get(name, ()):
                if len(node.args) > place:
                    yield node.args[place]


def _constants(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.Tuple):
        for part in node.elts:
            yield from _constants(part)


def translated(language: str) -> dict[str, str]:
    """Return every translated text of a language."""
    known: dict[str, str] = {}
    for path in sorted((LOCALE / language).glob("*.po")):
        known.update(translations_of(path, language))
    return known


def translations_of(path: Path, language: str) -> dict[str, str]:
    """Return the translated texts of one file; both forms of a plural are keys."""
    known: dict[str, str] = {}
    with path.open("rb") as file:
        for entry in read_po(file, locale=language):
            keys = entry.id if isinstance(entry.id, tuple) else (entry.id,)
            value = entry.string[0] if isinstance(entry.string, tuple) else entry.string
            known.update({key: value for key in keys if key and value})
    return known
