"""The project's own source as data, for the house rules: files, imports, functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "regulars"


@dataclass(frozen=True)
class Module:
    """One Python file of the product."""

    path: Path
    tree: ast.Module
    text: str

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def dotted(self) -> str:
        """The name that it is imported by."""
        parts = self.path.relative_to(SOURCE.parent).with_suffix("").parts
        return ".".join(parts).removesuffix(".__init__")

    @property
    def room(self) -> str:
        """The part of the house: the folder or file directly below the package."""
        first = self.path.relative_to(SOURCE).parts[0]
        return first.removesuffix(".py")


@cache
def modules() -> tuple[Module, ...]:
    return tuple(
        Module(path, ast.parse(text), text)
        for path in sorted(SOURCE.rglob("*.py"))
        for text in [path.read_text("utf-8")]
    )


def rooms_imported(module: Module) -> Iterator[tuple[int, str]]:
    """Yield line and room of each import of the product inside the module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, module.room
        elif isinstance(node, ast.ImportFrom) and node.module == "regulars":
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("regulars."):
            yield node.lineno, (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("regulars."):
                    yield node.lineno, alias.name.split(".")[1]


@cache
def module_names() -> frozenset[str]:
    return frozenset(one.dotted for one in modules())


def files_imported(module: Module) -> set[str]:
    """Return the files of the product that a module imports; what only types need is left out."""
    names = module_names()
    for_types = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in for_types:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            # A name that is no file of its own comes from the file that it is imported from.
            found |= {one if one in names else str(node.module) for one in named}
    return found & names


def packages_imported(module: Module) -> Iterator[tuple[int, str]]:
    """Yield line and top-level package of each import from outside the product."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module.split(".")[0]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.split(".")[0]


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring and decorators not counted."""
    first = node.body[0]
    docstring = (
        (first.end_lineno or 0) - first.lineno + 1
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        else 0
    )
    return (node.end_lineno or 0) - node.lineno + 1 - docstring
