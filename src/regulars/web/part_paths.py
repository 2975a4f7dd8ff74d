"""Trees that a form edits: groups with parts, each found by its path.

"r" is the root, "r.0.2" the third part of its first one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar


class Parted(Protocol):
    """A group: its parts are groups of the same kind, or what such a tree ends with."""

    parts: list[Any]


Root = TypeVar("Root", bound=Parted)


def at(root: Root, path: str) -> Root | Any | None:
    """Return what stands at a path; None where nothing does."""
    first, *steps = path.split(".")
    here: Any = root if first == "r" else None
    for step in steps:
        is_group = isinstance(here, type(root))
        if not is_group or not step.isdigit() or int(step) >= len(here.parts):
            return None
        here = here.parts[int(step)]
    return here


def walk(root: Root, path: str = "r") -> Iterator[tuple[str, Root | Any]]:
    """Visit everything with its path, groups before their parts."""
    yield path, root
    for number, part in enumerate(root.parts):
        if isinstance(part, type(root)):
            yield from walk(part, f"{path}.{number}")
        else:
            yield f"{path}.{number}", part
