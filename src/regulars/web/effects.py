"""What saving a query would do, as the editor and the dialog that restores a version tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from pyroaring import BitMap

from regulars.office.models.segments import Segment
from regulars.segments import EditPreview, preview_edit
from regulars.web.deps import Visit
from regulars.web.figures import some_members

#: So many of those who would join, and leave, are named.
NAMED = 3


@dataclass(frozen=True)
class ToldEffect:
    """The effect, with some of the customers by name."""

    preview: EditPreview
    joining: Sequence[str]
    leaving: Sequence[str]


def effect_of(visit: Visit, segment: Segment, query: str) -> ToldEffect:
    """Work out what saving `query` would do; raises QueryError with all its problems."""
    with visit.runtime.office.reading() as session:
        preview = preview_edit(
            session,
            visit.shop,
            segment,
            query=query,
            memberships=visit.runtime.memberships(visit.shop),
            evaluator=visit.runtime.evaluator(visit.shop),
            now=visit.now,
        )
    return ToldEffect(preview, _names(visit, preview.joined), _names(visit, preview.left))


def mark_of(query: str) -> str:
    """Return what a form says to show that the effect of a rule was told."""
    return sha256(query.encode()).hexdigest()[:16]


def _names(visit: Visit, who: BitMap) -> Sequence[str]:
    warehouse = visit.runtime.warehouse(visit.shop)
    return [one.shown_name for one in some_members(warehouse, who, turn=0, most=NAMED)]
