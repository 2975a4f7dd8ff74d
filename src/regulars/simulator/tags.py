"""The rules of customer tags, as the real API was seen to follow them.

A comma inside an item splits it, items are trimmed, the set ignores case and keeps the casing that
is stored; a new tag takes the casing of the same tag elsewhere in the shop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: Tags that one customer can have.
TAGS_MAX = 250


class TooManyTagsError(Exception):
    """The customer would have more than 250 tags."""


def key(tag: str) -> str:
    """Return the form under which two tags are the same."""
    return tag.lower()


def split(tags: Iterable[str]) -> list[str]:
    """Cut items at commas, trim them, drop empty and repeated ones."""
    pieces = (piece.strip() for item in tags for piece in item.split(","))
    return list({key(piece): piece for piece in reversed([*pieces]) if piece}.values())[::-1]


def added(
    before: tuple[str, ...], tags: Iterable[str], casing: Mapping[str, str]
) -> tuple[tuple[str, ...], list[str]]:
    """Return the tags after giving some, and those that are new."""
    have = {key(tag) for tag in before}
    new = [casing.get(key(tag), tag) for tag in split(tags) if key(tag) not in have]
    if len(have) + len(new) > TAGS_MAX:
        raise TooManyTagsError
    return tuple(sorted((*before, *new), key=lambda tag: (key(tag), tag))), new


def removed(before: tuple[str, ...], tags: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the tags after taking some off, and those that were taken."""
    names = {key(tag) for tag in split(tags)}
    gone = [tag for tag in before if key(tag) in names]
    return tuple(tag for tag in before if key(tag) not in names), gone
