"""Bulk operations: questions over a whole shop, and changes by the thousand, worked off by Shopify.

Each step takes and gives values that a job can store (an operation's id, a file), so that a restart
goes on where it was. What the lines mean is the callers' work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from regulars.errors import Refused, ScopeMissing, Throttled, Unavailable, problem
from regulars.shopify import http as network
from regulars.shopify.answers import (
    AnswerLost,
    InputRefused,
    Json,
    NotReached,
    Refusal,
    refusal_of,
)
from regulars.shopify.client import ShopifyClient
from regulars.shopify.documents import document
from regulars.shopify.reading import instant

#: Shopify's limit for the variables of one bulk mutation.
UPLOAD_BYTES_MAX = 100 * 1024 * 1024

# A small shop's operation takes two seconds; a large one's hours, where half a minute is nothing.
POLL_SECONDS_FIRST = 1.0
POLL_SECONDS_MAX = 30.0
POLL_GROWTH = 1.5

# Five operations of a kind may run at once; others of this app in the shop take minutes.
PLACE_SECONDS = 10.0
PLACE_PATIENCE_SECONDS = 3600.0

# How often a download tells how far it is; more often would cost more than the bytes.
TELL_BYTES = 8 * 1024 * 1024

FETCH_TRIES_MAX = 8
# A day for a file: far above any link, and an end for a link that drips.
FETCH_SECONDS_MAX = 86_400.0
# When Shopify does not tell a file's size, this much of the disk at most.
FILE_BYTES_MAX = 200 * 1024**3

#: Called now and then with how many objects Shopify has collected so far.
Count = Callable[[int], None]


class BulkFailed(Unavailable):
    """Shopify ended the operation without a whole result; starting it again may work."""


class LinkExpired(Unavailable):
    """The result's signed link is no longer served; the operation has to be run again."""


@dataclass(frozen=True, slots=True)
class BulkState:
    """A bulk operation as Shopify last told it."""

    operation_id: str
    #: CREATED, RUNNING, COMPLETED, CANCELING, CANCELED, FAILED or EXPIRED.
    status: str
    object_count: int
    file_bytes: int | None
    #: None: the result is empty, or there is none yet.
    url: str | None
    partial_url: str | None
    #: ACCESS_DENIED, INTERNAL_SERVER_ERROR or TIMEOUT.
    error_code: str | None
    #: By Shopify's clock; what the result tells was true then or later.
    created_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.status in {"COMPLETED", "CANCELED", "FAILED", "EXPIRED"}


@dataclass(frozen=True, slots=True)
class LineResult:
    """What one line of a bulk mutation came to."""

    #: Counts from 0, in the order the lines were given.
    line_number: int
    refusals: tuple[Refusal, ...]
    data: Json

    @property
    def is_done(self) -> bool:
        """Whether Shopify did what the line asked."""
        return not self.refusals


def start_query(client: ShopifyClient, name: str) -> str:
    """Start a bulk query by its document's name; return the operation's id.

    Waits for a free place when five are running. When the answer is lost, the operation that was
    started is found again rather than started twice.
    """
    text = document(name, client.api_version)
    started_at = client.clock()
    try:
        return _started(client, "bulk_run_query", {"query": text}, "bulkOperationRunQuery")
    except AnswerLost:
        # Shopify's clock and ours may differ by some seconds.
        earliest = started_at - timedelta(minutes=1)
        listed = client.run("bulk_list", {"first": 10, "query": "operation_type:query"})
        for node in listed["bulkOperations"]["nodes"]:
            if node.get("query", "").strip() == text and instant(node["createdAt"]) >= earliest:
                return str(node["id"])
        raise


def start_mutation(
    client: ShopifyClient, name: str, lines: Iterable[Json], folder: Path
) -> tuple[str, int]:
    """Upload variables, one line each, and start a bulk mutation; return its id and line count.

    The mutation must give the same end when it runs twice, since an answer may be lost.
    """
    path = folder / f"{name}.upload.jsonl"
    count = _write_lines(path, lines)
    try:
        upload_path = _upload(client, path)
    finally:
        path.unlink(missing_ok=True)
    variables = {
        "mutation": document(name, client.api_version),
        "stagedUploadPath": upload_path,
    }
    started = _started(client, "bulk_run_mutation", variables, "bulkOperationRunMutation")
    return started, count


