"""One GraphQL request of the Admin API: read, priced, admitted, carried out, answered.

Answers have Shopify's shapes: HTTP 200 for everything a document can cause, `extensions.cost`
beside `data`, THROTTLED and MAX_COST_EXCEEDED as recorded.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionContext,
    GraphQLError,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    parse,
    validate,
)
from graphql.execution import execute
from graphql.execution.values import get_variable_values

from regulars.simulator.bulk_rules import fragments_of
from regulars.simulator.cost import QUERY_COST_MAX, Pricer
from regulars.simulator.resolvers import customers, mutations, orders, root
from regulars.simulator.resolvers.base import (
    FIELDS,
    PAGE_MAX,
    Source,
    World,
    page,
    refuse,
    resolver_of,
)
from regulars.simulator.resolvers.root import TYPE_NAMES
from regulars.simulator.versions import schema_of

#: Reading these modules fills the table of resolvers.
RESOLVER_MODULES = (customers, mutations, orders, root)
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"
#: Which scope a field of a type needs.
SCOPES: dict[str, str] = {
    "QueryRoot.customers": "read_customers",
    "QueryRoot.customer": "read_customers",
    "QueryRoot.customerByIdentifier": "read_customers",
    "QueryRoot.customersCount": "read_customers",
    "QueryRoot.segments": "read_customers",
    "QueryRoot.segment": "read_customers",
    "QueryRoot.orders": "read_orders",
    "QueryRoot.order": "read_orders",
    "QueryRoot.ordersCount": "read_orders",
    "QueryRoot.abandonedCheckouts": "read_orders",
    "QueryRoot.products": "read_products",
    "QueryRoot.product": "read_products",
    "QueryRoot.productsCount": "read_products",
    "Customer.orders": "read_orders",
    "Customer.lastOrder": "read_orders",
    "Customer.storeCreditAccounts": "read_store_credit_accounts",
    "LineItem.product": "read_products",
    "Mutation.tagsAdd": "write_customers",
    "Mutation.tagsRemove": "write_customers",
    "Mutation.segmentCreate": "write_customers",
    "Mutation.segmentUpdate": "write_customers",
    "Mutation.segmentDelete": "write_customers",
    "Mutation.metafieldsSet": "write_customers",
}
#: Pages of segment members reach further than others.
WIDE_PAGES = {"customerSegmentMembers": 1000}


def guard(coordinate: str, world: World) -> None:
    """Refuse a field whose scope the token lacks."""
    scope = SCOPES.get(coordinate)
    if scope is None or scope in world.scopes:
        return
    name, needed = coordinate.rsplit(".", maxsplit=1)[-1], f"`{scope}` access scope."
    raise refuse(
        f"Access denied for {name} field. Required access: {needed}",
        "ACCESS_DENIED",
        documentation="https://shopify.dev/api/usage/access-scopes",
        requiredAccess=needed,
    )


def guard_resolvers() -> None:
    """Put the scope check in front of the resolvers that need one, for bulk reads too."""
    for coordinate in SCOPES:
        owner, name = coordinate.split(".")
        inner = FIELDS[owner][name]

        def guarded(
            obj: Any, args: Any, world: World, *, at: str = coordinate, of: Any = inner
        ) -> Any:
            guard(at, world)
            return of(obj, args, world)

        FIELDS[owner][name] = guarded


guard_resolvers()


def resolve_field(obj: Any, info: GraphQLResolveInfo, **args: Any) -> Any:
    """Resolve any field from the table; connections are cut to their page here."""
    found = resolver_of(info.parent_type.name, info.field_name)(obj, args, info.context)
    if isinstance(found, Source):
        return page(found, args, WIDE_PAGES.get(info.field_name, PAGE_MAX))
    return found


def resolve_type(obj: Any, _info: GraphQLResolveInfo, _kind: Any) -> str | None:
    """Tell the concrete type behind an interface."""
    return str(obj["__typename"]) if isinstance(obj, dict) else TYPE_NAMES.get(type(obj))


@dataclass(slots=True)
class Prepared:
    """A document that was read and checked against one version."""

    document: DocumentNode
    problems: list[dict[str, Any]] = field(default_factory=list)


CODES = (
    ("Cannot query field", "undefinedField"),
    ("is required, but it was not provided", "missingRequiredArguments"),
    ("Unknown argument", "argumentNotAccepted"),
    ("Unknown type", "undefinedType"),
    ("Expected value of type", "argumentLiteralsIncompatible"),
    ("cannot represent", "argumentLiteralsIncompatible"),
    ("used in position expecting", "variableMismatch"),
)


def told_problem(problem: GraphQLError) -> dict[str, Any]:
    """Write a validation error with Shopify's code for it."""
    code = next((code for text, code in CODES if text in problem.message), "invalidDocument")
    return {**problem.formatted, "extensions": {"code": code}}


