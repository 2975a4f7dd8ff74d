"""The pages in process: the same installation as for the other tests of the web."""

from tests.web.conftest import visitor, world

__all__ = ["visitor", "world"]
