"""Our GraphQL documents, by name, for the API version that is asked.

Each file is one document. A spread `...Name` is replaced by the fields of `fragments/Name.graphql`,
so that bulk queries stay flat text and two documents never disagree on what a customer is. A
fragment that changed with a version has an older twin, `Name.before_<version>.graphql`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

#: The version we are written for, and the oldest one that still works.
API_VERSION = "2026-10"
API_VERSION_OLDEST = "2026-07"

_FOLDER = Path(__file__).parent
_SPREAD = re.compile(r"\.\.\.([A-Z]\w*)")


@cache
def document(name: str, version: str = API_VERSION) -> str:
    """Return the text of a document with its fragments filled in and without comments."""
    return _filled((_FOLDER / f"{name}.graphql").read_text("utf-8"), version)


def names() -> tuple[str, ...]:
    """Return the names of all documents."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.graphql")))


def _filled(text: str, version: str) -> str:
    bare = re.sub(r"#.*", "", text)
    return _SPREAD.sub(lambda spread: _fields(spread[1], version), bare).strip()


def _fields(fragment: str, version: str) -> str:
    text = _filled(_fragment_file(fragment, version).read_text("utf-8"), version)
    return text[text.index("{") + 1 : text.rindex("}")].strip()


def _fragment_file(fragment: str, version: str) -> Path:
    older = sorted((_FOLDER / "fragments").glob(f"{fragment}.before_*.graphql"))
    for path in older:
        # Versions are written so that text order is time order.
        if version < path.stem.partition(".before_")[2]:
            return path
    return _FOLDER / "fragments" / f"{fragment}.graphql"
