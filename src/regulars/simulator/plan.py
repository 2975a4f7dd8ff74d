"""A selection compiled to closures: how bulk operations read millions of fields quickly.

Uses the same resolvers as GraphQL requests, without their bookkeeping per field. Connections are
left out of the object and listed beside it: bulk results put their nodes on lines of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    is_interface_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import get_argument_values

from regulars.simulator.resolvers.base import Args, Resolver, World, resolver_of
from regulars.simulator.resolvers.root import TYPE_NAMES

Reach = Callable[[Any, World], Any]
MONEY = ("MoneyBag", "MoneyV2")
MEMO_MAX = 100_000


class Leaf(NamedTuple):
    """One field of an object: where it goes, how it is resolved, and what is read below it."""

    key: str
    resolver: Resolver
    args: Args
    below: Plan | None
    is_list: bool


@dataclass(slots=True)
class Children:
    """One nested connection: how to reach it from its parent, and the plan of its nodes."""

    reach: Reach
    plan: Plan


@dataclass(slots=True)
class Plan:
    """What to read of one object."""

    leaves: list[Leaf] = field(default_factory=list)
    connections: list[Children] = field(default_factory=list)
    #: Selections that hold for one concrete type only.
    narrowed: dict[str, Plan] = field(default_factory=dict)
    type_name: str = ""
    #: What was read of money, by its amount: the same few amounts come again and again.
    memo: dict[int, dict[str, Any]] | None = None

    def read(self, obj: Any, world: World) -> dict[str, Any]:
        """Return the JSON object of `obj`, without its connections."""
        if self.memo is not None:
            known = self.memo.get(obj)
            if known is not None:
                return known
        row: dict[str, Any] = {}
        for key, resolver, args, below, is_list in self.leaves:
            value = resolver(obj, args, world)
            if below is not None and value is not None:
                value = (
                    [below.read(each, world) for each in value]
                    if is_list
                    else below.read(value, world)
                )
            row[key] = value
        if self.narrowed:
            narrowed = self.narrowed.get(type_name_of(obj))
            if narrowed is not None:
                row |= narrowed.read(obj, world)
        if self.memo is not None and len(self.memo) < MEMO_MAX:
            self.memo[obj] = row
        return row

    def children(self, obj: Any, world: World) -> Iterator[tuple[Plan, Any]]:
        """Yield the nodes of the nested connections with their plans."""
        for children in self.connections:
            source = children.reach(obj, world)
            if source is not None:
                for item in reversed(source.items) if source.reverse else source.items:
                    yield children.plan, item


def type_name_of(obj: Any) -> str:
    """Return the schema type of an object whose class tells it."""
    if isinstance(obj, dict):
        return str(obj.get("__typename"))
    return TYPE_NAMES[type(obj)]


@dataclass(slots=True)
class Compiler:
    """Compiles the selections of one document."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any] = field(default_factory=dict)

    def plan(self, selections: SelectionSetNode, owner: Any) -> Plan:
        """Return the plan of an object's selections."""
        made = Plan(type_name=owner.name, memo={} if owner.name in MONEY else None)
        self.fill(made, selections, owner)
        return made

    def fill(self, made: Plan, selections: SelectionSetNode, owner: Any) -> None:
        """Add selections to a plan, through fragments."""
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                self.add(made, selection, owner)
                continue
            body: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                body = self.fragments[selection.name.value]
            elif not isinstance(selection, InlineFragmentNode):
                continue
            condition = body.type_condition
            target: Any = self.schema.get_type(condition.name.value) if condition else owner
            if target is owner or (hasattr(target, "interfaces") and target.name == owner.name):
                self.fill(made, body.selection_set, owner)
            else:
                narrowed = made.narrowed.setdefault(target.name, Plan(type_name=target.name))
                self.fill(narrowed, body.selection_set, target)

    def add(self, made: Plan, node: FieldNode, owner: Any) -> None:
        """Add one field."""
        name = node.name.value
        key = node.alias.value if node.alias else name
        if name == "__typename":
            told = owner.name
            fixed: Resolver = lambda _obj, _args, _world: told  # noqa: E731 - a table of such
            told_by: Resolver = lambda obj, _args, _world: type_name_of(obj)  # noqa: E731
            resolver = told_by if is_interface_type(owner) else fixed
            made.leaves.append(Leaf(key, resolver, {}, None, is_list=False))
            return
        definition = owner.fields[name]
        args = get_argument_values(definition, node, self.variables)
        kind: Any = get_named_type(definition.type)
        resolver = by_class(name) if is_interface_type(owner) else resolver_of(owner.name, name)
        if node.selection_set is None:
            made.leaves.append(Leaf(key, resolver, args, None, is_list=False))
        elif kind.name.endswith("Connection"):
            self.add_connection(made, node, kind, resolver, args)
        else:
            below = self.plan(node.selection_set, kind)
            made.leaves.append(Leaf(key, resolver, args, below, is_list(definition.type)))
            for child in below.connections:
                made.connections.append(Children(through(resolver, args, child.reach), child.plan))

    def add_connection(
        self, made: Plan, node: FieldNode, kind: Any, resolver: Resolver, args: Args
    ) -> None:
        """Add a nested connection, whose nodes get lines of their own."""
        plan = self.nodes_plan(node, kind)
        if plan is not None:
            made.connections.append(Children(lambda o, w: resolver(o, args, w), plan))

    def nodes_plan(self, node: FieldNode, kind: Any) -> Plan | None:
        """Return the plan of `edges { node { ... } }` below a connection."""
        edge: Any = get_named_type(kind.fields["edges"].type)
        for edges in self.named(node, "edges"):
            for inner in self.named(edges, "node"):
                if inner.selection_set is not None:
                    target = get_named_type(edge.fields["node"].type)
                    return self.plan(inner.selection_set, target)
        return None

    def named(self, node: FieldNode, name: str) -> list[FieldNode]:
        """Return the direct fields of this name."""
        if node.selection_set is None:
            return []
        return [
            selection
            for selection in node.selection_set.selections
            if isinstance(selection, FieldNode) and selection.name.value == name
        ]


def by_class(name: str) -> Resolver:
    """Resolve a field of an interface by the class of what is behind it."""
    return lambda obj, args, world: resolver_of(type_name_of(obj), name)(obj, args, world)


def through(resolver: Resolver, args: Args, reach: Reach) -> Reach:
    """Reach a connection through an object on the way."""

    def reached(obj: Any, world: World) -> Any:
        middle = resolver(obj, args, world)
        return None if middle is None else reach(middle, world)

    return reached


def is_list(kind: Any) -> bool:
    """Tell whether a type is a list, non-null or not."""
    return is_list_type(kind.of_type) if is_non_null_type(kind) else is_list_type(kind)
