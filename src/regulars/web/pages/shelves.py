"""What a segment is kept by: description, icon, groups, a place on the home page; one dialog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from regulars.errors import InputError
from regulars.office.models.segments import Segment
from regulars.segments import find_segment, shelves
from regulars.web.deps import SignedIn, Visit, field_messages

router = APIRouter(prefix="/segments")


@dataclass(frozen=True)
class Details:
    """What stands in the dialog."""

    description: str
    icon: str
    is_featured: bool
    #: The groups that are ticked.
    groups: Sequence[str]
    #: Groups to be made, with commas between them.
    new_groups: str = ""

    @property
    def all_groups(self) -> Sequence[str]:
        """The names of all groups asked for."""
        made = self.new_groups.replace("、", ",").replace("\uff0c", ",").split(",")
        return [*self.groups, *(name for name in made if name.strip())]


@router.get("/{segment_id:int}/details")
def show_details(visit: SignedIn, segment_id: int) -> Response:
    """Show the dialog with what is kept about a segment besides its rule."""
    segment, groups = _find(visit, segment_id)
    kept = Details(
        segment.description, segment.icon, segment.is_featured, names_of(groups, segment_id)
    )
    return _dialog(visit, segment, groups, kept)


@router.post("/{segment_id:int}/details")
def keep_details(visit: SignedIn, segment_id: int) -> Response:
    """Keep all of the dialog, or nothing."""
    segment, groups = _find(visit, segment_id)
    given = Details(
        visit.field("description").replace("\r\n", "\n"),
        visit.field("icon"),
        visit.field("is_featured") == "on",
        [str(one) for one in visit.fields.getlist("groups")],
        visit.field("new_groups"),
    )
    try:
        with visit.office() as session:
            found = find_segment(session, visit.shop, segment_id)
            shelves.describe_segment(found, given.description, visit.now)
            shelves.mark_segment(found, given.icon, visit.now)
            shelves.put_into_groups(session, visit.shop, found, given.all_groups)
            found.is_featured = given.is_featured
    except InputError as wrong:
        return _dialog(visit, segment, groups, given, wrong)
    return visit.go(f"/segments/{segment_id}", visit.say("The details are saved."))


def names_of(groups: Mapping[str, Sequence[int]], segment_id: int) -> Sequence[str]:
    """Return the names of the groups that a segment is in."""
    return [name for name, ids in groups.items() if segment_id in ids]


def _find(visit: Visit, segment_id: int) -> tuple[Segment, Mapping[str, Sequence[int]]]:
    with visit.runtime.office.reading() as session:
        segment = find_segment(session, visit.shop, segment_id)
        return segment, shelves.groups_of(session, visit.shop)


def _dialog(
    visit: Visit,
    segment: Segment,
    groups: Mapping[str, Sequence[int]],
    details: Details,
    wrong: InputError | None = None,
) -> Response:
    return visit.dialog(
        "segments/details.html",
        status=422 if wrong else 200,
        segment=segment,
        group_names=list(groups),
        told=field_messages(visit.problems(wrong)) if wrong else {},
        back=f"/segments/{segment.id}",
        details=details,
    )
