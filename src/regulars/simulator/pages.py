"""The pages of the pretend shop: look around, place orders, move the clock, switch faults on.

Plain forms without scripts. They change the shop through the same acts as anything else, so
webhooks follow. The pages are for a demo on one's own machine and know no sign-in.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from regulars.simulator import tags as tag_rules
from regulars.simulator.faults import FAULTS
from regulars.simulator.models import Customer, Order
from regulars.simulator.money import exponent, fixed_amount
from regulars.simulator.resolvers.orders import payment_state
from regulars.simulator.shop import MovableClock, Shop
from regulars.simulator.simulator import Simulator

FOLDER = Path(__file__).parent / "templates"
PAGE_ROWS = 50
POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


class NotHere(Exception):
    """The page's subject does not exist; the text names it."""


class Wrong(Exception):
    """What was typed cannot be used; the text says why."""


def simulator_of(request: Request) -> Simulator:
    """Return the simulator that a request came to."""
    simulator: Simulator = request.app.state.simulator
    return simulator


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """Render a page."""
    simulator = simulator_of(request)
    shop = simulator.shop

    def local(seconds: int) -> str:
        return datetime.fromtimestamp(seconds, shop.zone).strftime("%Y-%m-%d %H:%M")

    def money(minor: int) -> str:
        number = f"{Decimal(fixed_amount(minor, shop.currency)):,}"
        return f"¥{number}" if shop.currency == "JPY" else f"{number} {shop.currency}"

    told = {
        "simulator": simulator,
        "shop": shop,
        "now_text": local(shop.now()),
        "local": local,
        "money": money,
        "state": lambda order: payment_state(order).lower().replace("_", " "),
        "notice": request.query_params.get("notice", ""),
        "problem": request.query_params.get("problem", ""),
        "q": "",
        **values,
    }
    with shop.lock:
        text = ENVIRONMENT.get_template(name).render(told)
    return HTMLResponse(
        text, status, {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    )


def cut(request: Request, rows: list[Any], q: str) -> dict[str, Any]:
    """Return one page of rows with what the pager needs."""
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    asked = request.query_params.get("page", "1")
    number = min(max(int(asked) if asked.isdecimal() else 1, 1), pages)
    shown = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    return {"rows": shown, "total": len(rows), "page": number, "pages": pages, "q": q}


def customer_of(request: Request) -> Customer:
    """Return the customer that the address names."""
    number = request.path_params["number"]
    customer = simulator_of(request).shop.customers.get(number)
    if customer is None:
        raise NotHere(f"Customer {number}")
    return customer


def order_of(request: Request) -> Order:
    """Return the order that the address names."""
    number = request.path_params["number"]
    order = simulator_of(request).shop.orders.get(number)
    if order is None:
        raise NotHere(f"Order {number}")
    return order


def minor_units(text: str, shop: Shop) -> int | None:
    """Read an amount in the shop's currency; None when the field was left empty."""
    text = text.replace(",", "").replace("¥", "").strip()
    if not text:
        return None
    try:
        scaled = Decimal(text).scaleb(exponent(shop.currency))
    except InvalidOperation:
        raise Wrong(f'"{text}" is not an amount. Write a number such as 4800.') from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or not 0 < scaled < 10**12:
        raise Wrong(f'"{text}" is not an amount of {shop.currency} above zero.')
    return int(scaled)


def overview(request: Request) -> Response:
    """Show the shop's state, its clock and the faults."""
    movable = isinstance(simulator_of(request).shop.clock, MovableClock)
    return page(request, "overview.html", faults=FAULTS, movable=movable)


def customers(request: Request) -> Response:
    """List customers, newest first."""
    q = request.query_params.get("q", "").strip()
    wanted, shop = q.lower(), simulator_of(request).shop
    with shop.lock:
        rows = [
            customer
            for customer in reversed(shop.customers.values())
            if not wanted
            or wanted in f"{customer.display_name}\n{customer.email}\n{customer.phone}".lower()
            or any(wanted == tag_rules.key(tag) for tag in customer.tags)
        ]
    return page(request, "customers.html", **cut(request, rows, q))


def customer_page(request: Request) -> Response:
    """Show one customer."""
    products = sorted(simulator_of(request).shop.products.values(), key=lambda p: p.title)
    return page(request, "customer.html", customer=customer_of(request), products=products)


def orders(request: Request) -> Response:
    """List orders, newest first."""
    q = request.query_params.get("q", "").strip()
    wanted, shop = q.lower().lstrip("#"), simulator_of(request).shop
    with shop.lock:
        rows = [
            order
            for order in reversed(shop.orders.values())
            if not wanted or wanted == str(order.number) or wanted in (order.email or "").lower()
        ]
    return page(request, "orders.html", **cut(request, rows, q))


def deliveries(request: Request) -> Response:
    """List webhook deliveries, newest first."""
    rows = simulator_of(request).webhooks.deliveries[::-1]
    return page(request, "deliveries.html", **cut(request, rows, ""))


# Changes: each takes the form and returns where to go on and what to say there.

Change = Callable[[Request, FormData], tuple[str, str]]


def text_of(form: FormData, name: str) -> str:
    """Return a field of a form as text."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def save_tags(request: Request, form: FormData) -> tuple[str, str]:
    """Make a customer's tags what was typed."""
    customer, shop = customer_of(request), simulator_of(request).shop
    wanted = tag_rules.split([text_of(form, "tags")])
    keys = {tag_rules.key(tag) for tag in wanted}
    if len(keys) > tag_rules.TAGS_MAX:
        raise Wrong("A customer has at most 250 tags.")
    shop.remove_tags(customer, [tag for tag in customer.tags if tag_rules.key(tag) not in keys])
    shop.add_tags(customer, wanted)
    return f"/customers/{customer.id}", "Tags saved."


def place_order(request: Request, form: FormData) -> tuple[str, str]:
    """Place an order for a customer."""
    customer, shop = customer_of(request), simulator_of(request).shop
    chosen, many = text_of(form, "product"), text_of(form, "quantity") or "1"
    product = shop.products.get(int(chosen)) if chosen.isdecimal() else None
    if product is None:
        raise Wrong("Choose a product of this shop.")
    if not many.isdecimal() or not 1 <= int(many) <= 999:
        raise Wrong("The quantity is a whole number from 1 to 999.")
    amount = minor_units(text_of(form, "amount"), shop)
    order = shop.place_order(customer, [shop.line(product, int(many), amount)])
    return f"/customers/{customer.id}", f"Order #{order.number} placed."


def save_consent(request: Request, form: FormData) -> tuple[str, str]:
    """Change a customer's answer to e-mail marketing."""
    customer, state = customer_of(request), text_of(form, "state")
    if state not in {"SUBSCRIBED", "UNSUBSCRIBED", "NOT_SUBSCRIBED"}:
        raise Wrong("Choose one of the answers.")
    if not customer.email:
        raise Wrong("This customer has no e-mail address.")
    simulator_of(request).shop.set_email_consent(customer, state)
    return f"/customers/{customer.id}", "Consent saved."


def delete_customer(request: Request, form: FormData) -> tuple[str, str]:
    """Delete a customer, or ask every app to forget the person first."""
    customer, shop = customer_of(request), simulator_of(request).shop
    if text_of(form, "how") == "redact":
        shop.redact_customer(customer)
        return "/customers", f"Customer {customer.id} was erased."
    shop.delete_customer(customer)
    return "/customers", f"Customer {customer.id} was deleted."


def refund(request: Request, form: FormData) -> tuple[str, str]:
    """Give money back for an order."""
    order, shop = order_of(request), simulator_of(request).shop
    try:
        shop.refund_order(order, minor_units(text_of(form, "amount"), shop))
    except ValueError:
        raise Wrong(f"Order #{order.number} has less left than that.") from None
    return back_to(order), f"Order #{order.number} was refunded."


def cancel(request: Request, _form: FormData) -> tuple[str, str]:
    """Cancel an order."""
    order = order_of(request)
    simulator_of(request).shop.cancel_order(order)
    return back_to(order), f"Order #{order.number} was cancelled."


def back_to(order: Order) -> str:
    """Return the page where an order was looked at."""
    return f"/customers/{order.customer.id}" if order.customer else "/orders"


def move_clock(request: Request, form: FormData) -> tuple[str, str]:
    """Move the shop's time forward."""
    step = text_of(form, "step")
    if not step.isdecimal() or not 0 < int(step) <= 366 * 86_400:
        raise Wrong("The clock moves forward by at most a year at a time.")
    try:
        simulator_of(request).move_clock(int(step))
    except TypeError:
        raise Wrong("This shop's time is kept by a test and cannot be moved here.") from None
    return "/", "The shop's time was moved."


def switch_fault(request: Request, form: FormData) -> tuple[str, str]:
    """Switch a fault on or off."""
    name, faults = text_of(form, "name"), simulator_of(request).faults
    if text_of(form, "state") == "off":
        faults.switch_off(name)
        return "/", f"{name} is off."
    try:
        faults.switch_on(name, rate=float(text_of(form, "rate") or 1))
    except ValueError as problem:
        raise Wrong(str(problem)) from None
    return "/", f"{name} is on."


def shown(render: Callable[[Request], Response]) -> Callable[[Request], Any]:
    """Serve a page in a thread, and say so when its subject does not exist."""

    async def serve(request: Request) -> Response:
        try:
            return await run_in_threadpool(render, request)
        except NotHere as missing:
            return page(request, "gone.html", status=404, what=str(missing))

    return serve


def changed(change: Change) -> Callable[[Request], Any]:
    """Serve a form: carry it out in a thread, then go on to the next page."""

    async def serve(request: Request) -> Response:
        # A form of another site must not change the shop.
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return PlainTextResponse("This form belongs to another site.", 403)
        form = await request.form()
        try:
            target, notice = await run_in_threadpool(change, request, form)
        except NotHere as missing:
            return page(request, "gone.html", status=404, what=str(missing))
        except Wrong as problem:
            parts = request.url.path.strip("/").split("/")
            target = f"/customers/{parts[1]}" if parts[0] == "customers" else f"/{parts[0]}"
            target = "/" if target in {"/clock", "/faults"} else target
            return RedirectResponse(f"{target}?problem={quote(str(problem))}", 303)
        return RedirectResponse(f"{target}?notice={quote(notice)}", 303)

    return serve


def style(_request: Request) -> Response:
    """Serve the style sheet."""
    return Response((FOLDER / "style.css").read_bytes(), media_type="text/css")


SHOWN: dict[str, Callable[[Request], Response]] = {
    "/": overview,
    "/customers": customers,
    "/customers/{number:int}": customer_page,
    "/orders": orders,
    "/deliveries": deliveries,
    "/style.css": style,
}
CHANGED: dict[str, Change] = {
    "/customers/{number:int}/tags": save_tags,
    "/customers/{number:int}/orders": place_order,
    "/customers/{number:int}/consent": save_consent,
    "/customers/{number:int}/delete": delete_customer,
    "/orders/{number:int}/refund": refund,
    "/orders/{number:int}/cancel": cancel,
    "/clock": move_clock,
    "/faults": switch_fault,
}


def page_routes() -> list[BaseRoute]:
    """Return the routes of the pages."""
    return [
        *(Route(path, shown(render)) for path, render in SHOWN.items()),
        *(Route(path, changed(change), methods=["POST"]) for path, change in CHANGED.items()),
    ]
