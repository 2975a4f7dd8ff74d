"""/shops: which shops there are, their work in progress, files brought in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    TokenRejected,
    Unavailable,
    problem,
)
from regulars.office import Shop, Token, create_shop, list_shops
from regulars.office.models.jobs import Job
from regulars.runtime import connect_shop
from regulars.segments import list_segments
from regulars.shopify import shop_domain
from regulars.web.api.shapes import (
    Asked,
    JobOut,
    ShopOut,
    job_of,
    job_out,
    require_command_line,
    shop_out,
)
from regulars.web.deps import ApiCall, ApiCaller
from regulars.web.files import local_file

router = APIRouter(tags=["shops"])


class ShopsOut(BaseModel):
    """All shops the caller may see."""

    shops: list[ShopOut]


class ShopIn(Asked):
    """A new shop made of files."""

    name: str
    title: str | None = None
    time_zone: str = "UTC"
    currency: str = "USD"


class ShopChange(Asked):
    """What is to be changed; what is left out stays."""

    universe: Literal["all", "buyers"] | None = None


class ConnectionIn(Asked):
    """A Shopify shop and the Admin API token of a custom app in it."""

    domain: str
    token: str


class ConnectedOut(BaseModel):
    """A connected shop and the job that loads it."""

    shop: ShopOut
    job: JobOut


class ImportIn(Asked):
    """Files on the machine of the app, to be brought into a shop; the shop is made if it is new."""

    orders: str
    customers: str | None = None
    time_zone: str | None = None
    currency: str | None = None


@router.get("/shops")
def index(call: ApiCaller) -> ShopsOut:
    """List the shops."""
    with call.runtime.office.reading() as session:
        shops = [
            shop
            for shop in list_shops(session)
            if call.shop_ids is None or shop.id in call.shop_ids
        ]
    return ShopsOut(shops=[shop_out(shop) for shop in shops])


@router.post("/shops", status_code=201)
def create(call: ApiCaller, asked: ShopIn) -> ShopOut:
    """Make a shop for files."""
    call.require_local()
    with call.office() as session:
        shop = create_shop(
            session,
            name=asked.name,
            title=asked.title,
            time_zone=asked.time_zone,
            currency=asked.currency,
            now=call.now,
        )
    return shop_out(shop)


@router.put("/shops/{shop}/connection")
def connect(call: ApiCaller, shop: str, asked: ConnectionIn) -> ConnectedOut:
    """Connect a Shopify shop by the token of its custom app, and start loading it.

    Connecting a known shop again gives it the new token.
    """
    call.require_local()
    _refuse_other(call, shop, asked.domain)
    try:
        token = Token(asked.token)
        found = connect_shop(call.runtime, asked.domain, token, name=shop, author=call.author)
    except TokenRejected:
        template = (
            "Shopify does not accept this token for {domain}. Copy the Admin API access token of "
            "your custom app in that shop; it begins with shpat_."
        )
        raise InputError(
            problem("token_rejected", template, domain=asked.domain, field="token")
        ) from None
    except Unavailable as error:
        template = "Shopify does not answer for {domain}: {reason} Check the domain, try again."
        raise InputError(
            problem("shop_unreachable", template, domain=asked.domain, reason=error, field="domain")
        ) from None
    with call.office() as session:
        job = call.jobs.backfill_later(session, found)
    return ConnectedOut(shop=shop_out(found), job=job_out(job))


@router.get("/shops/{shop}")
def show(call: ApiCaller, shop: str) -> ShopOut:
    """Show one shop."""
    return shop_out(call.shop(shop))


@router.patch("/shops/{shop}")
def change(call: ApiCaller, shop: str, asked: ShopChange) -> ShopOut:
    """Choose who counts as everybody; every segment is counted anew when that changes."""
    found = call.shop(shop)
    with call.office() as session:
        row = session.get_one(Shop, found.id)
        if asked.universe is not None and row.universe != asked.universe:
            row.universe = asked.universe
            for segment in list_segments(session, row):
                call.jobs.refresh_segment_later(session, row, segment.id, "universe")
    return shop_out(row)


@router.post("/shops/{shop}/imports", status_code=202)
def start_import(call: ApiCaller, shop: str, asked: ImportIn) -> JobOut:
    """Start bringing files in; the answer is a job to look at until it is done."""
    require_command_line(call)
    paths = {"orders": asked.orders, "customers": asked.customers}
    files = {kind: str(local_file(path, kind)) for kind, path in paths.items() if path}
    with call.office() as session:
        found = _shop_for_files(session, shop, asked, call.now)
        job = call.jobs.import_later(session, found, files)
    return job_out(job)


@router.post("/shops/{shop}/sync", status_code=202)
def start_sync(call: ApiCaller, shop: str, full: Annotated[bool, Query()] = False) -> JobOut:
    """Fetch what changed at Shopify, or everything; the answer is a job."""
    found = call.shop(shop)
    if found.kind != "shopify":
        template = 'The shop "{shop}" was made of files. Bring new ones in with: regulars import'
        raise InputError(problem("not_at_shopify", template, shop=found.name))
    with call.office() as session:
        later = (
            call.jobs.backfill_later
            if full or found.loaded_at is None
            else (call.jobs.catch_up_later)
        )
        job = later(session, found)
    return job_out(job)


@router.get("/shops/{shop}/jobs/{job_id}")
def show_job(call: ApiCaller, shop: str, job_id: int) -> JobOut:
    """Show how far a job is."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        job = session.scalar(select(Job).where(Job.id == job_id, Job.shop_id == found.id))
    if job is None:
        raise NotFoundError(problem("no_job", "There is no job {id}.", id=job_id))
    return job_of(call, found, job)


def _refuse_other(call: ApiCall, name: str, domain: str) -> None:
    """Refuse a name that another shop has, and a domain connected under another name."""
    clean = shop_domain(domain)
    with call.runtime.office.reading() as session:
        by_name = session.scalar(select(Shop).where(Shop.name == name))
        by_domain = session.scalar(select(Shop).where(Shop.domain == clean))
    if by_name is not None and by_name.domain != clean:
        template = 'There is already a shop "{name}" ({domain}). Choose another name.'
        raise ConflictError(
            problem(
                "shop_exists",
                template,
                name=name,
                domain=by_name.domain or by_name.kind,
                field="shop",
            )
        )
    if by_domain is not None and by_domain.name != name:
        template = '{domain} is connected already, as "{name}".'
        raise ConflictError(
            problem("shop_connected", template, domain=clean, name=by_domain.name, field="shop")
        )


def _shop_for_files(session: Session, name: str, asked: ImportIn, now: datetime) -> Shop:
    """Return the shop of that name, made where it is new; what is told of it has to agree."""
    shop = session.scalar(select(Shop).where(Shop.name == name))
    if shop is None:
        return create_shop(
            session,
            name=name,
            time_zone=asked.time_zone or "UTC",
            currency=asked.currency or "USD",
            now=now,
        )
    if shop.kind != "imported":
        template = 'The shop "{shop}" is at Shopify; files would mix with its own orders.'
        raise ConflictError(problem("shop_at_shopify", template, shop=name, field="shop"))
    told = {"timezone": asked.time_zone, "currency": asked.currency}
    kept = {"timezone": shop.time_zone, "currency": shop.currency}
    for field, value in told.items():
        if value is not None and value != kept[field]:
            template = 'The shop "{shop}" has {kept} already, not {value}.'
            raise ConflictError(
                problem(
                    "shop_differs", template, shop=name, kept=kept[field], value=value, field=field
                )
            )
    return shop
