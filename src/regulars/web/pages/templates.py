"""Templates: sixty rules to start from, by family, and recipes that make a group of segments."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from regulars.errors import InputError
from regulars.segments import recipes, templates
from regulars.web.api.templates import templates_out
from regulars.web.deps import SignedIn, Visit

router = APIRouter(prefix="/segments/templates")


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show everything to start from."""
    return _page(visit)


@router.post("/recipes")
def cook(visit: SignedIn) -> Response:
    """Make the segments of a recipe."""
    shop = visit.shop
    known = templates.known_values(visit.runtime.warehouse(shop))
    try:
        with visit.office() as session:
            made = recipes.cook(
                session,
                shop,
                templates.find_recipe(visit.field("recipe")),
                known=known,
                given={},
                language=visit.language,
                author=visit.author,
                now=visit.now,
            )
            jobs = [
                visit.jobs.refresh_segment_soon(session, shop, one.id, "created") for one in made
            ]
    except InputError as wrong:
        return _page(visit, wrong)
    visit.jobs.work_here(*jobs)
    return visit.go("/segments", visit.say("{count} segments were made.", count=len(made)))


def _page(visit: Visit, wrong: InputError | None = None) -> Response:
    known = templates.known_values(visit.runtime.warehouse(visit.shop))
    return visit.page(
        "segments/templates.html",
        status=422 if wrong else 200,
        told=templates_out(visit.shop, known, visit.language),
        form_problems=visit.problems(wrong) if wrong else (),
    )