def state(client: ShopifyClient, operation_id: str) -> BulkState:
    """Return how far an operation is; raise Refused when Shopify does not know it."""
    node = client.run("bulk_status", {"id": operation_id})["bulkOperation"]
    if node is None:
        raise Refused(f"Shopify does not know the bulk operation {operation_id}.")
    size = node.get("fileSize")
    return BulkState(
        operation_id=node["id"],
        status=node["status"],
        object_count=int(node.get("objectCount") or 0),
        file_bytes=None if size is None else int(size),
        url=node.get("url"),
        partial_url=node.get("partialDataUrl"),
        error_code=node.get("errorCode"),
        created_at=instant(node["createdAt"]),
    )


def wait(
    client: ShopifyClient,
    operation_id: str,
    count: Count,
    pause: Callable[[float], object] | None = None,
) -> BulkState:
    """Ask until the operation is over; return its last state.

    `pause` waits the given seconds or less: an event's `wait` lets a webhook cut it short.
    """
    seconds = POLL_SECONDS_FIRST
    while True:
        found = state(client, operation_id)
        count(found.object_count)
        if found.is_over:
            return found
        (pause or client.sleep)(seconds)
        seconds = min(POLL_SECONDS_MAX, seconds * POLL_GROWTH)


def cancel(client: ShopifyClient, operation_id: str) -> None:
    """Ask Shopify to stop an operation; one that is over stays as it is."""
    client.run("bulk_cancel", {"id": operation_id})


def fetch(client: ShopifyClient, over: BulkState, path: Path, count: Count) -> Path | None:
    """Fetch a whole result into `path`; None when it is empty.

    Raises ScopeMissing or BulkFailed for an operation that did not complete: a part of a shop is
    never taken for the whole. `fetch_partial` gets what there is.
    """
    if over.status != "COMPLETED":
        raise _failure(over)
    if over.url is None:
        return None
    try:
        _download(client, over.url, path, over.file_bytes, count)
    except LinkExpired:
        # Asked again, Shopify signs a new link for as long as it keeps the file.
        again = state(client, over.operation_id)
        if again.url is None or again.url == over.url:
            raise
        _download(client, again.url, path, again.file_bytes, count)
    return path


def fetch_partial(client: ShopifyClient, over: BulkState, path: Path, count: Count) -> Path | None:
    """Fetch what an operation had found before it failed; None when that is nothing."""
    url = over.url or over.partial_url
    if url is None:
        return None
    _download(client, url, path, over.file_bytes if over.url else None, count)
    return path


def line_results(path: Path) -> Iterator[LineResult]:
    """Yield the outcome of each line of a bulk mutation from its result file."""
    with path.open("rb") as file:
        for raw in file:
            if raw.strip():
                yield _line_result(json.loads(raw))


def _line_result(line: Json) -> LineResult:
    data = line.get("data") or {}
    told = [
        refusal_of(error)
        for payload in data.values()
        if isinstance(payload, dict)
        for error in payload.get("userErrors") or ()
    ]
    told += [Refusal(str(error.get("message", ""))) for error in line.get("errors") or ()]
    return LineResult(int(line["__lineNumber"]), tuple(told), data)


def _started(client: ShopifyClient, name: str, variables: dict[str, Any], field: str) -> str:
    waited = 0.0
    while True:
        try:
            answer = client.run(name, variables)
        except InputRefused as refused:
            codes = {refusal.code for refusal in refused.refusals}
            if not codes & {"OPERATION_IN_PROGRESS", "LIMIT_REACHED"}:
                raise
            if waited >= PLACE_PATIENCE_SECONDS:
                raise Throttled(
                    "Other bulk operations of this app are running.", PLACE_SECONDS
                ) from refused
            client.sleep(PLACE_SECONDS)
            waited += PLACE_SECONDS
        else:
            return str(answer[field]["bulkOperation"]["id"])


