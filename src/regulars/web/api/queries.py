"""Queries that are not saved: counted, explained, checked and described."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from regulars import segments
from regulars.engine import explain as explain_query
from regulars.engine import lint_with_counts, unknown_past, unseen_values
from regulars.errors import NotFoundError, QueryError, problem
from regulars.language import describe, parse_with_notes
from regulars.language.sentences import no_titles
from regulars.language.unseen import unseen_findings
from regulars.web.api.segments import CustomerOut, customers_out
from regulars.web.api.shapes import Asked, NoteOut, instant_of, note_out
from regulars.web.deps import ApiCaller
from regulars.web.explaining import ReasonOut, reason, turning
from regulars.web.i18n import Localizer

router = APIRouter(tags=["queries"])


class CountIn(Asked):
    """A query to be counted."""

    query: str
    #: A shop day like 2026-11-21 (its end is meant), or an instant; None: now.
    as_of: str | None = None


class PartCount(BaseModel):
    """One node of the query: where it stands in the text, and how many it keeps."""

    start: int
    length: int
    count: int
    #: What is left, or has come together, up to and with this part.
    running: int


class CountOut(BaseModel):
    """How many match."""

    count: int
    universe: int
    as_of: str
    parts: list[PartCount]
    #: For a past instant: the names whose values then are not known, so that today's were used.
    unknown_past: list[str] = []


class CheckIn(Asked):
    """A query to be checked."""

    query: str
    dialect: str = "any"
    shop: str | None = Field(None, description="The shop whose values the query names.")


class CheckOut(BaseModel):
    """All problems of a query, none when it is right, and what to know about it."""

    errors: list[NoteOut]
    #: How doubtful places were read, names whose answer Shopify keeps to itself, and, with a shop,
    #: values that it has never had.
    notes: list[NoteOut] = []


class DescribeIn(Asked):
    """A query to be said in plain words."""

    query: str
    language: str = "en"
    currency: str | None = Field(None, description="Of the amounts; the shop's, else USD.")
    shop: str | None = Field(None, description="The shop whose titles and currency are used.")


class DescribeOut(BaseModel):
    """The query in plain words."""

    description: str
    notes: list[NoteOut] = []


class LintIn(Asked):
    """A query to be looked at for what it probably does not mean."""

    query: str


class ConcernOut(NoteOut):
    """One note with the customers that it concerns."""

    customer_count: int | None
    #: The query that was probably meant, where there is one.
    meant: str | None


class LintOut(BaseModel):
    """Notes on a query, each with the customers that it concerns."""

    notes: list[ConcernOut]


class ExplainIn(Asked):
    """A query and the customer it is asked about."""

    query: str
    customer: str = Field(description="The customer's id at Shopify, or in the imported file.")
    as_of: str | None = Field(None, description="A shop day (its end is meant), or an instant.")
    language: str = Field("en", description="Of the words: en or ja.")


class ExplainOut(BaseModel):
    """Why one customer matches a query or not."""

    customer: CustomerOut
    as_of: datetime
    is_member: bool
    is_in_universe: bool = Field(
        description="False: not counted as a customer of the shop then, so no member of anything."
    )
    flips_on: date | None = Field(description="The first day that turns it by time alone.")
    turns: list[int] = Field(
        description="Ids of the fewest filters whose change would turn the whole."
    )
    unknown_past: list[str] = Field(
        description="Names whose values then are not known, so that today's were used."
    )
    root: ReasonOut


@router.post("/shops/{shop}/count")
def count(call: ApiCaller, shop: str, asked: CountIn) -> CountOut:
    """Count who matches, at each part of the query."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        tree = segments.checked_query(session, found, asked.query)
    as_of = instant_of(found, asked.as_of) if asked.as_of else None
    context = call.runtime.context(found, as_of)
    counts = call.runtime.evaluator(found).counts(tree, context)
    return CountOut(
        count=counts.total,
        universe=counts.universe,
        as_of=asked.as_of or call.now.isoformat(),
        parts=_parts(counts.root),
        unknown_past=(
            list(unknown_past(tree, context)) if as_of is not None and as_of < call.now else []
        ),
    )


