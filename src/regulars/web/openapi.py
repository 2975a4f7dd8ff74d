"""The API's description: OpenAPI with problem details and keys, and the page docs/api.md.

`python -m regulars.web.openapi` writes the page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from regulars.web.routes import routers

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A stable lowercase word."},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemError"}},
        "request_id": {"type": "string"},
    },
    "examples": [
        {
            "type": "about:blank",
            "title": "This page does not exist",
            "status": 404,
            "code": "no_shop",
            "detail": 'There is no shop "tea". List them with: regulars shops list',
            "errors": [
                {
                    "code": "no_shop",
                    "message": 'There is no shop "tea". List them with: regulars shops list',
                    "field": "shop",
                }
            ],
            "request_id": "5f3c0d9a1b2e",
        }
    ],
}
PROBLEM_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        **{name: {"type": "string"} for name in ("field", "suggestion")},
        **{name: {"type": "integer"} for name in ("row", "line", "column", "start", "length")},
    },
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A text of your own for this request. Sent again within a day, the same request "
    "gets the same answer and is done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
METHODS = ("get", "post", "put", "patch", "delete")

HEAD = """# API

Written by `python -m regulars.web.openapi` from the routes; do not edit by hand.

Everything is under `/api/v1`; the whole description is at `/api/v1/openapi.json`. Send a key of the
shop (Settings, API keys) as `Authorization: Bearer KEY`. A key with the scope *read* reads
definitions and counts, *customers* also who the customers are, *write* also changes.

* Errors are `application/problem+json` with a stable `code` and one entry in `errors` for each
  thing that is wrong, with its place.
* Nothing is passed over: a parameter or a field that an address does not know is refused by name.
* Lists that may be long have `next`; give it back as `cursor` for the next page, until it is null.
* `POST` takes `Idempotency-Key`: the same key again within a day gets the first answer.
* What is sent and answered is described under Shapes, at the end.
"""


def install(app: FastAPI) -> None:
    """Let the app describe itself as it is."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = description(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def description(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document."""
    told = get_openapi(
        title=app.title,
        version=app.version,
        description="Customer segments for Shopify stores.",
        routes=app.routes,
    )
    parts = told.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {"Problem": PROBLEM, "ProblemError": PROBLEM_ERROR}
    parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    told["security"] = [{"key": []}]
    for _path, method, operation in operations(told):
        operation["responses"].pop("422", None)
        operation["responses"]["default"] = {
            "description": "What is wrong, and where",
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        if method == "post":
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    return told


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and description of each operation."""
    for path, item in told["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def page() -> str:
    """Return docs/api.md."""
    from regulars.web import api

    app = FastAPI(title="Regulars")
    for router in routers(api):
        app.include_router(router, prefix="/api/v1")
    told = description(app)
    sections = [_section(*one) for one in operations(told)]
    shapes = [
        _shape(name, schema) for name, schema in sorted(told["components"]["schemas"].items())
    ]
    return HEAD + "".join([*sections, "\n## Shapes\n", *shapes])


def _section(path: str, method: str, operation: dict[str, Any]) -> str:
    lines = [f"\n## `{method.upper()} {path}`\n", operation.get("description", "").strip(), ""]
    for one in operation.get("parameters", []):
        if one["in"] == "query":
            needed = "needed" if one.get("required") else "optional"
            lines.append(f"* `{one['name']}` ({needed})")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name:
        lines.append(f"* Body: `{name}`")
    if (answer := _answer(operation)) != "any":
        lines.append(f"* Answer: {answer}")
    return "\n".join(lines).rstrip() + "\n"


def _answer(operation: dict[str, Any]) -> str:
    """Return the shape of what is answered when all is well."""
    good = [one for status, one in operation["responses"].items() if status.startswith("2")]
    content = good[0].get("content", {}) if good else {}
    return _type(content.get("application/json", {}).get("schema", {}))


def _shape(name: str, schema: dict[str, Any]) -> str:
    lines = [f"\n### `{name}`\n"]
    if said := schema.get("description", "").strip():
        lines += [said, ""]
    needed = schema.get("required", ())
    for field, one in schema.get("properties", {}).items():
        optional = "" if field in needed else ", optional"
        said = one.get("description", "")
        lines.append(f"* `{field}` ({_type(one)}{optional})" + (f": {said}" if said else ""))
    return "\n".join(lines).rstrip() + "\n"


def _type(schema: dict[str, Any]) -> str:
    """Return a schema's type in words: "list of `OrderOut`", "text or null"."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "string":
        return {"date": "day", "date-time": "instant"}.get(schema.get("format", ""), "text")
    return str(kind)


if __name__ == "__main__":
    sys.stdout.write(page())
