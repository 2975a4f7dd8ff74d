"""Data flows one way through the rooms; ARCHITECTURE.md draws the same arrows."""

from __future__ import annotations

import subprocess
import sys

from tests.house.source import ROOT, files_imported, modules, packages_imported, rooms_imported

#: Rooms that stand below everything and import no other.
GROUND = {"errors", "clock", "settings", "money", "sealing", "spreadsheet", "text"}

#: Each room and the rooms it may look into (those below everything are open to all).
ARROWS: dict[str, set[str]] = {
    "language": set(),
    "warehouse": set(),
    "office": set(),
    "engine": {"language", "warehouse"},
    "shopify": {"warehouse"},
    "importing": {"warehouse"},
    "segments": {"engine", "language", "warehouse", "office", "importing"},
    "tags": {"segments", "engine", "language", "warehouse", "office", "shopify"},
    "tracking": {"segments", "engine", "language", "warehouse", "office"},
    "static_segments": {
        "tracking", "segments", "engine", "language", "warehouse", "office", "importing",
    },
    "support": {"office"},
    "outgoing": {"warehouse", "office", "shopify"},
    "privacy": {"warehouse", "office", "importing"},
    "insights": {"segments", "engine", "language", "warehouse", "office"},
    "runtime": {"segments", "engine", "language", "warehouse", "office", "shopify"},
    "jobs": {
        "runtime", "tags", "tracking", "static_segments", "segments", "engine", "language",
        "warehouse", "office", "shopify", "importing", "support", "outgoing", "privacy",
    },
    "web": {
        "jobs", "runtime", "tags", "tracking", "static_segments", "support", "insights", "segments",
        "engine", "language", "warehouse", "office", "shopify", "importing", "outgoing",
        "privacy",
    },
    "bootstrap": {"web", "jobs", "runtime", "office", "warehouse", "shopify"},
    "cli": {"bootstrap", "language", "simulator"},
    "simulator": set(),
    "__init__": set(),
    "__main__": {"cli"},
}  # fmt: skip


def test_every_room_is_drawn():
    drawn = set(ARROWS) | GROUND

    assert {module.room for module in modules()} <= drawn


def test_no_arrow_points_up():
    wrong = [
        f"{module.name}:{line} looks from {module.room} into {room}"
        for module in modules()
        for line, room in rooms_imported(module)
        if room != module.room
        and room not in GROUND
        and room not in ARROWS.get(module.room, set())
        and room != "__version__"
    ]

    assert wrong == []


def test_no_two_rooms_look_into_each_other():
    seen = {
        (module.room, room)
        for module in modules()
        for _line, room in rooms_imported(module)
        if room != module.room
    }

    assert [pair for pair in seen if pair[::-1] in seen] == []


def test_no_files_of_a_room_import_each_other_in_a_circle():
    """Files that need nobody are taken away until none is left; a circle stays."""
    room = {one.dotted: one.room for one in modules()}
    left = {
        one.dotted: {name for name in files_imported(one) if room[name] == one.room}
        for one in modules()
    }
    while ready := [name for name, needs in left.items() if not needs & left.keys() - {name}]:
        for name in ready:
            del left[name]

    assert sorted(left) == []


def test_the_language_needs_no_other_package():
    allowed = set(sys.stdlib_module_names) | {"regulars"}
    wrong = [
        f"{module.name}:{line} imports {package}"
        for module in modules()
        if module.room == "language"
        for line, package in packages_imported(module)
        if package not in allowed
    ]

    assert wrong == []


def test_the_language_loads_where_nothing_else_is_installed():
    """A fresh interpreter without site-packages can parse a query."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r});"
        "from regulars.language import parse; print(parse('amount_spent > 3').attribute)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == "amount_spent", done.stderr
