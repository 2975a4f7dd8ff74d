"""regulars demo, simulate: everything on this machine, with a pretend Shopify."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.cli import terminal
from regulars.errors import InputError, problem

if TYPE_CHECKING:
    from regulars.bootstrap.serving import Serving

Customers = Annotated[int, typer.Option(min=1, envvar="N", help="Customers of the shop.")]
Port = Annotated[int, typer.Option(min=0, max=65534, envvar="PORT", help="Port to answer on.")]

#: What a home folder may hold; anything else is not ours to remove.
HOME_NAMES = {"office.db", "office.db-wal", "office.db-shm", "shops", "imports", "lock", "run.json"}
HOME_NAMES |= {"secret.key", "uploads", "backups"}


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(demo)
    app.command()(simulate)


def simulate(
    customers: Customers = 10_000,
    port: Port = 8400,
    *,
    seed: Annotated[int, typer.Option(help="Another seed makes another shop.")] = 7,
    currency: Annotated[str, typer.Option(help="The shop's currency.")] = "JPY",
    zone: Annotated[str, typer.Option(help="The shop's time zone.")] = "Asia/Tokyo",
    rate: Annotated[float, typer.Option(min=1, help="Points per second of the API.")] = 100.0,
    webhook: Annotated[
        str | None, typer.Option(help="Address that every webhook is sent to from the start.")
    ] = None,
) -> None:
    """Start a pretend Shopify with a generated shop, to connect an app to."""
    from regulars.bootstrap.serving import bind
    from regulars.simulator.serve import PretendShop, open_app, served

    bound = bind("127.0.0.1", port)
    terminal.tell(f"Making a shop with {customers:,} customers ...")
    made = open_app(PretendShop(customers, seed, currency, zone, rate, webhook))
    with served(made, bound) as shopify:
        shop = shopify.simulator.shop
        terminal.tell(f"The pretend Shopify answers on {shopify.url} as {shop.domain}")
        _until_stopped()


def demo(
    customers: Customers = 10_000,
    port: Port = 8400,
    browser: Annotated[
        str, typer.Option(envvar="BROWSER", help='"no": do not open a browser.')
    ] = "yes",
    home: Annotated[Path, typer.Option(help="Folder of the demo's data.")] = Path(".demo"),
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            envvar="KEEP",
            help="Keep what was made here; the pretend shop itself begins anew.",
        ),
    ] = False,
) -> None:
    """Start a pretend Shopify and the app on it, loaded and ready to look at."""
    from pydantic import SecretStr

    from regulars import bootstrap
    from regulars.bootstrap.serving import bind, free_port, serving
    from regulars.settings import Settings
    from regulars.simulator.serve import PretendShop, open_app, served
    from regulars.simulator.simulator import DEMO_TOKEN

    with bind("127.0.0.1", port) as tried:
        app_port = tried.getsockname()[1]
    if not keep:
        _clear(home)
    bound = bind("127.0.0.1", free_port("127.0.0.1", app_port + 1))
    terminal.tell(f"Making a shop with {customers:,} customers ...")
    made = open_app(PretendShop(customers))
    with contextlib.ExitStack() as stack:
        shopify = stack.enter_context(served(made, bound))
        tokens = shopify.simulator.tokens
        settings = Settings(
            home=home,
            port=app_port,
            public_url=f"http://127.0.0.1:{app_port}",
            api_key=tokens.client_id,
            api_secret=SecretStr(tokens.client_secret),
            simulator_url=shopify.url,
        )
        runtime = stack.enter_context(
            bootstrap.open_runtime(settings=settings, clock=shopify.simulator.clock)
        )
        app = stack.enter_context(serving(runtime, host="127.0.0.1", port=app_port))
        shopify.simulator.app_url = settings.address
        shop = app.connect(shopify.simulator.shop.domain, DEMO_TOKEN)
        stack.enter_context(app.in_background())
        _load(app, shop)
        _welcome(app, shopify.url, browser)
        _until_stopped()
    terminal.tell("Stopped.")


def _load(app: Serving, shop: str) -> None:
    """Wait until the shop is loaded."""
    with terminal.progress("Loading") as seen:
        while True:
            job = app.loading(shop)
            seen(job)
            if job["state"] == "given_up":
                text = "The shop could not be loaded: {reason}"
                raise InputError(problem("demo_not_loaded", text, reason=job["problem"]))
            if job["state"] == "succeeded":
                return
            threading.Event().wait(0.1)


def _welcome(app: Serving, shopify_url: str, browser: str) -> None:
    from regulars.bootstrap.serving import sign_in_link

    link = sign_in_link(app.runtime, app.url)
    terminal.tell("")
    terminal.tell(f"Regulars:           {app.url}")
    terminal.tell(f"Pretend Shopify:    {shopify_url}")
    terminal.tell(f"Sign in (once):     {link}")
    terminal.tell("Ctrl-C stops both.")
    if browser.lower() not in {"no", "0", "false"}:
        open_browser(link)


def open_browser(link: str) -> None:
    """Open a link in the person's browser; where there is none this does nothing."""
    # To Python the variable names a program, and a program called "yes" repeats the link for ever.
    if os.environ.get("BROWSER", "").lower() in {"yes", "1", "true"}:
        del os.environ["BROWSER"]
    webbrowser.open(link)


def _until_stopped() -> None:
    """Wait for Ctrl-C or for the word of whoever started us."""
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _setting(stopped))
    while not stopped.wait(1.0):
        pass


def _setting(stopped: threading.Event) -> Callable[[int, Any], None]:
    return lambda _signal, _frame: stopped.set()


def _clear(home: Path) -> None:
    """Empty the folder of an earlier demo; refuse a folder that holds anything else."""
    if not home.exists():
        return
    other = [entry.name for entry in home.iterdir() if entry.name not in HOME_NAMES]
    if other:
        text = (
            "{home} holds more than a demo ({other}), so it is left alone. "
            "Name another folder with --home."
        )
        raise InputError(problem("not_a_demo", text, home=home, other=", ".join(sorted(other)[:3])))
    shutil.rmtree(home)
