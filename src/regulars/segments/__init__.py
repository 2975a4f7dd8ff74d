"""Segments: saved, named definitions of who belongs, and who does.

Definitions are rows of the office; memberships are an append-only log in the shop's warehouse with
the present sets kept as bitmaps. Starting work and telling others is `jobs`' part.
"""

from regulars.segments.definitions import (
    Definition,
    checked_query,
    create_segment,
    definitions,
    delete_segment,
    demand_unneeded,
    duplicate_segment,
    edit_segment,
    find_segment,
    list_segments,
    list_versions,
    rename_segment,
    restore_segment,
    restore_version,
)
from regulars.segments.difference import Piece, difference
from regulars.segments.log import Cause
from regulars.segments.memberships import Change, Changes, Memberships, day_of
from regulars.segments.names import name_key
from regulars.segments.preview import EditPreview, Effect, preview_edit
from regulars.segments.refresh import (
    record_changes,
    refresh,
    refresh_all,
    refresh_day,
    refresh_products,
)
from regulars.segments.users import User, all_users, running_trackings, users_of

__all__ = [
    "Cause",
    "Change",
    "Changes",
    "Definition",
    "EditPreview",
    "Effect",
    "Memberships",
    "Piece",
    "User",
    "all_users",
    "checked_query",
    "create_segment",
    "day_of",
    "definitions",
    "delete_segment",
    "demand_unneeded",
    "difference",
    "duplicate_segment",
    "edit_segment",
    "find_segment",
    "list_segments",
    "list_versions",
    "name_key",
    "preview_edit",
    "record_changes",
    "refresh",
    "refresh_all",
    "refresh_day",
    "refresh_products",
    "rename_segment",
    "restore_segment",
    "restore_version",
    "running_trackings",
    "users_of",
]
