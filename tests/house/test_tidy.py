"""House rules that no linter knows, each with what to do instead.

The exceptions are a ratchet: the lists may shrink, never grow.
"""

from __future__ import annotations

import re
import subprocess

from tests.house.source import ROOT, functions, length, modules

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 800

LONG_FUNCTIONS: set[str] = set()
LONG_FILES: set[str] = set()

#: (pattern, what to write instead, files and rooms where it is at home)
BANNED = [
    (r"datetime\.(now|utcnow|today)\(|\btime\.time\(|date\.today\(", "take a clock", {"clock.py"}),
    (r"(?<![\w.])print\(", "log it, or echo it in cli/", set()),
    (r"\bunittest\.mock\b|\bMagicMock\b|\bmonkeypatch\b", "pass an importable stand-in", set()),
    (r"except Exception\b", "name the error", {"jobs", "web", "cli"}),
    (r"\bFIXME\b|\bXXX\b", "mend it, or open an issue", set()),
]
BANNED_WORDS_IN_PROSE = r"\b(simply|obviously|basically|leverage|robust)\b"


def test_functions_are_short():
    """Migrations are left out: Alembic writes one statement per table."""
    long = {
        f"{module.name}:{node.name}"
        for module in modules()
        if "migrations/versions" not in module.name
        for node in functions(module)
        if length(node) > FUNCTION_LINES_MAX
    }

    assert long == LONG_FUNCTIONS


def test_files_are_short():
    long = {module.name for module in modules() if module.text.count("\n") > FILE_LINES_MAX}

    assert long == LONG_FILES


def test_files_are_named_for_what_they_are_for():
    vague = {"utils", "helpers", "common", "misc", "base_classes"}

    assert [module.name for module in modules() if set(module.path.parts) & vague] == []
    assert [module.name for module in modules() if module.path.stem in vague] == []


def test_each_module_says_what_it_is_for():
    silent = [
        module.name
        for module in modules()
        if module.text.strip() and not (module.tree.body and _docstring(module.tree.body[0]))
    ]

    assert silent == []


def _docstring(node) -> str | None:
    value = getattr(getattr(node, "value", None), "value", None)
    return value if isinstance(value, str) else None


def test_nothing_banned_is_written():
    found = [
        f"{module.name}:{number}: {line.strip()} → {instead}"
        for module in modules()
        for pattern, instead, home in BANNED
        if not {module.path.name, module.room} & home
        for number, line in enumerate(module.text.splitlines(), 1)
        if re.search(pattern, line)
    ]

    assert found == []


def test_prose_has_no_filler():
    found = [
        f"{module.name}:{number}: {line.strip()}"
        for module in modules()
        for number, line in enumerate(module.text.splitlines(), 1)
        if re.search(BANNED_WORDS_IN_PROSE, line)
    ]

    assert found == []


def test_sql_is_never_put_together_from_texts():
    """Values are bound, and query trees become SQL through SQLGlot nodes."""
    pattern = re.compile(
        r"f\"[^\"]*\b(SELECT|INSERT INTO|DELETE FROM|UPDATE)\b[^\"]*\{", re.IGNORECASE
    )
    found = [
        f"{module.name}:{number}: {line.strip()}"
        for module in modules()
        for number, line in enumerate(module.text.splitlines(), 1)
        if pattern.search(line) and "# names only" not in line
    ]

    assert found == []


def test_the_project_names_no_machine_and_no_registry():
    """What is committed speaks of the product alone and works on any machine."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    pattern = re.compile(
        r"/"
        r"work/|/"
        r"root/\.|files\.python"
        r"hosted|registry\.npm"
        r"js|deb\.deb"
        r"ian"
    )
    found = [
        name
        for name in listed
        if name
        and (ROOT / name).is_file()
        and pattern.search((ROOT / name).read_text("utf-8", errors="ignore"))
    ]

    assert found == []
