"""Personal data on request: what is kept about a customer as a file, and its removal.

Redaction blanks the person and keeps the sums: orders, members and figures of the past stay right.
Starting the work, and the erasure of a whole shop, are the jobs' work.
"""

from regulars.privacy.exporting import export, file_of
from regulars.privacy.files import forget_in_files
from regulars.privacy.redacting import (
    forget_keys,
    redact_office,
    redact_texts,
    redact_warehouse,
)
from regulars.privacy.requests import (
    ANSWER_WITHIN,
    ask,
    close,
    close_exports,
    find_request,
    list_requests,
)
from regulars.privacy.traces import Traces, traces_of

__all__ = [
    "ANSWER_WITHIN",
    "Traces",
    "ask",
    "close",
    "close_exports",
    "export",
    "file_of",
    "find_request",
    "forget_in_files",
    "forget_keys",
    "list_requests",
    "redact_office",
    "redact_texts",
    "redact_warehouse",
    "traces_of",
]
