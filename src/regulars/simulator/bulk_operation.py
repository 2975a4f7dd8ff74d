"""One bulk operation as it is kept and told; running it is bulk's work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphql import DocumentNode

    from regulars.simulator.resolvers.base import World


@dataclass(slots=True, eq=False)
class BulkOperation:
    """One bulk operation."""

    id: int
    type: str
    query: str
    document: DocumentNode
    world: World
    created: int
    grouped: bool = False
    upload: Path | None = None
    status: str = "CREATED"
    error_code: str | None = None
    completed: int | None = None
    object_count: int = 0
    root_count: int = 0
    path: Path | None = None
    partial: bool = False

    @property
    def file_size(self) -> int | None:
        """Return the bytes of the result, when there is one."""
        return self.path.stat().st_size if self.path is not None and not self.partial else None
