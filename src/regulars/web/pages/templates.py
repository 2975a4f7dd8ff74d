"""Templates: sixty rules to start from, by family, and recipes that make a group of segments.

Each has a page of its own, where its figures are adjusted and counted before anything is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from pyroaring import BitMap
from starlette.responses import Response

from regulars.errors import InputError
from regulars.language import describe, parse
from regulars.segments import create_segment, recipes, templates
from regulars.web.api.templates import templates_out
from regulars.web.deps import SignedIn, ToldProblem, Visit, field_messages
from regulars.web.figures import universe_of
from regulars.web.i18n import N_

router = APIRouter(prefix="/segments/templates")

#: What the places of rules are called, and what stands behind the field.
PLACES = {
    "days": (N_("Number of days"), N_("days")),
    "near": (N_("At least so long ago"), N_("days")),
    "far": (N_("At most so long ago"), N_("days")),
    "gap": (N_("Days between orders"), N_("days")),
    "count": (N_("How often"), N_("times")),
    "money": (N_("Amount"), ""),
    "low": (N_("Lower amount"), ""),
    "type": (N_("Product type"), ""),
    "type2": (N_("Second product type"), ""),
    "vendor": (N_("Vendor"), ""),
    "product": (N_("Product ID"), ""),
    "source": (N_("UTM source"), ""),
    "medium": (N_("UTM medium"), ""),
    "campaign": (N_("UTM campaign"), ""),
    "code": (N_("Discount code"), ""),
    "order_tag": (N_("Order tag"), ""),
    "customer_tag": (N_("Customer tag"), ""),
    "country": (N_("Country code"), ""),
    "region": (N_("Region code"), ""),
    "channel": (N_("Sales channel"), ""),
}


@dataclass(frozen=True)
class Place:
    """One field of the form."""

    name: str
    label: str
    unit: str
    value: str
    is_figure: bool
    problems: Sequence[ToldProblem]


@dataclass(frozen=True)
class Part:
    """One rule with its count; a template has one, a recipe several."""

    name: str
    sentence: str
    query: str
    count: int


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show everything to start from."""
    told = templates_out(visit.shop, visit.runtime.warehouse(visit.shop), visit.language)
    return visit.page("segments/templates.html", told=told)


@router.get("/recipes/{key}")
def show_recipe(visit: SignedIn, key: str) -> Response:
    """Show a recipe with its figures, and how the parts add up; as a fragment only the count."""
    return _page(visit, templates.find_recipe(key))


@router.post("/recipes/{key}")
def cook(visit: SignedIn, key: str) -> Response:
    """Make the segments of a recipe."""
    shop, recipe = visit.shop, templates.find_recipe(key)
    known = templates.known_values(visit.runtime.warehouse(shop))
    try:
        with visit.office() as session:
            made = recipes.cook(
                session,
                shop,
                recipe,
                known=known,
                given=_given(visit),
                language=visit.language,
                author=visit.author,
                now=visit.now,
            )
            jobs = [
                visit.jobs.refresh_segment_soon(session, shop, one.id, "created") for one in made
            ]
    except InputError as wrong:
        return _page(visit, recipe, wrong)
    visit.jobs.work_here(*jobs)
    return visit.go("/segments", visit.say("{count} segments were made.", count=len(made)))


@router.get("/{key}")
def show_template(visit: SignedIn, key: str) -> Response:
    """Show a template with its figures and its count; as a fragment only the count."""
    return _page(visit, templates.find_template(key))


@router.post("/{key}")
def create(visit: SignedIn, key: str) -> Response:
    """Make a segment of a template."""
    shop, template = visit.shop, templates.find_template(key)
    known = templates.known_values(visit.runtime.warehouse(shop))
    try:
        query = templates.fill(template.pattern, shop.currency, known, _given(visit))
        with visit.office() as session:
            segment = create_segment(
                session,
                shop,
                name=visit.field("name"),
                query=query,
                author=visit.author,
                now=visit.now,
            )
            job = visit.jobs.refresh_segment_soon(session, shop, segment.id, "created")
    except InputError as wrong:
        return _page(visit, template, wrong)
    visit.jobs.work_here(job)
    return visit.go(f"/segments/{segment.id}", visit.say("“{name}” is saved.", name=segment.name))


def _page(
    visit: Visit,
    of: templates.Template | templates.Recipe,
    wrong: InputError | None = None,
) -> Response:
    known = templates.known_values(visit.runtime.warehouse(visit.shop))
    given = _given(visit)
    parts: Sequence[Part] = ()
    try:
        parts = _parts(visit, of, known, given)
    except InputError as unusable:
        wrong = wrong or unusable
    told = field_messages(visit.problems(wrong)) if wrong else {}
    is_counted_only = visit.is_fragment and visit.request.method == "GET"
    return visit.page(
        "segments/template_count.html" if is_counted_only else "segments/template.html",
        status=422 if wrong and not visit.is_fragment else 200,
        of=of,
        is_recipe=isinstance(of, templates.Recipe),
        title=of.title(visit.language),
        name=visit.field("name", of.title(visit.language)),
        places=_places(visit, of.pattern, known, given, told),
        parts=parts,
        everybody=len(universe_of(visit.runtime, visit.shop)),
        told=told,
    )


def _given(visit: Visit) -> Mapping[str, str]:
    """Return the figures of the form, or of the address while it is only counted."""
    sent = visit.fields if visit.request.method == "POST" else visit.request.query_params
    return {
        name.removeprefix("place-"): value
        for name, value in sent.items()
        if name.startswith("place-") and isinstance(value, str)
    }


def _parts(
    visit: Visit,
    of: templates.Template | templates.Recipe,
    known: Mapping[str, str],
    given: Mapping[str, str],
) -> Sequence[Part]:
    currency = visit.shop.currency
    if isinstance(of, templates.Recipe):
        filled = templates.fill_recipe(of, currency, known, given, visit.language)
    else:
        query = templates.fill(of.pattern, currency, known, given)
        filled = [(of.title(visit.language), query)]
    return [
        Part(
            name,
            describe(parse(query), visit.language, currency, visit.titles),
            query,
            len(_members(visit, query)),
        )
        for name, query in filled
    ]


def _members(visit: Visit, query: str) -> BitMap:
    context = visit.runtime.context(visit.shop)
    return visit.runtime.evaluator(visit.shop).members(parse(query), context)


def _places(
    visit: Visit,
    pattern: str,
    known: Mapping[str, str],
    given: Mapping[str, str],
    told: Mapping[str, Sequence[ToldProblem]],
) -> Sequence[Place]:
    found = []
    for one in templates.thresholds(pattern, visit.shop.currency, known):
        label, unit = PLACES[one.name]
        found.append(
            Place(
                one.name,
                visit.say(label),
                visit.shop.currency if one.kind == "money" else visit.say(unit) if unit else "",
                given.get(one.name, one.default),
                one.kind != "text",
                told.get(one.name, ()),
            )
        )
    return found