def _parts(root: Any) -> list[PartCount]:
    span = root.node.span
    own = PartCount(
        start=span.start, length=span.end - span.start, count=root.count, running=root.running
    )
    return [own, *(part for inner in root.parts for part in _parts(inner))]


@router.post("/shops/{shop}/lint")
def lint(call: ApiCaller, shop: str, asked: LintIn) -> LintOut:
    """Note what a query probably does not mean, and count whom each note concerns."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        tree = segments.checked_query(session, found, asked.query)
    evaluator, context = call.runtime.evaluator(found), call.runtime.context(found)
    notes = lint_with_counts(
        tree,
        lambda part: len(evaluator.members(part, context)),
        text=asked.query,
        readings=parse_with_notes(asked.query).notes,
        unseen=unseen_values(call.runtime.warehouse(found), tree),
    )
    return LintOut(
        notes=[
            ConcernOut(
                **note_out(one.note).model_dump(),
                customer_count=one.customer_count,
                meant=one.meant,
            )
            for one in notes
        ]
    )


@router.post("/queries/check")
def check(call: ApiCaller, asked: CheckIn) -> CheckOut:
    """Check a query without evaluating it; with a shop, for values it has never had as well."""
    shop = call.shop(asked.shop) if asked.shop is not None else None
    try:
        read = parse_with_notes(asked.query, asked.dialect, evaluable=False)
    except QueryError as error:
        return CheckOut(errors=[note_out(one) for one in error.problems])
    notes = list(read.notes)
    if shop is not None:
        unseen = unseen_values(call.runtime.warehouse(shop), read.node)
        notes += (one.note for one in unseen_findings(read.node, asked.query, unseen))
    return CheckOut(errors=[], notes=[note_out(one) for one in notes])


@router.post("/queries/describe")
def say(call: ApiCaller, asked: DescribeIn) -> DescribeOut:
    """Say a query in plain words; with a shop, products and collections by their titles."""
    read = parse_with_notes(asked.query, evaluable=False)
    shop = call.shop(asked.shop) if asked.shop is not None else None
    currency = asked.currency or (shop.currency if shop else "USD")
    titles = call.runtime.warehouse(shop).titles if shop else no_titles
    told = describe(read.node, asked.language, currency, titles)
    return DescribeOut(description=told, notes=[note_out(one) for one in read.notes])


@router.post("/shops/{shop}/explain")
def explain(call: ApiCaller, shop: str, asked: ExplainIn) -> ExplainOut:
    """Tell why a customer matches or not, condition by condition."""
    found = call.customers_of(shop)
    with call.runtime.office.reading() as session:
        tree = segments.checked_query(session, found, asked.query)
    warehouse = call.runtime.warehouse(found)
    numbers = warehouse.customer_nos([asked.customer])
    if not numbers:
        template = 'There is no customer "{customer}" in this shop.'
        raise NotFoundError(problem("no_customer", template, customer=asked.customer))
    as_of = instant_of(found, asked.as_of) if asked.as_of else None
    (record,) = warehouse.records(numbers.values())
    told = explain_query(tree, record, call.runtime.context(found, as_of), now=call.now)
    language = "ja" if asked.language == "ja" else "en"
    root = reason(told, Localizer(language, found.zone, found.currency), warehouse.titles)
    return ExplainOut(
        customer=customers_out(warehouse, [record.customer_no])[0],
        as_of=told.as_of.astimezone(found.zone),
        is_member=told.is_member,
        is_in_universe=told.is_in_universe,
        flips_on=told.flips_on,
        turns=[one.id for one in turning(told, root)],
        unknown_past=list(dict.fromkeys(leaf.attribute for leaf in told.unknown)),
        root=root,
    )
