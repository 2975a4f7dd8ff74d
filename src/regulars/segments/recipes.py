"""Cooking a recipe: its rules become segments of one group, all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.segments import shelves
from regulars.segments.definitions import create_segment
from regulars.segments.templates import Recipe, fill


def cook(
    session: Session,
    shop: Shop,
    recipe: Recipe,
    *,
    known: Mapping[str, str],
    given: Mapping[str, str],
    language: str,
    author: str,
    now: datetime,
) -> Sequence[Segment]:
    """Make the recipe's segments; raises ConflictError where one of their names is taken."""
    title = recipe.name_ja if language == "ja" else recipe.name
    made = []
    for name, name_ja, pattern in recipe.parts:
        part = name_ja if language == "ja" else name
        # A part knows only its own places; the other parts may have more.
        own = {key: text for key, text in given.items() if f"{{{key}=" in pattern}
        segment = create_segment(
            session,
            shop,
            name=f"{title}: {part}",
            query=fill(pattern, shop.currency, known, own),
            author=author,
            now=now,
        )
        shelves.put_into_groups(session, shop, segment, [title])
        made.append(segment)
    return made
