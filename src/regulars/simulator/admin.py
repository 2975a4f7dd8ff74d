"""The pretend admin: a page that frames the app, hands it session tokens, and takes it off again.

Its App Bridge does what pages rely on: it gives a token when asked, adds one to what the page
fetches from its own address, and comes back from a bounce page with a fresh one.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from regulars.simulator.pages import FOLDER
from regulars.simulator.simulator import Simulator

ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

BRIDGE = """"use strict";
(() => {
  const waiting = new Map();
  let number = 0;
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !event.data || !waiting.has(event.data.asked)) return;
    waiting.get(event.data.asked)(event.data.token);
    waiting.delete(event.data.asked);
  });
  const idToken = () => new Promise((resolve) => {
    number += 1;
    waiting.set(number, resolve);
    window.parent.postMessage({ asked: number }, "*");
  });
  window.shopify = { idToken };
  const plain = window.fetch.bind(window);
  window.fetch = async (input, init = {}) => {
    const address = new URL(input instanceof Request ? input.url : input, location.href);
    if (address.origin !== location.origin) return plain(input, init);
    const headers = new Headers(init.headers || (input instanceof Request ? input.headers : {}));
    headers.set("Authorization", `Bearer ${await idToken()}`);
    return plain(input, { ...init, headers });
  };
  const back = new URL(location.href).searchParams.get("shopify-reload");
  if (back) idToken().then((token) => {
    const address = new URL(back);
    address.searchParams.set("id_token", token);
    location.replace(address.href);
  });
})();
"""

ADMIN = """"use strict";
window.addEventListener("message", async (event) => {
  const frame = document.querySelector("iframe");
  if (!frame || event.source !== frame.contentWindow || !event.data || !event.data.asked) return;
  const answer = await (await fetch("/app-token")).json();
  frame.contentWindow.postMessage({ asked: event.data.asked, token: answer.token }, event.origin);
});
"""


def _simulator(request: Request) -> Simulator:
    simulator: Simulator = request.app.state.simulator
    return simulator


def show(request: Request) -> Response:
    """Show the app inside the admin."""
    simulator = _simulator(request)
    query = simulator.tokens.install_query(host="YWRtaW4", embedded="1", locale="en")
    source = ""
    if simulator.app_url:
        # A page of the app may be asked for by hand, to see it framed.
        token = simulator.tokens.session_token()
        source = f"{simulator.app_url}/embedded?{query}&id_token={token}"
    text = ENVIRONMENT.get_template("admin.html").render(
        shop=simulator.shop, source=source, now_text="", notice="", problem=""
    )
    parts = urlsplit(simulator.app_url)
    frames = f"{parts.scheme}://{parts.netloc}" if simulator.app_url else "'none'"
    policy = (
        f"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        f"frame-src {frames}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return HTMLResponse(text, headers=headers)


def give_token(request: Request) -> Response:
    """Give a fresh session token, as the admin does when App Bridge asks."""
    return JSONResponse(
        {"token": _simulator(request).tokens.session_token()}, headers={"Cache-Control": "no-store"}
    )


def take_off(request: Request) -> Response:
    """Take the app off this shop: its tokens die, and it is told."""
    simulator = _simulator(request)
    simulator.tokens.revoke()
    simulator.shop.tell("app/uninstalled", None)
    return RedirectResponse("/app", status_code=303)


def _script(text: str) -> Response:
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-store"})


def admin_routes() -> list[BaseRoute]:
    """Return the routes of the admin."""
    return [
        Route("/app", show),
        Route("/app-token", give_token),
        Route("/app/removal", take_off, methods=["POST"]),
        Route("/app-bridge.js", lambda _request: _script(BRIDGE)),
        Route("/admin.js", lambda _request: _script(ADMIN)),
    ]
