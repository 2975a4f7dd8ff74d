"""Text files that say who belongs to a segment; `runner` reads them, `conftest` makes tests."""
