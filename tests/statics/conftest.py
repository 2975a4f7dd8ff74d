"""A shop with the cast, and lists of an earlier system brought into it."""

from tests.uploads.conftest import uploading

__all__ = ["uploading"]
