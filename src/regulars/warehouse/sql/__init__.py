"""The warehouse's statements, in .sql files beside this one: each named, each with its sentence.

A statement begins at a line `-- its_name --`. Nothing is ever put into the text: values are bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

_NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def statements(topic: str) -> Mapping[str, str]:
    """Return the statements of `<topic>.sql` by name."""
    text = (resources.files(__name__) / f"{topic}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return MappingProxyType(dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True)))
