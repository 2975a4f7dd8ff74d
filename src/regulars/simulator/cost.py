"""What a request costs in points, and the leaky bucket that points are paid from.

The model fits Shopify's recorded answers: an object 1, scalars and money 0, a mutation 10, a count
10, a connection 2 + floor(2 ln n) times what one node costs. Admission looks at the requested cost,
the bucket is charged with the actual one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import get_argument_values

from regulars.clock import Clock

QUERY_COST_MAX = 1000
#: Seconds of income that the bucket holds.
BUCKET_SECONDS = 20
#: Types whose objects cost nothing, fitted to recorded requests.
FREE_TYPES = frozenset({"MoneyBag", "MoneyV2", "PageInfo", "CustomerStatistics"})
MUTATION_COST = 10
COUNT_COST = 10

Composite = GraphQLObjectType | GraphQLInterfaceType


def page_factor(size: int) -> int:
    """Return how many nodes a page of this size is charged for."""
    return 0 if size <= 0 else max(1, math.floor(2 * math.log(size)))


@dataclass(slots=True)
class Pricer:
    """Prices the selections of one operation."""

    schema: GraphQLSchema
    variables: dict[str, Any]
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)

    def operation(self, operation: OperationDefinitionNode, data: Any = None) -> int:
        """Return the requested cost, or with `data` the cost of that answer."""
        root = self.schema.get_root_type(operation.operation)
        if root is None:
            return 0
        if operation.operation == OperationType.MUTATION:
            return MUTATION_COST * len(self.fields(operation.selection_set, root))
        return self.selections(operation.selection_set, root, data)

    def fields(
        self, selections: SelectionSetNode, owner: Composite
    ) -> list[tuple[FieldNode, Composite]]:
        """Return the fields below fragments, each with the type it stands on."""
        found: list[tuple[FieldNode, Composite]] = []
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                found.append((selection, owner))
                continue
            body: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                body = self.fragments[selection.name.value]
            elif not isinstance(selection, InlineFragmentNode):
                continue
            condition = body.type_condition
            target: Any = self.schema.get_type(condition.name.value) if condition else owner
            found += self.fields(body.selection_set, target)
        return found

    def selections(self, selections: SelectionSetNode, owner: Composite, data: Any) -> int:
        """Return the cost of what is selected below one object."""
        total = 0
        for node, parent in self.fields(selections, owner):
            key = node.alias.value if node.alias else node.name.value
            part = data.get(key) if isinstance(data, dict) else None
            # A field that came back null was not built, and is not paid for.
            if data is None or part is not None:
                total += self.field(node, parent, part)
        return total

    def field(self, node: FieldNode, owner: Composite, data: Any) -> int:
        """Return the cost of one field."""
        definition = owner.fields.get(node.name.value)
        # Scalars and enums, `__typename` too, have nothing selected below them and cost nothing.
        if definition is None or node.selection_set is None:
            return 0
        kind: Any = get_named_type(definition.type)
        if kind.name == "Count":
            return COUNT_COST
        args = get_argument_values(definition, node, self.variables)
        if kind.name.endswith("Connection"):
            return self.connection(node.selection_set, kind, args, data)
        own = 0 if kind.name in FREE_TYPES else 1
        if node.name.value == "nodes" and "ids" in args:
            return len(args["ids"]) * (own + self.selections(node.selection_set, kind, None))
        if isinstance(data, list):
            parts = [self.selections(node.selection_set, kind, part) for part in data if part]
            return own + max(parts, default=0)
        return own + self.selections(node.selection_set, kind, data)

    def connection(
        self, selections: SelectionSetNode, kind: Composite, args: dict[str, Any], data: Any
    ) -> int:
        """Return the cost of a page."""
        total, child, size = 2, 0, args.get("first") or args.get("last") or 0
        for node, owner in self.fields(selections, kind):
            key = node.alias.value if node.alias else node.name.value
            part = data.get(key) if isinstance(data, dict) else None
            if node.name.value in {"nodes", "edges"} and node.selection_set is not None:
                one: Any = get_named_type(owner.fields[node.name.value].type)
                size = size if part is None else len(part)
                child = max(child, self.child(node, one, part))
            else:
                total += self.field(node, owner, part)
        return total + page_factor(size) * child

    def child(self, node: FieldNode, one: Composite, rows: list[Any] | None) -> int:
        """Return what one node of a page costs: the dearest of those that came."""
        if node.selection_set is None:
            return 0
        own = 0 if one.name.endswith("Edge") or one.name in FREE_TYPES else 1
        return own + max(
            (self.selections(node.selection_set, one, row) for row in rows or [None]), default=0
        )


@dataclass(slots=True)
class Bucket:
    """The leaky bucket of one app in one shop."""

    clock: Clock
    #: Points restored each second: 100 on standard plans, 200 on Advanced, 1000 on Plus.
    rate: float = 100.0
    spent: float = 0.0
    seen: float = 0.0

    @property
    def size(self) -> float:
        """Return how much the bucket holds when full."""
        return self.rate * BUCKET_SECONDS

    def available(self) -> int:
        """Return the points there are now."""
        now = self.clock().timestamp()
        if self.seen:
            self.spent = max(0.0, self.spent - max(0.0, now - self.seen) * self.rate)
        self.seen = now
        # A hair below a whole point is that point: waiting the told time must be enough.
        return int(self.size - self.spent + 1e-3)

    def admits(self, requested: int) -> bool:
        """Tell whether a request fits; nothing is charged yet."""
        return requested <= self.available()

    def charge(self, actual: int) -> None:
        """Take the actual cost of an answered request."""
        self.available()
        self.spent += actual

    def status(self) -> dict[str, Any]:
        """Return the bucket as answers tell it."""
        return {
            "maximumAvailable": float(self.size),
            "currentlyAvailable": self.available(),
            "restoreRate": float(self.rate),
        }
