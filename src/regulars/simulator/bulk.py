"""Bulk operations: queries into JSONL files, mutations from uploaded ones.

An operation is CREATED, then runs when its time has come: in the work thread of a served
simulator, else when somebody asks for it. Results lie in a temporary folder and are reached by
signed addresses that end seven days after completion.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
from graphql import GraphQLError
from graphql.execution.values import get_variable_values

from regulars.simulator.bulk_operation import BulkOperation
from regulars.simulator.bulk_rules import fragments_of, operation_of
from regulars.simulator.plan import Compiler, Plan
from regulars.simulator.shop import Shop
from regulars.simulator.versions import schema_of

if TYPE_CHECKING:
    from graphql import DocumentNode

    from regulars.simulator.resolvers.base import World
    from regulars.simulator.simulator import Simulator

#: Operations of one type that one app may have under way.
CONCURRENT_MAX = 5
URL_SECONDS = 7 * 86_400
UPLOAD_BYTES_MAX = 100 * 1024 * 1024
#: Parents whose children are written after them, so that children do not always follow directly.
PARENTS_PER_BLOCK = (1, 3, 2)
#: Root objects read under one hold of the shop's lock.
ROOTS_PER_LOCK = 100
LIVE = frozenset({"CREATED", "RUNNING", "CANCELING"})


class BulkOperations:
    """The bulk operations and uploads of one simulator."""

    def __init__(self, simulator: Simulator, seconds: float = 0.0) -> None:
        self.simulator = simulator
        #: How long an operation takes on the shop's clock before its result is there.
        self.seconds = seconds
        self.operations: dict[int, BulkOperation] = {}
        self.uploads: dict[str, Path | None] = {}
        self._folder: Path | None = None
        self.key = secrets.token_bytes(16)
        self.running = threading.Lock()
        #: True while a work thread runs the operations, so that polls only look.
        self.has_worker = False
        self.woken = threading.Event()

    @property
    def folder(self) -> Path:
        """The folder of results and uploads, made when first needed and removed at the end."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="regulars-simulator-"))
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    @property
    def shop(self) -> Shop:
        """Return the shop that is read."""
        return self.simulator.shop

    def live(self, kind: str) -> int:
        """Return how many operations of a type are under way."""
        self.advance()
        return sum(o.type == kind and o.status in LIVE for o in self.operations.values())

    def add(
        self, kind: str, query: str, document: DocumentNode, world: World, **more: Any
    ) -> BulkOperation:
        """Take an operation on."""
        operation = BulkOperation(
            id=self.shop.new_id(),
            type=kind,
            query=query,
            document=document,
            world=world,
            created=self.shop.now(),
            **more,
        )
        self.operations[operation.id] = operation
        self.woken.set()
        return operation

    def cancel(self, operation: BulkOperation) -> None:
        """Stop an operation; a finished one stays as it is."""
        if operation.status == "CREATED":
            self.finish(operation, "CANCELED")
        elif operation.status == "RUNNING":
            operation.status = "CANCELING"

    def advance(self) -> None:
        """Run what is due, unless a work thread does."""
        if not self.has_worker:
            self.run_due()

    def run_due(self) -> None:
        """Run every operation whose time has come, one after the other."""
        if not self.running.acquire(blocking=False):
            return
        try:
            now = self.shop.clock().timestamp()
            for operation in list(self.operations.values()):
                if operation.status == "CREATED" and now >= operation.created + self.seconds:
                    self.run(operation)
        finally:
            self.running.release()

    def run(self, operation: BulkOperation) -> None:
        """Run one operation to its end."""
        operation.status = "RUNNING"
        path = self.folder / f"bulk-{operation.id}.jsonl"
        with path.open("wb") as out:
            try:
                run = self.run_query if operation.type == "QUERY" else self.run_mutation
                complete = run(operation, out)
            except GraphQLError as problem:
                denied = (problem.extensions or {}).get("code") == "ACCESS_DENIED"
                operation.error_code = "ACCESS_DENIED" if denied else "INTERNAL_SERVER_ERROR"
                complete = False
        canceled = operation.status == "CANCELING"
        operation.path = path if path.stat().st_size else None
        operation.partial = canceled or not complete
        if not complete and not canceled:
            operation.error_code = operation.error_code or "INTERNAL_SERVER_ERROR"
        self.finish(operation, "CANCELED" if canceled else "COMPLETED" if complete else "FAILED")

    def finish(self, operation: BulkOperation, status: str) -> None:
        """Set the end of an operation and tell the webhook."""
        operation.completed = self.shop.now()
        operation.status = status
        self.shop.tell("bulk_operations/finish", operation)

    # Queries

    def run_query(self, operation: BulkOperation, out: BinaryIO) -> bool:
        """Write the result of a query; False when the fault broke it off."""
        broken = self.simulator.faults.strikes("bulk_failed")
        for plan, items in self.sources(operation):
            stop = len(items) // 2 if broken else len(items)
            for start in range(0, stop, ROOTS_PER_LOCK):
                if operation.status == "CANCELING":
                    return False
                with self.shop.lock:
                    block = items[start : min(start + ROOTS_PER_LOCK, stop)]
                    self.write_block(operation, plan, block, out)
        return not broken

    def sources(self, operation: BulkOperation) -> Iterator[tuple[Plan, list[Any]]]:
        """Yield the plan and the objects of each connection at the top of a query."""
        schema = schema_of(operation.world.version)
        compiler = Compiler(schema, fragments_of(operation.document))
        plan = compiler.plan(operation_of(operation.document).selection_set, schema.query_type)
        for child in plan.connections:
            with self.shop.lock:
                source = child.reach(None, operation.world)
                items = list(source.items)
            yield child.plan, items[::-1] if source.reverse else items

    def write_block(
        self, operation: BulkOperation, plan: Plan, items: list[Any], out: BinaryIO
    ) -> None:
        """Write parents and, some lines later, their children."""
        world, rest = operation.world, iter(items)
        for size in itertools.cycle((1,) if operation.grouped else PARENTS_PER_BLOCK):
            parents = list(itertools.islice(rest, size))
            if not parents:
                return
            lines: list[bytes] = []
            rows = [plan.read(parent, world) for parent in parents]
            lines += [orjson.dumps(row) for row in rows]
            operation.root_count += len(rows)
            for parent, row in zip(parents, rows, strict=True):
                lines += self.child_lines(plan, parent, row.get("id"), world)
            operation.object_count += len(lines)
            out.write(b"\n".join(lines) + b"\n")

    def child_lines(self, plan: Plan, parent: Any, parent_id: object, world: World) -> list[bytes]:
        """Return the lines of everything nested below one object."""
        lines: list[bytes] = []
        for below, item in plan.children(parent, world):
            row = below.read(item, world)
            own_id = row.get("id")
            row["__parentId"] = parent_id
            lines.append(orjson.dumps(row))
            if below.connections:
                lines += self.child_lines(below, item, own_id, world)
        return lines

    # Mutations

    def run_mutation(self, operation: BulkOperation, out: BinaryIO) -> bool:
        """Carry out a mutation for each line of the upload; False when the fault broke it off."""
        schema = schema_of(operation.world.version)
        definition = operation_of(operation.document)
        lines = (operation.upload.read_bytes() if operation.upload else b"").splitlines()
        stop = len(lines) // 2 if self.simulator.faults.strikes("half_applied") else len(lines)
        for number, line in enumerate(lines[:stop]):
            if operation.status == "CANCELING":
                return False
            told = self.one_mutation(operation, line, definition, schema, Compiler)
            operation.object_count += 1
            operation.root_count += 1
            out.write(orjson.dumps({**told, "__lineNumber": number}) + b"\n")
        return stop == len(lines)

    def one_mutation(
        self, operation: BulkOperation, line: bytes, definition: Any, schema: Any, compiler: Any
    ) -> dict[str, Any]:
        """Carry out one line and return what is told about it."""
        try:
            given = orjson.loads(line)
        except orjson.JSONDecodeError as problem:
            return {"errors": [{"message": f"Invalid JSON: {problem}"}]}
        values = get_variable_values(schema, list(definition.variable_definitions), given)
        if isinstance(values, list):
            return {"errors": [{"message": problem.message} for problem in values]}
        made = compiler(schema, fragments_of(operation.document), values)
        plan = made.plan(definition.selection_set, schema.mutation_type)
        try:
            with self.shop.lock:
                return {"data": plan.read(None, operation.world)}
        except GraphQLError as problem:
            return {"errors": [problem.formatted]}

    # Files

    def signature(self, name: str, expires: int) -> str:
        """Sign the address of a file."""
        return hmac.new(self.key, f"{name} {expires}".encode(), hashlib.sha256).hexdigest()[:40]

    def url(self, operation: BulkOperation, origin: str, *, partial: bool) -> str | None:
        """Return the address of a result; None without one, as for an empty result."""
        if operation.path is None or operation.completed is None or operation.partial != partial:
            return None
        expires = operation.completed + URL_SECONDS
        name = operation.path.name
        signature = self.signature(name, expires)
        return f"{origin}/bulk/{name}?Expires={expires}&Signature={signature}"

    def file(self, name: str, expires: str, signature: str) -> Path | None:
        """Return the file of an address that is still good."""
        good = expires.isdigit() and hmac.compare_digest(
            signature.encode(), self.signature(name, int(expires)).encode()
        )
        if not good or int(expires) <= self.shop.now():
            return None
        if self.simulator.faults.strikes("expired_url"):
            return None
        path = self.folder / Path(name).name
        return path if path.is_file() else None

    def stage(self) -> str:
        """Return the key of a new upload."""
        key = f"tmp/{self.shop.id}/bulk/{secrets.token_hex(16)}/variables.jsonl"
        self.uploads[key] = None
        return key

    def receive(self, key: str, content: bytes) -> bool:
        """Keep an upload; False for a key that was not handed out or too many bytes."""
        if key not in self.uploads or len(content) > UPLOAD_BYTES_MAX:
            return False
        path = self.folder / f"upload-{len(self.uploads)}-{secrets.token_hex(4)}.jsonl"
        path.write_bytes(content)
        self.uploads[key] = path
        return True

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._remove()
            self._folder = None
