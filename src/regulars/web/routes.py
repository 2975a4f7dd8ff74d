"""Where routes are found: a new resource is a new file of a package, and is listed nowhere."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from fastapi import APIRouter


def routers(package: ModuleType) -> Iterator[APIRouter]:
    """Find the router of every file of a package, by name."""
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
        resource = importlib.import_module(f"{package.__name__}.{module.name}")
        router = getattr(resource, "router", None)
        if isinstance(router, APIRouter):
            yield router
