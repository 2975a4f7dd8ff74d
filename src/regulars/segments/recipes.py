"""Cooking a recipe: its rules become segments of one group, all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.segments import shelves
from regulars.segments.definitions import create_segment
from regulars.segments.templates import Recipe, fill_recipe


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
    title = recipe.title(language)
    made = []
    for part, query in fill_recipe(recipe, shop.currency, known, given, language):
        segment = create_segment(
            session,
            shop,
            name=f"{title}: {part}",
            query=query,
            author=author,
            now=now,
        )
        shelves.put_into_groups(session, shop, segment, [title])
        made.append(segment)
    return made