def _failure(over: BulkState) -> Exception:
    if over.error_code == "ACCESS_DENIED":
        return ScopeMissing(
            problem(
                "reading_denied",
                "Shopify does not let the app read this. An access scope is missing.",
            )
        )
    words = {
        "FAILED": f"Shopify could not finish it ({over.error_code or 'no reason given'})",
        "CANCELED": "it was cancelled",
        "EXPIRED": "its result has expired",
    }
    return BulkFailed(f"The bulk operation gave no whole result: {words[over.status]}.")


def _write_lines(path: Path, lines: Iterable[Json]) -> int:
    size = count = 0
    with path.open("wb") as file:
        for count, line in enumerate(lines, 1):  # noqa: B007 - the last number is the count
            raw = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            size += len(raw)
            if size > UPLOAD_BYTES_MAX:
                raise Refused(f"A bulk change takes at most {UPLOAD_BYTES_MAX} bytes.")
            file.write(raw)
    return count


def _upload(client: ShopifyClient, path: Path) -> str:
    """Send the file to where Shopify says; return the path by which a mutation names it."""
    wanted = {
        "resource": "BULK_MUTATION_VARIABLES",
        "filename": path.name,
        "mimeType": "text/jsonl",
        "httpMethod": "POST",
        "fileSize": str(path.stat().st_size),
    }
    target = client.run("staged_upload_create", {"input": [wanted]})
    target = target["stagedUploadsCreate"]["stagedTargets"][0]
    fields = {each["name"]: each["value"] for each in target["parameters"]}
    url = network.checked_url(target["url"], client.bulk_hosts, client.base_url)
    try:
        with path.open("rb") as file:
            # httpx writes the fields before the files: the `file` part has to come last.
            response = client.http.post(
                url, data=fields, files={"file": (path.name, file, "text/jsonl")}
            )
    except httpx.RequestError as error:
        raise NotReached("The upload to Shopify broke off.") from error
    if response.status_code not in {200, 201, 204}:
        raise NotReached(f"The upload to Shopify was refused (HTTP {response.status_code}).")
    return str(fields["key"])


def _download(
    client: ShopifyClient, url: str, path: Path, file_bytes: int | None, count: Count
) -> None:
    """Stream a file beside `path` and move it there when it is whole, resuming what breaks off."""
    checked = network.checked_url(url, client.bulk_hosts, client.base_url)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    for attempt in range(1, FETCH_TRIES_MAX + 1):
        try:
            _append(client, checked, part, file_bytes, count)
            break
        except LinkExpired:
            raise
        except Unavailable:
            if attempt == FETCH_TRIES_MAX:
                raise
            client.sleep(client.pause_seconds(attempt))
    part.replace(path)


def _append(
    client: ShopifyClient, url: str, part: Path, file_bytes: int | None, count: Count
) -> None:
    have = part.stat().st_size if part.exists() else 0
    # Compressed pieces could not be resumed in the middle.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with client.http.stream("GET", url, headers=headers, follow_redirects=False) as response:
            _check_file_status(response, url)
            is_rest = response.status_code == 206
            most = FILE_BYTES_MAX if file_bytes is None else file_bytes
            with part.open("ab" if is_rest else "wb") as file:
                done = told = have if is_rest else 0
                for piece in network.capped(
                    response,
                    client.clock,
                    bytes_max=most - done,
                    seconds_max=FETCH_SECONDS_MAX,
                ):
                    file.write(piece)
                    done += len(piece)
                    if done - told >= TELL_BYTES:
                        told = done
                        count(done)
                count(done)
    except httpx.RequestError as error:
        raise Unavailable("The result's download broke off.") from error
    if file_bytes is not None and done < file_bytes:
        raise Unavailable(f"The result has {done} bytes of {file_bytes}.")


def _check_file_status(response: httpx.Response, url: str) -> None:
    if response.status_code in {400, 403, 404, 410}:
        raise LinkExpired("The link to the bulk operation's result is no longer served.")
    if response.status_code not in {200, 206}:
        host = httpx.URL(url).host
        raise Unavailable(f"{host} does not give the result (HTTP {response.status_code}).")
