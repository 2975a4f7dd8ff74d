"""One small installation for this folder."""

from tests.web.conftest import visitor, world

__all__ = ["visitor", "world"]
