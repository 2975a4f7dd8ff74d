"""Personal data on request: what is kept about a customer as a file, and its removal.

Redaction blanks the person and keeps the sums: orders, members and figures of the past stay right.
Starting the work, and the erasure of a whole shop, are the jobs' work.
"""

from regulars.privacy.exporting import export, file_of
from regulars.privacy.redacting import redact_office, redact_warehouse
from regulars.privacy.requests import (
    ANSWER_WITHIN,
    ask,
    close,
    close_exports,
    find_request,
    list_requests,
)

__all__ = [
    "ANSWER_WITHIN",
    "ask",
    "close",
    "close_exports",
    "export",
    "file_of",
    "find_request",
    "list_requests",
    "redact_office",
    "redact_warehouse",
]
