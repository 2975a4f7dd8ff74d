"""Customer tags: give to an audience, take back exactly what was given, tell how it went."""

from regulars.tags.acts import (
    Act,
    assign,
    cancel,
    demand_connected,
    find_assignment,
    pause,
    remove,
    resume,
    retry,
    undo_removal,
)
from regulars.tags.names import clean_tag, tag_key
from regulars.tags.port import Answer, BulkState, Room, TagPort
from regulars.tags.tasks import has_open_work, open_work
from regulars.tags.work import Worker

__all__ = [
    "Act",
    "Answer",
    "BulkState",
    "Room",
    "TagPort",
    "Worker",
    "assign",
    "cancel",
    "clean_tag",
    "demand_connected",
    "find_assignment",
    "has_open_work",
    "open_work",
    "pause",
    "remove",
    "resume",
    "retry",
    "tag_key",
    "undo_removal",
]
