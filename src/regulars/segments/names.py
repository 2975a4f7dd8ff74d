"""Names of segments: unique in a shop, whatever the case and width they are typed in."""

from __future__ import annotations

import unicodedata

from regulars.errors import InputError, problem

NAME_CHARACTERS_MAX = 120


def name_key(name: str) -> str:
    """Return what two names share that read the same: NFKC, folded, spaces joined."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def trash_key(segment_id: int) -> str:
    """Return the key of a segment in the trash: no name can hold a line end, so names are free."""
    return f"\n{segment_id}"


def checked_name(name: str) -> str:
    """Return the name without outer spaces; raises InputError where it cannot be one."""
    clean = " ".join(name.split())
    if not clean:
        raise InputError(problem("segment_name_empty", "A segment needs a name.", field="name"))
    if len(clean) > NAME_CHARACTERS_MAX:
        template = "A segment's name may have {most} characters; this one has {count}."
        raise InputError(
            problem(
                "segment_name_long",
                template,
                most=NAME_CHARACTERS_MAX,
                count=len(clean),
                field="name",
            )
        )
    if any(unicodedata.category(sign) in {"Cc", "Cs", "Co", "Cn"} for sign in clean):
        template = "A segment's name may not hold control characters."
        raise InputError(problem("segment_name_signs", template, field="name"))
    return clean
