"""What the app says while it runs: one line for each thing, with its instant in UTC, for journals.

What came from outside stays inside its line, and addresses and tokens are never written, whatever
an error quotes.
"""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final

#: E-mail addresses; Shopify's tokens and our own API keys; session tokens.
_HIDDEN: Final = re.compile(
    r"[^\s@'\"<>(,=]+@[^\s@'\"<>),]+\.[^\s@'\"<>),.]+"
    r"|\b(?:shp[a-z]{2}|regulars)_\w{6,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+"
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class OneLine(logging.Formatter):
    """Writes `2026-11-20T03:00:00.000Z WARNING regulars.jobs: …`, a traceback indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of an entry."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = f"{at.removesuffix('+00:00')}Z {record.levelname} {record.name}: "
        lines = [head + plain(record.getMessage())]
        if record.exc_info:
            told = self.formatException(record.exc_info)
            # Indented, so that no line of an error's text can be taken for an entry.
            lines += [f"  {plain(line)}" for line in told.splitlines()]
        return "\n".join(lines)


def plain(text: str) -> str:
    r"""Return a text as one line, without what nobody should find in a log.

    >>> plain("ana@shop.example\nfailed")
    '[hidden]\\x0afailed'
    """
    told = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return _HIDDEN.sub("[hidden]", told)


def write_logs() -> None:
    """Write our own notes, and the warnings of others, to the standard error stream."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("regulars").setLevel(logging.INFO)
