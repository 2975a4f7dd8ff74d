"""Which documents the bulk operations refuse, in Shopify's words."""

from __future__ import annotations

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    parse,
    validate,
)

from regulars.simulator.plan import is_list

QUERY_BYTES_MAX = 65_535
CONNECTIONS_MAX = 5
DEPTH_MAX = 2


class BulkRefusedError(Exception):
    """The document cannot run in bulk; the text is the message of the user error."""


def read_bulk_document(text: str, schema: GraphQLSchema) -> DocumentNode:
    """Parse and check a document for running in bulk; raises BulkRefusedError."""
    if len(text.encode()) > QUERY_BYTES_MAX:
        raise BulkRefusedError("Query is too large. It cannot exceed 65535 bytes.")
    try:
        document = parse(text)
    except GraphQLError as problem:
        ending = "unexpected end of file" if "<EOF>" in problem.message else problem.message
        raise BulkRefusedError(f"Invalid bulk query: syntax error, {ending}") from None
    problems = validate(schema, document)
    if problems:
        raise BulkRefusedError(f"Invalid bulk query: {problems[0].message}")
    return document


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    """Return the first operation of a document."""
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            return definition
    raise BulkRefusedError("Invalid bulk query: syntax error, unexpected end of file")


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments of a document by name."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def check_bulk_query(text: str, schema: GraphQLSchema) -> DocumentNode:
    """Check a bulk query by every recorded rule; raises BulkRefusedError."""
    document = read_bulk_document(text, schema)
    operation = operation_of(document)
    if operation.operation != OperationType.QUERY:
        raise BulkRefusedError("Invalid operation type. Only `query` operations are supported.")
    checker = Checker(schema, fragments_of(document))
    for node in checker.fields(operation):
        if node.name.value in {"node", "nodes"}:
            raise BulkRefusedError(
                f"Bulk queries cannot contain a top level `{node.name.value}` field."
            )
        checker.check(node, schema.query_type, depth=0, in_list=False, parent=None)
    if not checker.connections:
        raise BulkRefusedError("Bulk queries must contain at least one connection.")
    if checker.connections > CONNECTIONS_MAX:
        raise BulkRefusedError(
            f"Bulk queries cannot contain more than {CONNECTIONS_MAX} connections."
        )
    if checker.without_id:
        names = ", ".join(checker.without_id)
        raise BulkRefusedError(
            "The parent 'node' field for a nested connection must select the 'id' field without an "
            f"alias and must be of 'ID' return type. Connection fields without 'id': {names}."
        )
    return document


class Checker:
    """Walks a query and counts what the rules speak about."""

    def __init__(self, schema: GraphQLSchema, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.schema = schema
        self.fragments = fragments
        self.connections = 0
        self.without_id: list[str] = []

    def fields(self, node: Any) -> list[FieldNode]:
        """Return the fields below a node, through fragments."""
        found: list[FieldNode] = []
        for selection in node.selection_set.selections if node.selection_set else ():
            if isinstance(selection, FieldNode):
                found.append(selection)
            elif isinstance(selection, FragmentSpreadNode):
                found += self.fields(self.fragments[selection.name.value])
            elif isinstance(selection, InlineFragmentNode):
                found += self.fields(selection)
        return found

    def check(self, node: FieldNode, owner: Any, *, depth: int, in_list: bool, parent: Any) -> None:
        """Check one field and what is below it; `parent` is the connection around it."""
        definition = getattr(owner, "fields", {}).get(node.name.value)
        if definition is None or node.selection_set is None:
            return
        kind: Any = get_named_type(definition.type)
        if kind.name.endswith("Connection"):
            self.check_connection(node, kind, depth=depth, in_list=in_list, parent=parent)
            return
        listed = in_list or is_list(definition.type)
        for inner in self.fields(node):
            self.check(inner, kind, depth=depth, in_list=listed, parent=parent)

    def check_connection(
        self, node: FieldNode, kind: Any, *, depth: int, in_list: bool, parent: Any
    ) -> None:
        """Check a connection: where it stands, how it is read, and its nodes."""
        self.connections += 1
        if in_list:
            raise BulkRefusedError(
                "Queries that contain a connection field within a list field are not currently "
                "supported."
            )
        if depth >= DEPTH_MAX + 1:
            raise BulkRefusedError(
                f"Bulk queries cannot contain connections with a nesting depth greater than "
                f"{DEPTH_MAX}."
            )
        if parent is not None and parent[1] is False and parent[0] not in self.without_id:
            self.without_id.append(parent[0])
        chosen = self.fields(node)
        if any(inner.name.value == "nodes" for inner in chosen) or not any(
            inner.name.value == "edges" for inner in chosen
        ):
            raise BulkRefusedError(
                "All connection fields in a bulk query must select their contents using "
                "'edges' > 'node', e.g: 'products { edges { node {'."
            )
        edge: Any = get_named_type(kind.fields["edges"].type)
        for edges in (inner for inner in chosen if inner.name.value == "edges"):
            for one in (inner for inner in self.fields(edges) if inner.name.value == "node"):
                below = self.fields(one)
                with_id = any(f.name.value == "id" and f.alias is None for f in below)
                target = get_named_type(edge.fields["node"].type)
                for inner in below:
                    self.check(
                        inner,
                        target,
                        depth=depth + 1,
                        in_list=False,
                        parent=(node.name.value, with_id),
                    )


def check_bulk_mutation(text: str, schema: GraphQLSchema) -> DocumentNode:
    """Check a mutation for running in bulk: one mutation field."""
    document = read_bulk_document(text, schema)
    operation = operation_of(document)
    if operation.operation != OperationType.MUTATION:
        raise BulkRefusedError("Invalid operation type. Only `mutation` operations are supported.")
    if len(operation.selection_set.selections) != 1:
        raise BulkRefusedError("Bulk mutations must contain exactly one mutation.")
    return document
