"""Make the pretend Shopify's schema: the part of Shopify's Admin schema that our documents touch.

Reads introspection files as npm package @shopify/dev-mcp ships them (ISC licence), keeps the fields
that the given documents and `NEIGHBOURS` select with all their arguments, drops descriptions, and
writes SDL. Older versions become a list of what they lack. Nothing is invented and nothing renamed.

    python scripts/trim_schema.py admin_2026-10.json.gz --older admin_2026-07.json.gz \
        --documents src/regulars/shopify/documents
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import re
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    Node,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    parse,
    print_ast,
    print_schema,
    validate,
    visit,
)

Json = dict[str, Any]
FOLDER = Path(__file__).parents[1] / "src/regulars/simulator"
#: Types that carry an enum or input of more than our own use are kept whole; these are always kept.
ROOTS = ("QueryRoot", "Mutation")

#: Fields beside those of our documents: what a reader of the same objects asks for next.
NEIGHBOURS = """
query Neighbours($id: ID!, $n: Int!, $query: String) {
  customer(id: $id) {
    legacyResourceId canDelete multipassIdentifier taxExempt
    defaultPhoneNumber {
      marketingCollectedFrom
      smsMarketingConsent { state optInLevel updatedAt collectedFrom }
    }
    defaultAddress { address1 address2 company firstName lastName name phone }
    orders(first: $n) { edges { node { id } } nodes { id name } pageInfo { hasNextPage } }
    metafield(namespace: "a", key: "b") { id value type createdAt updatedAt namespace key }
    metafields(first: $n) { edges { cursor } nodes { id } pageInfo { hasNextPage endCursor } }
    storeCreditAccounts(first: $n) {
      nodes {
        id
        balance { amount currencyCode }
        transactions(first: $n) {
          nodes {
            amount { amount currencyCode }
            createdAt
            ... on StoreCreditAccountCreditTransaction {
              id expiresAt remainingAmount { amount currencyCode }
            }
          }
          pageInfo { hasNextPage endCursor }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
  order(id: $id) {
    legacyResourceId email phone note confirmed tags closedAt
    originalTotalPriceSet { shopMoney { amount } }
    transactions(first: $n) {
      id kind status gateway processedAt createdAt amountSet { shopMoney { amount } }
    }
    customerJourneySummary {
      ready customerOrderIndex daysToConversion
      firstVisit { id landingPage referrerUrl source sourceType occurredAt
        utmParameters { source medium campaign content term } }
      lastVisit { id landingPage referrerUrl source sourceType occurredAt
        utmParameters { source medium campaign content term } }
    }
    lineItems(first: $n) { edges { cursor node { id variantTitle } } pageInfo { hasNextPage } }
    retailLocation { id name }
    refunds { id legacyResourceId note updatedAt
      refundLineItems(first: $n) { edges { node { id } } } }
  }
  orders(first: $n, query: $query) { pageInfo { hasPreviousPage startCursor } }
  customers(first: $n, query: $query) { edges { cursor node { id } } }
  products(first: $n) { edges { cursor node { id } } }
  product(id: $id) {
    id category { id name fullName } collections(first: $n) { nodes { id title handle } }
    variants(first: $n) { edges { cursor } }
  }
  ordersCount(query: $query) { count precision }
  productsCount(query: $query) { count precision }
  abandonedCheckouts(first: $n, query: $query) {
    nodes { id createdAt updatedAt completedAt customer { id } }
    edges { cursor node { id } }
    pageInfo { hasNextPage endCursor }
  }
  webhookSubscription(id: $id) { id topic uri }
  webhookSubscriptionsCount { count precision }
  bulkOperation(id: $id) { query }
  metafieldDefinitions(first: $n, ownerType: CUSTOMER) { edges { cursor node { id } } }
  segments(first: $n) { edges { cursor node { id } } }
  app { id title apiKey handle }
}
"""


class Fields(Visitor):
    """Collect (type, field) of every selection, and the types reached."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.seen: set[tuple[str, str]] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Note one selected field."""
        parent = self.info.get_parent_type()
        if parent is not None and not node.name.value.startswith("__"):
            self.seen.add((parent.name, node.name.value))


def read_introspection(path: Path) -> Json:
    """Return the `__schema` part of an introspection file, gzipped or not."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    answer = json.loads(raw)
    schema: Json = answer.get("data", answer)["__schema"]
    return schema


def documents_of(folders: list[Path]) -> dict[str, DocumentNode]:
    """Parse every document below the folders; a fragment may stand in another file."""
    paths = [path for folder in folders for path in sorted(folder.rglob("*.graphql"))]
    documents = {str(path): parse(path.read_text(encoding="utf-8")) for path in paths}
    fragments = {
        definition.name.value: definition
        for document in documents.values()
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    return {name: completed(document, fragments) for name, document in documents.items()}


def completed(document: DocumentNode, fragments: dict[str, FragmentDefinitionNode]) -> DocumentNode:
    """Add the fragments that a document spreads and does not hold."""
    definitions = list(document.definitions)
    own = {d.name.value for d in definitions if isinstance(d, FragmentDefinitionNode)}
    for definition in definitions:
        for name in spreads(definition):
            if name not in own and name in fragments:
                own.add(name)
                definitions.append(fragments[name])
    return DocumentNode(definitions=tuple(definitions))


def spreads(node: Node) -> list[str]:
    """Name the fragments spread inside a definition."""
    return re.findall(r"\.\.\.\s*(?!on\b)([A-Za-z_]\w*)", print_ast(node))


def selected(schema: GraphQLSchema, documents: dict[str, DocumentNode]) -> set[tuple[str, str]]:
    """Return the (type, field) pairs that the documents select; a wrong document ends the run."""
    found: set[tuple[str, str]] = set()
    for name, document in documents.items():
        # Bulk documents have no page sizes, which the schema allows: `first` is optional there.
        if all(isinstance(part, FragmentDefinitionNode) for part in document.definitions):
            continue
        problems = validate(schema, document)
        if problems:
            raise SystemExit(f"{name}: {problems[0].message}")
        info = TypeInfo(schema)
        fields = Fields(info)
        visit(document, TypeInfoVisitor(info, fields))
        found |= fields.seen
    return found


def named(ref: Json) -> str:
    """Return the name under the list and non-null wrappers of a type reference."""
    while ref["ofType"] is not None:
        ref = ref["ofType"]
    return str(ref["name"])


class Trimmer:
    """Keep what is reached from the selected fields, and nothing else."""

    def __init__(self, schema: Json, chosen: set[tuple[str, str]]) -> None:
        self.types: dict[str, Json] = {t["name"]: t for t in schema["types"]}
        self.chosen = chosen
        self.kept: dict[str, Json] = {}

    def interfaces(self, kind: Json) -> list[Json]:
        """Keep Node and the interfaces of which a field is selected."""
        owners = {owner for owner, _ in self.chosen} | {"Node"}
        return [ref for ref in kind.get("interfaces") or [] if ref["name"] in owners]

    def fields(self, kind: Json) -> list[Json]:
        """Keep the selected fields, and those that a kept interface asks for."""
        owners = {kind["name"], *(ref["name"] for ref in self.interfaces(kind))}
        wanted = {field for owner, field in self.chosen if owner in owners}
        # Pages and ids are asked for in many ways; a connection is kept with all of them.
        if kind["name"].endswith(("Connection", "Edge")):
            wanted |= {"edges", "nodes", "pageInfo", "cursor", "node"}
        wanted.add("id")
        return [trimmed(field) for field in kind["fields"] if field["name"] in wanted]

    def keep(self, name: str) -> None:
        """Keep one type and everything its kept part refers to."""
        if name in self.kept:
            return
        kind = dict(self.types[name], description=None)
        self.kept[name] = kind
        if kind["kind"] in {"OBJECT", "INTERFACE"}:
            kind["interfaces"] = self.interfaces(kind)
            kind["fields"] = self.fields(kind)
            for field in kind["fields"]:
                self.keep_refs([field, *field["args"]])
            for ref in kind["interfaces"]:
                self.keep(ref["name"])
        if kind["kind"] == "INPUT_OBJECT":
            kind["inputFields"] = [trimmed(field) for field in kind["inputFields"]]
            self.keep_refs(kind["inputFields"])
        if kind["kind"] == "ENUM":
            kind["enumValues"] = [dict(v, description=None) for v in kind["enumValues"]]

    def keep_refs(self, owners: list[Json]) -> None:
        """Keep the types that fields, arguments or input fields refer to."""
        for owner in owners:
            self.keep(named(owner["type"]))

    def finish(self) -> list[Json]:
        """Keep the selected types too, then cut interfaces and unions down to kept members."""
        for owner in sorted({owner for owner, _ in self.chosen}):
            self.keep(owner)
        for kind in self.kept.values():
            if kind.get("possibleTypes"):
                kind["possibleTypes"] = [
                    ref for ref in kind["possibleTypes"] if ref["name"] in self.kept
                ]
        return [self.kept[name] for name in sorted(self.kept)]


def trimmed(field: Json) -> Json:
    """Drop descriptions and Shopify's extra keys from a field or an argument."""
    keys = ("name", "type", "defaultValue", "isDeprecated", "deprecationReason")
    lean = {key: field.get(key) for key in keys} | {"description": None}
    if "args" in field:
        lean["args"] = [trimmed(argument) for argument in field["args"]]
    if lean["deprecationReason"] is not None:
        # One line is enough to know; the sentence itself is Shopify's documentation.
        lean["deprecationReason"] = "See Shopify's reference."
    return lean


def trim(path: Path, folders: list[Path]) -> GraphQLSchema:
    """Return the trimmed schema of one introspection file."""
    whole = read_introspection(path)
    schema = build_client_schema({"__schema": whole})
    documents = documents_of(folders) | {"NEIGHBOURS": parse(NEIGHBOURS)}
    types = Trimmer(whole, selected(schema, documents)).finish()
    builtin = [t for t in whole["types"] if t["name"].startswith("__")]
    directives = [
        dict(d, description=None, args=[trimmed(a) for a in d["args"]]) for d in whole["directives"]
    ]
    lean = dict(whole, types=[*types, *builtin], directives=directives, subscriptionType=None)
    return build_client_schema({"__schema": lean})


def absent(newer: GraphQLSchema, older: Json) -> list[str]:
    """Name the kept fields, arguments and enum values that an older version does not have."""
    types = {t["name"]: t for t in older["types"]}
    missing: list[str] = []
    for name, kind in newer.type_map.items():
        if name.startswith("__"):
            continue
        if name not in types:
            missing.append(name)
            continue
        old = types[name]
        for part in ("fields", "inputFields", "enumValues"):
            names = {entry["name"] for entry in old.get(part) or []}
            own = getattr(kind, "values" if part == "enumValues" else "fields", {})
            if names:
                missing += [f"{name}.{entry}" for entry in own if entry not in names]
    return missing


def main() -> None:
    """Write schema.graphql and the lists of what older versions lack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("introspection", type=Path)
    parser.add_argument("--older", type=Path, action="append", default=[])
    parser.add_argument("--documents", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    schema = trim(options.introspection, options.documents)
    note = (
        "# Cut from Shopify's Admin GraphQL schema by scripts/trim_schema.py.\n"
        "# ISC licence: see SCHEMA_LICENSE.\n"
    )
    text = note + print_schema(schema) + "\n"
    options.out.joinpath("schema.graphql").write_text(text, encoding="utf-8")
    for path in options.older:
        version = path.name.removeprefix("admin_").split(".")[0]
        lines = absent(schema, read_introspection(path))
        target = options.out / f"absent_in_{version}.txt"
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
        logging.getLogger("trim_schema").warning("%s lacks %d entries", version, len(lines))
    fields = sum(len(getattr(t, "fields", {})) for t in schema.type_map.values())
    logging.getLogger("trim_schema").warning(
        "kept %d types, %d fields", len(schema.type_map), fields
    )


if __name__ == "__main__":
    main()
