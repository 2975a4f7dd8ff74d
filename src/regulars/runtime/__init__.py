"""The parts of one installation, put together: what jobs and the web are given."""

from regulars.runtime.connecting import connect_shop
from regulars.runtime.news import Item, News
from regulars.runtime.runtime import Runtime

__all__ = ["Item", "News", "Runtime", "connect_shop"]
