"""Uploads: a CSV file becomes a list, or replaces, lengthens or shortens one.

received → checking → checked → applied → undone; or discarded, or failed. Nothing of a list changes
before an upload is applied, and then everything at once.
"""

from regulars.office.models.uploads import Upload
from regulars.segments.uploads.acts import (
    Effect,
    Parts,
    apply_upload,
    begin_check,
    choose_encoding,
    discard,
    effects,
    find_upload,
    forget_unfinished,
    list_of,
    look_again,
    receive,
    run_check,
    undo_upload,
    unfinished,
    uploads_of,
)
from regulars.segments.uploads.reading import BYTES_MAX, ROWS_MAX, Looks

__all__ = [
    "BYTES_MAX",
    "ROWS_MAX",
    "Effect",
    "Looks",
    "Parts",
    "Upload",
    "apply_upload",
    "begin_check",
    "choose_encoding",
    "discard",
    "effects",
    "find_upload",
    "forget_unfinished",
    "list_of",
    "look_again",
    "receive",
    "run_check",
    "undo_upload",
    "unfinished",
    "uploads_of",
]
