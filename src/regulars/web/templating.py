"""Templates: one Jinja environment, strict about missing names, and the attributes htmx needs.

`hx(...)` is the only way a template writes htmx attributes: it adds the nonce without which hx-csp
strips them, and refuses what would need eval.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

TEMPLATE_FOLDER = Path(__file__).parent / "templates"


def create_environment() -> Environment:
    """Build the environment; what belongs to one request is given at rendering."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["pair_number"] = lambda text: (text, "number")
    environment.filters["told_apart"] = told_apart
    environment.filters["coded"] = coded
    return environment


def coded(text: str) -> Markup:
    """Set what a message has between backticks as code, as a terminal would leave it."""
    # The text is escaped first: the tags in here are ours.
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def told_apart(rows: Markup, columns: Sequence[tuple[str, str]]) -> Markup:
    """Write each cell's heading beside it, for windows too narrow for columns.

    The name of a row and its buttons say themselves what they are.
    """
    labels = [
        "" if "shrink" in kind or (place == 0 and "number" not in kind) else escape(text)
        for place, (text, kind) in enumerate(columns)
    ]
    place = 0

    def tell(found: re.Match[str]) -> str:
        nonlocal place
        if found[1] == "tr":
            place = 0
            return found[0]
        label = labels[place] if place < len(labels) else ""
        place += 1
        return f'{found[0]} data-label="{label}"' if label else found[0]

    # Whatever a shop wrote is escaped by now: every tag in here is the template's own.
    return Markup(re.sub(r"<(tr|td|th)\b", tell, rows))  # noqa: S704


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def hx_attributes(nonce: str, **attributes: object) -> Markup:
    """Write htmx attributes with the nonce: get="/x", push_url=True → hx-get, hx-push-url="true".

    A name's underscores become hyphens, a dict is written as JSON. Values that htmx would evaluate
    as code are a mistake.
    """
    written = [f'hx-nonce="{escape(nonce)}"']
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        text = "true" if value is True else _json(value) if isinstance(value, dict) else str(value)
        key = name.strip("_").replace("_", "-")
        if key.startswith("on") or text.lstrip().startswith(("js:", "javascript:")):
            raise ValueError(f"hx-{key} would need eval")
        if key == "trigger" and "[" in text:
            raise ValueError("a trigger filter would need eval")
        written.append(f'hx-{key}="{escape(text)}"')
    return Markup(" ".join(written))  # noqa: S704 - every value above is escaped
