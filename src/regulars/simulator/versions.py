"""API versions that the simulator speaks, and the schema of each.

The schema file is of the newest version; an older one is that file less what it lacked.
"""

from __future__ import annotations

import functools
from pathlib import Path

from graphql import (
    DocumentNode,
    GraphQLSchema,
    build_ast_schema,
    parse,
    validate_schema,
)
from graphql.language import visitor

FOLDER = Path(__file__).parent
#: Oldest first. An older request falls forward to the oldest.
VERSIONS = ("2026-07", "2026-10")


def display_name(version: str) -> str:
    """Return what Shopify calls a version."""
    return f"{version} (Latest)" if version == VERSIONS[-1] else version


def answering(version: str) -> str | None:
    """Return the version that answers a request for `version`; None for one not yet out."""
    if version in VERSIONS:
        return version
    year, _, month = version.partition("-")
    if not (year.isdigit() and len(year) == 4 and month in {"01", "04", "07", "10"}):
        return None
    return VERSIONS[0] if version < VERSIONS[0] else None


def absent_in(version: str) -> frozenset[str]:
    """Name the types and fields of the newest schema that a version lacks."""
    path = FOLDER / f"absent_in_{version}.txt"
    if version == VERSIONS[-1]:
        return frozenset()
    return frozenset(path.read_text(encoding="utf-8").split())


class Without(visitor.Visitor):
    """Take named fields and types out of a schema document."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self.names = names

    def enter(self, node: object, *_: object) -> object:
        """Drop a definition, or the parts of it that are named."""
        owner = getattr(getattr(node, "name", None), "value", None)
        if not type(node).__name__.endswith("TypeDefinitionNode"):
            return None
        if owner in self.names:
            return visitor.REMOVE
        for part in ("fields", "values"):
            entries = getattr(node, part, None)
            if entries:
                kept = [e for e in entries if f"{owner}.{e.name.value}" not in self.names]
                setattr(node, part, tuple(kept))
        return None


@functools.cache
def schema_of(version: str) -> GraphQLSchema:
    """Return the schema that a version answers with."""
    document: DocumentNode = parse((FOLDER / "schema.graphql").read_text(encoding="utf-8"))
    names = absent_in(version)
    if names:
        document = visitor.visit(document, Without(names))
    schema = build_ast_schema(document)
    problems = validate_schema(schema)
    if problems:
        raise problems[0]
    return schema
