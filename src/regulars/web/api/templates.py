"""/shops/{shop}/templates and /recipes: rules to start from, and groups of rules that add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from regulars.language import describe, parse
from regulars.language.sentences import Titles
from regulars.office import Shop
from regulars.segments import find_segment, recipes, templates
from regulars.warehouse import Warehouse
from regulars.web.api.shapes import Asked, SegmentOut, segment_out
from regulars.web.deps import ApiCaller

router = APIRouter(prefix="/shops/{shop}", tags=["segments"])

Language = Literal["en", "ja"]


class ThresholdOut(BaseModel):
    """One figure or text that can be adjusted."""

    name: str
    kind: str
    default: str


class TemplateOut(BaseModel):
    """One rule to start from, filled for this shop."""

    key: str
    name: str
    query: str
    sentence: str
    thresholds: list[ThresholdOut]


class FamilyOut(BaseModel):
    """A family of templates."""

    key: str
    name: str
    templates: list[TemplateOut]


class RecipeOut(BaseModel):
    """A group of rules that add up."""

    key: str
    name: str
    parts: list[str]


class TemplatesOut(BaseModel):
    """Everything to start from."""

    families: list[FamilyOut]
    recipes: list[RecipeOut]


class FillIn(Asked):
    """Thresholds, by name; what is left out is as in the list."""

    thresholds: dict[str, str] = Field(default_factory=dict)
    language: Language = "en"


class CookedOut(BaseModel):
    """The segments that were made of a recipe."""

    segments: list[SegmentOut]


@router.get("/templates")
def index(call: ApiCaller, shop: str, language: Language = "en") -> TemplatesOut:
    """List the templates by family, and the recipes."""
    found = call.shop(shop)
    return templates_out(found, call.runtime.warehouse(found), language)


def templates_out(shop: Shop, warehouse: Warehouse, language: str) -> TemplatesOut:
    """Tell the templates and recipes in a language, filled for a shop."""
    known = templates.known_values(warehouse)
    is_ja = language == "ja"
    return TemplatesOut(
        families=[
            FamilyOut(
                key=family.key,
                name=family.name_ja if is_ja else family.name,
                templates=[
                    _template_out(one, shop, known, language, titles=warehouse.titles)
                    for one in templates.TEMPLATES.values()
                    if one.family == family.key
                ],
            )
            for family in templates.FAMILIES
        ],
        recipes=[
            RecipeOut(
                key=one.key,
                name=one.name_ja if is_ja else one.name,
                parts=[name_ja if is_ja else name for name, name_ja, _pattern in one.parts],
            )
            for one in templates.RECIPES
        ],
    )


@router.post("/templates/{key}/query")
def fill(call: ApiCaller, shop: str, key: str, asked: FillIn) -> TemplateOut:
    """Fill one template with thresholds of your own."""
    found = call.shop(shop)
    warehouse = call.runtime.warehouse(found)
    return _template_out(
        templates.find_template(key),
        found,
        templates.known_values(warehouse),
        asked.language,
        given=asked.thresholds,
        titles=warehouse.titles,
    )


@router.post("/recipes/{key}", status_code=201)
def cook(call: ApiCaller, shop: str, key: str, asked: FillIn) -> CookedOut:
    """Make the segments of a recipe, in a group of their own."""
    found = call.shop(shop)
    known = templates.known_values(call.runtime.warehouse(found))
    with call.office() as session:
        made = recipes.cook(
            session,
            found,
            templates.find_recipe(key),
            known=known,
            given=asked.thresholds,
            language=asked.language,
            author=call.author,
            now=call.now,
        )
        jobs = [call.jobs.refresh_segment_soon(session, found, one.id, "created") for one in made]
    call.jobs.work_here(*jobs)
    with call.runtime.office.reading() as session:
        told = [segment_out(find_segment(session, found, one.id)) for one in made]
    return CookedOut(segments=told)


def _template_out(
    one: templates.Template,
    shop: Shop,
    known: Mapping[str, str],
    language: str,
    *,
    given: Mapping[str, str] | None = None,
    titles: Titles,
) -> TemplateOut:
    query = templates.fill(one.pattern, shop.currency, known, given or {})
    places = templates.thresholds(one.pattern, shop.currency, known)
    return TemplateOut(
        key=one.key,
        name=one.title(language),
        query=query,
        sentence=describe(parse(query), language, shop.currency, titles),
        thresholds=[ThresholdOut.model_validate(place, from_attributes=True) for place in places],
    )
