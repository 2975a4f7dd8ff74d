"""Commands as a person would run them, in this process."""

from tests.cli.conftest import basic, regulars

__all__ = ["basic", "regulars"]
