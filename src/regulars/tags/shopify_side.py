"""Tag work on the real client: our documents, bulk files and Shopify's words for refusals."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from regulars.clock import is_over
from regulars.errors import ShopifyError
from regulars.shopify import bulk
from regulars.shopify.answers import InputRefused, Json, Refusal
from regulars.shopify.client import ShopifyClient
from regulars.shopify.documents import document
from regulars.tags.port import Answer, BulkState, Room
from regulars.tags.pricing import batch_size, look_points, points_for

CUSTOMER_GID = "gid://shopify/Customer/"

#: Single calls under way at once, by the shop's points a second: enough for each plan's rate where
#: a call takes a quarter of a second, and no more than the connections that are kept open.
CALLS_AT_ONCE_MIN, CALLS_AT_ONCE_MAX = 10, 80
POINTS_PER_CALL_AT_ONCE = 25

#: Points are there before a batch begins; only others' requests make it wait. Where that or a try
#: again takes longer, the worker turns to other shops instead.
PATIENCE_SECONDS = 1.0

#: Left for whatever else the app asks meanwhile, like how far an operation is.
SPARE_POINTS = 5.0

#: So much of a page must be found for the search to be worth asking again.
FOUND_SHARE_MIN = 0.5

#: How often `alive` is called; each call writes a row.
ALIVE_EVERY = timedelta(seconds=10)

#: Shopify's clock and ours may differ by some seconds.
CLOCK_DIFFERENCE = timedelta(minutes=1)


class ShopifyTags:
    """The tags of one shop. `alive` is called while something long is waited for."""

    def __init__(
        self,
        client: ShopifyClient,
        *,
        alive: Callable[[], None] = lambda: None,
        calls_at_once: int | None = None,
    ) -> None:
        self._client = client
        self._alive = alive
        self._calls_at_once = calls_at_once
        self._alive_at: datetime | None = None
        self._searches = True

    def read(self, customer_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the present tags; a customer that does not exist is left out."""
        found: dict[str, Sequence[str]] = {}
        if self._searches and look_points(len(customer_ids)) < len(customer_ids):
            found = self._search(customer_ids)
            # Where the search does not know ids, asking it only costs.
            self._searches = len(found) >= FOUND_SHARE_MIN * len(customer_ids)
        missing = [one for one in customer_ids if one not in found]
        return {**found, **self._read_by_id(missing)} if missing else found

    def _search(self, customer_ids: Sequence[str]) -> dict[str, Sequence[str]]:
        asked = {
            "first": len(customer_ids),
            "query": " OR ".join(f"id:{one}" for one in customer_ids),
        }
        nodes = self._run("customer_tags_by_search", asked)["customers"]["nodes"]
        tags: dict[str, Sequence[str]] = {_number(node["id"]): node["tags"] for node in nodes}
        return {one: tags[one] for one in customer_ids if one in tags}

    def _read_by_id(self, customer_ids: Sequence[str]) -> dict[str, Sequence[str]]:
        ids = [CUSTOMER_GID + one for one in customer_ids]
        nodes = self._run("customer_tags_by_ids", {"ids": ids})["nodes"]
        return {_number(node["id"]): node["tags"] for node in nodes if node}

    def room(self, asked: int, *, adds: bool) -> Room:
        """Tell for how many of these customers the points suffice now, and else when to ask."""
        bucket = self._client.bucket
        points = bucket.available - SPARE_POINTS
        # A long job waits until a look is worth its points; a short one goes as soon as it can.
        least = min(asked, batch_size(bucket.points_per_second))
        missing = points_for(least, adds=adds) - points
        if missing <= 0:
            return Room(least)
        return Room(0, timedelta(seconds=max(missing / bucket.points_per_second, 0.05)))

    def start_reading(self) -> str:
        """Start one bulk query over all customers; return the operation's global id."""
        return bulk.start_query(self._client, "bulk_customer_tags")

    def is_read(self, operation_gid: str) -> bool:
        """Tell whether such an operation is over."""
        return bulk.state(self._client, operation_gid).is_over

    def readings(self, operation_gid: str) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield every customer with the tags that were collected."""
        over = bulk.state(self._client, operation_gid)
        with tempfile.TemporaryDirectory(prefix="regulars-tags-") as folder:
            path = bulk.fetch(self._client, over, Path(folder) / "tags.jsonl", self._count)
            if path is None:
                return
            with path.open("rb") as file:
                for raw in file:
                    node = json.loads(raw)
                    yield _number(node["id"]), node["tags"]

    def change(self, customer_ids: Sequence[str], tag: str, *, add: bool) -> Mapping[str, Answer]:
        """Change one customer per call, several calls at once; raise after all calls ended."""
        name = "tags_add" if add else "tags_remove"
        at_once = self._calls_at_once or self._usual_calls_at_once()

        def change_one(one: str) -> Answer | ShopifyError:
            variables = {"id": CUSTOMER_GID + one, "tags": [tag]}
            try:
                self._run(name, variables)
            except InputRefused as refused:
                return _answer(refused.refusals)
            except ShopifyError as error:
                return error
            return Answer()

        with ThreadPoolExecutor(min(at_once, len(customer_ids))) as calls:
            ended = dict(zip(customer_ids, calls.map(change_one, customer_ids), strict=True))
        answers = {one: end for one, end in ended.items() if isinstance(end, Answer)}
        errors = [end for end in ended.values() if isinstance(end, ShopifyError)]
        if errors and not answers:
            raise errors[0]
        # Customers without an answer stay told, and are looked at again before anything is done.
        return answers

    def start_bulk(self, customer_ids: Sequence[str], tag: str, *, add: bool) -> str:
        """Upload one line per customer and start the mutation; return the operation's id."""
        lines = ({"id": CUSTOMER_GID + one, "tags": [tag]} for one in customer_ids)
        with tempfile.TemporaryDirectory(prefix="regulars-tags-") as folder:
            started, _count = bulk.start_mutation(
                self._client, _bulk_name(add=add), lines, Path(folder)
            )
        return started

    def find_bulk(self, *, add: bool, since: datetime, known: Collection[str]) -> str | None:
        """Return our operation of this kind that was started after `since`, if there is one."""
        text = document(_bulk_name(add=add), self._client.api_version)
        listed = self._client.run("bulk_list", {"first": 20, "query": "operation_type:mutation"})
        for node in listed["bulkOperations"]["nodes"]:
            is_ours = node["id"] not in known and str(node.get("query", "")).strip() == text
            created_at = datetime.fromisoformat(node["createdAt"])
            if is_ours and created_at >= since - CLOCK_DIFFERENCE:
                return str(node["id"])
        return None

    def look_at_bulk(self, operation_gid: str) -> BulkState:
        """Tell how far an operation is, with the answers of its lines once it is over."""
        found = bulk.state(self._client, operation_gid)
        if not found.is_over:
            return BulkState(is_finished=False, done_count=found.object_count)
        answers: dict[int, Answer] = {}
        with tempfile.TemporaryDirectory(prefix="regulars-tags-") as folder:
            path = bulk.fetch_partial(
                self._client, found, Path(folder) / "answers.jsonl", self._count
            )
            if path is not None:
                for line in bulk.line_results(path):
                    answers[line.line_number] = _answer(line.refusals)
        return BulkState(is_finished=True, done_count=len(answers), answers=answers)

    def _run(self, name: str, variables: Mapping[str, object]) -> Json:
        return self._client.run(name, variables, patience_seconds=PATIENCE_SECONDS)

    def _usual_calls_at_once(self) -> int:
        wanted = int(self._client.bucket.points_per_second // POINTS_PER_CALL_AT_ONCE)
        return max(CALLS_AT_ONCE_MIN, min(CALLS_AT_ONCE_MAX, wanted))

    def _count(self, _count: int) -> None:
        now = self._client.clock()
        if is_over(self._alive_at, ALIVE_EVERY, now):
            self._alive_at = now
            self._alive()


def _bulk_name(*, add: bool) -> str:
    return "bulk_tags_add" if add else "bulk_tags_remove"


def _answer(refusals: Sequence[Refusal]) -> Answer:
    if not refusals:
        return Answer()
    told = "; ".join(refusal.message for refusal in refusals)
    # The only refusal about the id itself is that nobody bears it.
    return Answer(told, is_gone=any(refusal.field == ("id",) for refusal in refusals))


def _number(gid: str) -> str:
    return gid.rpartition("/")[2]
