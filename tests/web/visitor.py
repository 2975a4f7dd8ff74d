"""A visitor of the pages, without a browser: follows links and sends forms as they stand.

Things are found by what a person reads: a link by its text, a form by its button, a field by its
label.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import httpx
from fastapi import FastAPI

ORIGIN = "http://127.0.0.1:8401"
_VOID = {"input", "link", "meta", "br", "hr", "img", "path", "circle", "rect"}


@dataclass
class Node:
    """One element with what is inside."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None = None
    parts: list[Node | str] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator[Node]:
        for part in self.parts:
            if isinstance(part, Node):
                if not tags or part.tag in tags:
                    yield part
                yield from part.all(*tags)

    @property
    def text(self) -> str:
        joined = "".join(part if isinstance(part, str) else part.text for part in self.parts)
        return " ".join(joined.split())

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root", {})
        self._here = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self._here)
        self._here.parts.append(node)
        if tag not in _VOID:
            self._here = node

    def handle_endtag(self, tag: str) -> None:
        node = self._here
        while node.parent is not None and node.tag != tag:
            node = node.parent
        if node.parent is not None:
            self._here = node.parent

    def handle_data(self, data: str) -> None:
        self._here.parts.append(data)


def read_html(text: str) -> Node:
    reader = _Reader()
    reader.feed(text)
    return reader.root


@dataclass
class Page:
    """One answer."""

    status: int
    url: str
    headers: httpx.Headers
    body: str

    @property
    def root(self) -> Node:
        return read_html(self.body)

    @property
    def text(self) -> str:
        return self.root.text

    @property
    def heading(self) -> str:
        return next(self.root.all("h1")).text

    def link(self, text: str) -> str:
        found = [one.get("href") for one in self.root.all("a") if one.text == text]
        assert found, f"no link {text!r}"
        return found[0]

    def form(self, button: str) -> Node:
        for form in self.root.all("form"):
            if any(one.text == button for one in form.all("button")):
                return form
        raise AssertionError(f"no form with the button {button!r}")

    def field_problem(self, label: str) -> str:
        """Return what stands beside the field of this label as its problem."""
        control = _labelled(self.root, label)
        named = control.get("aria-describedby").split()
        return " ".join(one.text for one in self.root.all() if one.get("id") in named)


class Visitor:
    """A browser without script that keeps cookies."""

    def __init__(self, app: FastAPI, language: str = "en") -> None:
        self._transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 5000))
        self.cookies = httpx.Cookies()
        self._language = language

    def ask(
        self, method: str, address: str, *, content: bytes | None = None, **headers: str
    ) -> Page:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self._transport, base_url=ORIGIN, cookies=self.cookies
            ) as client:
                answer = await client.request(method, address, content=content, headers=sent)
                self.cookies = client.cookies
                return answer

        sent = {"accept-language": self._language}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = asyncio.run(send())
        return Page(answer.status_code, str(answer.url), answer.headers, answer.text)

    def get(self, address: str, **headers: str) -> Page:
        """Open a page, following redirects."""
        return self._followed(self.ask("GET", address, **headers))

    def post(self, address: str, fields: dict[str, str], **headers: str) -> Page:
        """Send a form's fields as a browser does."""
        sent = {
            "sec_fetch_site": "same-origin",
            "content_type": "application/x-www-form-urlencoded",
        }
        page = self.ask("POST", address, content=urlencode(fields).encode(), **(sent | headers))
        return self._followed(page)

    def press(self, page: Page, button: str, **typed: str) -> Page:
        """Send the form of a button; `typed` fields are named by their labels, _ for spaces."""
        form = page.form(button)
        fields = form_fields(form)
        for label, value in typed.items():
            control = _labelled(form, label.replace("_", " "))
            fields[control.get("name")] = value
        pressed = next(one for one in form.all("button") if one.text == button)
        if pressed.get("name"):
            fields[pressed.get("name")] = pressed.get("value")
        address = urljoin(page.url, pressed.get("formaction") or form.get("action"))
        if form.get("method") == "get":
            return self.get(f"{address}?{urlencode(fields)}")
        return self.post(address, fields)

    def sign_in(self, token: str) -> Page:
        """Use a one-time link."""
        return self.press(self.get(f"/sign-in/{token}"), "Continue")

    def _followed(self, page: Page) -> Page:
        while page.status in {302, 303}:
            page = self.ask("GET", urljoin(page.url, page.headers["location"]))
        return page


def form_fields(form: Node) -> dict[str, str]:
    fields: dict[str, str] = {}
    for one in form.all("input", "select", "textarea"):
        name = one.get("name")
        if not name or "disabled" in one.attributes:
            continue
        if one.tag == "select":
            options = list(one.all("option"))
            chosen = [option for option in options if "selected" in option.attributes]
            fields[name] = (chosen or options)[0].get("value")
        elif one.tag == "textarea":
            fields[name] = "".join(part for part in one.parts if isinstance(part, str))
        elif one.get("type") not in {"checkbox", "radio"} or "checked" in one.attributes:
            fields[name] = one.get("value", "on" if one.get("type") == "checkbox" else "")
    return fields


def _labelled(root: Node, label: str) -> Node:
    for one in root.all("label"):
        if one.text == label or one.text.startswith(label):
            wanted = one.get("for")
            for control in root.all("input", "select", "textarea"):
                if wanted and control.get("id") == wanted:
                    return control
    raise AssertionError(f"no field {label!r}")
