"""Passwords that are guessed first: those of published lists, and what is made of them by habit.

The list is vendored (known/VENDOR.md) and asked here; nothing leaves the machine.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from importlib import resources

#: Words that anybody tries here first.
OURS = frozenset({"regulars", "shopify", "segment", "segments", "password", "passphrase"})
#: Letters that are written as figures and signs by habit.
_SIGNS = str.maketrans("@4310!$57", "aaeloisst")
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
#: A piece as short as this is guessed however often it is repeated.
_PIECE = 4


def is_guessed_first(password: str, about: Collection[str] = ()) -> bool:
    """Whether a password is known or made of a known one; `about` are words of its owner.

    Made of: with figures or signs around it that are no longer than itself, with signs in place of
    letters, or repeated.
    """
    text = unicodedata.normalize("NFKC", password).casefold().strip()
    words = OURS | {word.casefold() for word in about if len(word) >= _PIECE}
    return any(
        len(_piece(base)) <= _PIECE or any(one in listed for one in (base, _piece(base)))
        for base in _bases(text)
        for listed in (words, _known())
        if base and len(base) * 2 >= len(text)
    )


def _bases(text: str) -> Iterator[str]:
    """Tell what a password may have been made of."""
    for one in (text, text.translate(_SIGNS)):
        yield from (one, _ENDS.sub("", one))


def _piece(text: str) -> str:
    """Return the shortest piece of which the text is a repetition; itself where it is none."""
    return text[: (text + text).index(text, 1)]


@cache
def _known() -> frozenset[str]:
    packed = resources.files("regulars.web").joinpath("known/passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n")[:-1])
