"""The command `regulars`: a client of the API, with a few commands that start things."""

from regulars.cli.main import main

__all__ = ["main"]
