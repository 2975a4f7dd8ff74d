"""Make the page of error codes: every code that the sources raise, with what it says.

Reads the sources without running them. A code is the first argument of `problem`, `report`, `note`
and the like; what it says is the second one, also where that was given a name before.

    python scripts/error_codes.py
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from regulars.language.catalogue import CATALOGUE, Unavailable

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "regulars"
PAGE = ROOT / "docs" / "errors.md"
PROBLEMS = ("problem", "Problem", "report", "BadLiteral")
NOTES = ("note", "tell", "tell_without", "tell_unsayable")
#: Rooms in the order of the page, and their headings; the pretend Shopify speaks Shopify's words.
ROOMS = {
    "language": "Queries",
    "engine": "Evaluation",
    "segments": "Segments",
    "tags": "Customer tags",
    "tracking": "Revenue tracking",
    "importing": "Files",
    "shopify": "Shopify",
}
LEFT_OUT = "simulator"
_CODE = re.compile(r"[a-z][a-z0-9_]+")

HEAD = """# Error codes

Written by `python scripts/error_codes.py` from the sources; do not edit by hand.

Whatever a person can do something about has a code. Codes are stable: a program may compare them,
and none is given a second meaning. In `/api/v1` a refusal is `application/problem+json` with
`errors`, each with `code`, `message` and the place; the command line tells the message and leaves
with 2. Words in braces are filled in. A *note* stops nothing.

Answers that the web itself gives have the name of their HTTP status as code: {statuses}.
"""


@dataclass
class Code:
    """One code: where it is raised first, and what it says."""

    name: str
    room: str
    is_note: bool
    texts: list[str] = field(default_factory=list)


@functools.cache
def codes() -> dict[str, Code]:
    """Return every code that is raised, by name."""
    found: dict[str, Code] = {}
    for path in sorted(SOURCE.rglob("*.py"), key=_order):
        room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if room == LEFT_OUT:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, kind, texts in _raised(tree):
            code = found.setdefault(name, Code(name, room, kind in NOTES))
            code.is_note = code.is_note and kind in NOTES
            code.texts += [text for text in texts if text not in code.texts]
    reasons = [row.source.reason for row in CATALOGUE.values() if _is_unavailable(row)]
    found["not_available"].texts += reasons
    return found


def page() -> str:
    """Return the whole page."""
    statuses = ", ".join(f"`{one.name.lower()}`" for one in HTTPStatus if one.value >= 400)
    lines = [HEAD.format(statuses=statuses)]
    found = codes().values()
    for room, heading in {**ROOMS, "": "Everything else"}.items():
        rows = sorted(
            (one for one in found if (one.room if one.room in ROOMS else "") == room),
            key=lambda one: one.name,
        )
        if rows:
            lines += [f"## {heading}\n", "| code | what it says |", "|---|---|"]
            lines += [_row(one) for one in rows]
            lines.append("")
    return "\n".join(lines)


def _row(code: Code) -> str:
    texts = "<br>".join(" ".join(text.split()).replace("|", "\\|") for text in code.texts)
    return f"| `{code.name}`{' (note)' if code.is_note else ''} | {texts} |"


def _is_unavailable(row: object) -> bool:
    return isinstance(getattr(row, "source", None), Unavailable)


def _order(path: Path) -> tuple[int, str]:
    room = path.relative_to(SOURCE).parts[0]
    known = list(ROOMS)
    return (known.index(room) if room in known else len(known), str(path))


def _raised(tree: ast.AST) -> Iterator[tuple[str, str, list[str]]]:
    scopes = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    inside = {id(call): scope for scope in scopes for call in ast.walk(scope)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        kind = getattr(call.func, "attr", getattr(call.func, "id", ""))
        codes_given = _constants(call.args[0]) if kind in PROBLEMS + NOTES else []
        for code in filter(_CODE.fullmatch, codes_given):
            texts = _texts(call.args[1], inside.get(id(call))) if len(call.args) > 1 else []
            commands = [one.value for one in call.keywords if one.arg == "command"]
            listed = [text for one in commands for text in _texts(one, inside.get(id(call)))]
            yield (
                code,
                kind,
                [f"{text} List them with: {one}" for text in texts for one in listed] or texts,
            )


def _assigned(scope: ast.FunctionDef, name: ast.Name) -> list[str]:
    """Return the texts that a name was given last before this place, and with what was added."""
    given: list[tuple[int, list[str]]] = []
    added: list[tuple[int, list[str]]] = []
    for node in ast.walk(scope):
        if not isinstance(node, ast.Assign | ast.AugAssign) or node.lineno >= name.lineno:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(one, ast.Name) and one.id == name.id for one in targets):
            kept = given if isinstance(node, ast.Assign) else added
            kept.append((node.lineno, _constants(node.value)))
    line, texts = max(given, default=(0, []))
    more = [text for at, texts_added in added if at > line for text in texts_added]
    return [*texts, *(one + text for one in texts for text in more)]


def _texts(argument: ast.expr, scope: ast.FunctionDef | None) -> list[str]:
    if isinstance(argument, ast.Name):
        return _assigned(scope, argument) if scope is not None else []
    return _constants(argument)


def _constants(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) and node.value else []
    if isinstance(node, ast.IfExp):
        return [*_constants(node.body), *_constants(node.orelse)]
    return []


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
