"""The reference page of the language, written from the catalogue.

`python -m regulars.language.reference docs/language.md` writes it; a test compares the page with
what this module makes, so that the two cannot part.
"""

from __future__ import annotations

import sys
from pathlib import Path

from regulars.language.catalogue import (
    CATALOGUE,
    Attribute,
    Kind,
    NamedSet,
    ParameterRow,
    Role,
    Unavailable,
)
from regulars.language.limits import (
    DEPTH_MAX,
    LIST_MAX,
    NODES_MAX,
    SHOPIFY_CLAUSES_MAX,
    SHOPIFY_TEXT_MAX,
    TEXT_MAX,
)
from regulars.language.parser import parse
from regulars.language.printer import print_query
from regulars.language.sentences import describe
from regulars.language.tree import Operator

_HEAD = Path(__file__).with_name("reference_head.md")

_PARAMETERS = (
    "All parameters may be left out; those given must all hold. A parameter stands once between"
    " the brackets. Parameters marked * are ours and cannot be written to Shopify."
)
_NAMED_PASTS = {
    "segment": "known for past days where the rule of that segment is",
    "csv_list": "known for past days since the list was made",
}
_KIND_NAMES = {
    Kind.TEXT: "text",
    Kind.ENUM: "one of its values",
    Kind.INTEGER: "whole number",
    Kind.DECIMAL: "number",
    Kind.MONEY: "amount",
    Kind.DAY: "day",
    Kind.ID: "ID",
    Kind.TEXT_LIST: "list of texts",
    Kind.ID_LIST: "list of IDs",
    Kind.METAFIELD: "by the metafield's type",
    Kind.FUNCTION: "function",
    Kind.ANNIVERSARY: "day, year left out",
    Kind.POINT: "point",
    Kind.NAME: "name",
}


def page() -> str:
    """Return the whole page as Markdown."""
    rows = list(CATALOGUE.values())
    ours = [row for row in rows if not row.in_shopify]
    functions = [row for row in rows if row.in_shopify and row.is_function]
    attributes = [row for row in rows if row.in_shopify and not row.is_function]
    parts = [
        _HEAD.read_text(encoding="utf-8") + "\n".join(_limits()),
        "## Attributes",
        *(_section(row) for row in attributes),
        "## Functions",
        _PARAMETERS,
        *(_section(row) for row in functions),
        "## Beyond Shopify",
        "Names of ours in the same style. They cannot be written to Shopify.",
        *(_section(row) for row in ours),
    ]
    return "\n\n".join(parts) + "\n"


def _limits() -> list[str]:
    return [
        f"| characters of a query | {TEXT_MAX:,} | |",
        f"| conditions and groups | {NODES_MAX} | |",
        f"| brackets one inside another | {DEPTH_MAX} | |",
        f"| values in a list | {LIST_MAX} | |",
        f"| conditions, when written to Shopify | {SHOPIFY_CLAUSES_MAX} | Shopify's own limit |",
        f"| characters, when written to Shopify | {SHOPIFY_TEXT_MAX:,} | Shopify's own limit |",
    ]


def _section(row: Attribute) -> str:
    tree = parse(row.example, evaluable=False)
    lines = [
        f"### {row.name}",
        "",
        f"{row.label_en} · {row.label_ja}. {row.meaning_en}",
        "",
        f"* compared with: {_KIND_NAMES[row.kind]}"
        + (f" ({', '.join(f'`{value}`' for value in row.values)})" if row.values else ""),
        f"* operators: {_operators(row.operators)}",
        f"* example: `{print_query(tree)}`: {describe(tree, 'en')} · {describe(tree, 'ja')}",
        f"* {_past(row)}",
        *(f"* {note}" for note in row.notes),
    ]
    if isinstance(row.source, Unavailable):
        lines.append(f"* **not evaluated**: {row.source.reason}")
    if row.parameters:
        lines += ["", "| parameter | compared with | operators | meaning |", "|---|---|---|---|"]
        lines += [_parameter(known) for known in row.parameters]
    return "\n".join(lines)


def _past(row: Attribute) -> str:
    if isinstance(row.source, Unavailable):
        return "known only to Shopify"
    missing = "never missing" if row.never_missing else "may be missing"
    past = "known as of now; past days take that value"
    if row.past_known:
        past = "known for past days"
    elif isinstance(row.source, NamedSet):
        past = _NAMED_PASTS[row.source.of]
    return f"{missing}; {past}"


def _operators(operators: frozenset[Operator]) -> str:
    return " ".join(f"`{one}`" for one in Operator if one in operators)


def _parameter(known: ParameterRow) -> str:
    star = "" if known.in_shopify else " *"
    role = {Role.COUNT: " (counted)", Role.SUM: " (added up)"}.get(known.role, "")
    return (
        f"| `{known.name}`{star} | {_KIND_NAMES[known.kind]}{role}"
        f" | {_operators(known.operators)} | {known.meaning_en} |"
    )


def main() -> None:
    """Write the page to the path given, or to docs/language.md."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/language.md")
    path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
