"""Static segments: fixed lists of an earlier system, kept until they are customer segments.

They are brought in with what the earlier system did with them, looked at, exported and converted.
Nothing changes their customers.
"""

from regulars.static_segments.manifest import Manifest, read_manifest
from regulars.static_segments.phase import (
    PHASES,
    Phase,
    announced_days,
    phase_at,
    set_phase,
)
from regulars.static_segments.statics import (
    Detail,
    convert,
    create_static,
    customers_of,
    detail_of,
    find_static,
    import_static,
    list_statics,
    made_into,
)
from regulars.static_segments.trash import (
    delete_static,
    empty_trash,
    list_deleted,
    restore_static,
)

__all__ = [
    "PHASES",
    "Detail",
    "Manifest",
    "Phase",
    "announced_days",
    "convert",
    "create_static",
    "customers_of",
    "delete_static",
    "detail_of",
    "empty_trash",
    "find_static",
    "import_static",
    "list_deleted",
    "list_statics",
    "made_into",
    "phase_at",
    "read_manifest",
    "restore_static",
    "set_phase",
]