@functools.lru_cache(maxsize=256)
def prepared(text: str, version: str) -> Prepared:
    """Parse and validate a document once."""
    try:
        document = parse(text)
    except GraphQLError as problem:
        return Prepared(DocumentNode(definitions=()), [dict(problem.formatted)])
    problems = validate(schema_of(version), document)
    return Prepared(document, [told_problem(problem) for problem in problems])


def answer(request: dict[str, Any], world: World) -> dict[str, Any]:
    """Return the JSON answer to one request."""
    text = request.get("query")
    if not isinstance(text, str) or not text.strip():
        return {"errors": [{"message": "No query string was present"}]}
    ready = prepared(text, world.version)
    if ready.problems:
        return {"errors": ready.problems}
    operation = chosen(ready.document, request.get("operationName"))
    if operation is None:
        return {"errors": [{"message": "An operation name is required"}]}
    schema = schema_of(world.version)
    variables = get_variable_values(
        schema, list(operation.variable_definitions), request.get("variables") or {}
    )
    if isinstance(variables, list):
        return {"errors": [told_variable(problem) for problem in variables]}
    return carried_out(request, ready.document, operation, variables, world)


def told_variable(problem: GraphQLError) -> dict[str, Any]:
    """Write a variable that does not fit its type."""
    return {**problem.formatted, "extensions": {"code": "INVALID_VARIABLE"}}


def chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """Return the operation that the request names, or the only one."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name is None:
        return operations[0] if len(operations) == 1 else None
    return next((o for o in operations if o.name and o.name.value == name), None)


def carried_out(
    request: dict[str, Any],
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: dict[str, Any],
    world: World,
) -> dict[str, Any]:
    """Price a request, let it through or not, and answer it."""
    schema, simulator = schema_of(world.version), world.simulator
    pricer = Pricer(schema, variables, fragments_of(document))
    requested = pricer.operation(operation)
    if requested > QUERY_COST_MAX:
        return too_expensive(requested)
    if simulator.faults.strikes("throttled") or not simulator.bucket.admits(requested):
        return throttled(requested, simulator.bucket.status())
    with world.shop.lock:
        result = execute(
            schema,
            document,
            context_value=world,
            variable_values=request.get("variables") or {},
            operation_name=request.get("operationName"),
            field_resolver=resolve_field,
            type_resolver=resolve_type,
            execution_context_class=ExecutionContext,
        )
    actual = pricer.operation(operation, result.data) if result.data is not None else requested  # type: ignore[union-attr]
    simulator.bucket.charge(actual)
    told: dict[str, Any] = {"data": result.data}  # type: ignore[union-attr]
    if result.errors:  # type: ignore[union-attr]
        told["errors"] = [told_error(problem) for problem in result.errors]  # type: ignore[union-attr]
    cost = {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": simulator.bucket.status(),
    }
    told["extensions"] = {"cost": cost}
    if world.searches:
        told["extensions"]["search"] = world.searches
    return told


def told_error(problem: GraphQLError) -> dict[str, Any]:
    """Write an error; one of the simulator's own faults is raised instead of told."""
    original = problem.original_error
    if original is not None and not isinstance(original, GraphQLError):
        raise original
    return dict(problem.formatted)


def throttled(requested: int, status: dict[str, Any]) -> dict[str, Any]:
    """Return the recorded answer of a short bucket."""
    error = {
        "message": "Throttled",
        "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE},
    }
    cost = {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": status}
    return {"errors": [error], "extensions": {"cost": cost}}


def too_expensive(cost: int) -> dict[str, Any]:
    """Return the recorded answer to a query above the limit of one request."""
    message = (
        f"Query cost is {cost}, which exceeds the single query max cost limit "
        f"({QUERY_COST_MAX}).\n\n"
        "See https://shopify.dev/concepts/about-apis/rate-limits for more information on how the\n"
        "cost of a query is calculated.\n\n"
        "To query larger amounts of data with fewer limits, bulk operations should be used "
        "instead.\n"
        "See https://shopify.dev/tutorials/perform-bulk-operations-with-admin-api for usage "
        "details."
    )
    extensions = {
        "code": "MAX_COST_EXCEEDED",
        "cost": cost,
        "maxCost": QUERY_COST_MAX,
        "documentation": LIMITS_PAGE,
    }
    return {"errors": [{"message": message, "extensions": extensions}]}
