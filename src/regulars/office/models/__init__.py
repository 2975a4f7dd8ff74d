"""The tables of the office, one file per topic. `load_all` makes every table known to `Base`."""

import importlib
import pkgutil

from regulars.office.models.base import Base

__all__ = ["Base", "load_all"]


def load_all() -> type[Base]:
    """Import every model file of this folder and return the base that now knows them all."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return Base
