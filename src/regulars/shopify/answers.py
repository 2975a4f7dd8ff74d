"""What Shopify's answers mean: data to use, or the one error that says what can be done.

Reads status codes and GraphQL answers; sends nothing and waits for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from regulars.errors import Refused, ScopeMissing, Throttled, Unavailable, problem
from regulars.shopify.tokens import token_refused

Json = dict[str, Any]

# Fields that Shopify leaves empty, with an error beside them, while it has not approved the app for
# protected customer data. The app works without them; anything else missing is a missing scope.
PERSONAL_FIELDS = frozenset({
    "firstName", "lastName", "displayName", "email", "phone", "note", "emailAddress", "phoneNumber",
    "defaultEmailAddress", "defaultPhoneNumber", "defaultAddress", "addresses", "addressesV2",
    "city", "zip", "latitude", "longitude",
})  # fmt: skip

_CLOSED = {
    402: "Shopify has frozen this shop, since its bill is not paid.",
    403: "Shopify does not let the app use this shop. The shop may be closed or on a pause.",
    404: "Shopify knows no shop at this address, or not this version of its API.",
    423: "Shopify has locked this shop.",
    430: "Shopify's protection refused the request, as it does for traffic that looks hostile.",
}


class AnswerLost(Unavailable):
    """A change was sent and no answer came: it may be done or not, so do it again idempotently."""

    maybe = True


class NotReached(Unavailable):
    """No connection was made, so nothing was sent and nothing can have happened."""


class Overloaded(Unavailable):
    """Shopify cannot answer now and says how long to leave it alone."""

    def __init__(self, message: str, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(message)


class TooExpensive(Refused):
    """One request costs more points than Shopify allows; asking for less may work."""


class ShopClosed(Refused):
    """The shop is frozen, locked, forbidden or not there; `status` is Shopify's HTTP status."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(_CLOSED[status])


@dataclass(frozen=True, slots=True)
class Refusal:
    """One of Shopify's `userErrors`: what it did not accept, and at which input."""

    message: str
    field: tuple[str, ...] = ()
    code: str | None = None


class InputRefused(Refused):
    """Shopify read the input and did not accept it; `refusals` says why."""

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        self.refusals = refusals
        super().__init__(
            "Shopify did not accept this: " + "; ".join(refusal.message for refusal in refusals)
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request cost and what the bucket holds; None: not told."""

    requested: float | None = None
    actual: float | None = None
    maximum: float | None = None
    available: float | None = None
    points_per_second: float | None = None


def check_status(response: httpx.Response) -> None:
    """Raise for a status other than 200; the answer's body is not needed for that."""
    status = response.status_code
    if status == 200:
        return
    if status == 401:
        raise token_refused()
    if status in _CLOSED:
        raise ShopClosed(status)
    if status == 429:
        raise Throttled("Shopify asked us to slow down.", retry_after(response) or 1.0)
    if status >= 500 or status == 408:
        told = f"Shopify has a problem of its own (HTTP {status})."
        wait_seconds = retry_after(response)
        raise Unavailable(told) if wait_seconds is None else Overloaded(told, wait_seconds)
    raise Refused(f"Shopify did not take the request (HTTP {status}).")


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that Shopify asks us to wait; None when it does not say."""
    try:
        return max(0.0, float(response.headers.get("Retry-After", "")))
    except ValueError:
        return None


def read_answer(body: bytes) -> Json:
    """Return the JSON object of an answer; raise Unavailable for anything else."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unavailable("Shopify's answer is not JSON.") from error
    if not isinstance(answer, dict):
        raise Unavailable("Shopify's answer is not an object.")
    return answer


def cost_of(answer: Json) -> Cost:
    """Return the cost that an answer tells."""
    cost = _at(answer, "extensions", "cost") or {}
    status = _at(cost, "throttleStatus") or {}
    return Cost(
        requested=_number(cost, "requestedQueryCost"),
        actual=_number(cost, "actualQueryCost"),
        maximum=_number(status, "maximumAvailable"),
        available=_number(status, "currentlyAvailable"),
        points_per_second=_number(status, "restoreRate"),
    )


def data_of(answer: Json, cost: Cost) -> Json:
    """Return the data of an answer; raise the error that its `errors` and warnings mean."""
    errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
    data = answer.get("data")
    if errors or not isinstance(data, dict):
        _raise_unless_personal(errors, data, cost)
    warnings = list(_search_warnings(answer))
    if warnings:
        raise Refused("Shopify did not understand the search: " + "; ".join(warnings))
    refusals = tuple(_refusals(data or {}))
    if refusals:
        raise InputRefused(refusals)
    return data or {}


def _raise_unless_personal(errors: list[Json], data: object, cost: Cost) -> None:
    codes = {_code(error) for error in errors}
    told = "; ".join(str(error.get("message", "no message")) for error in errors)
    if "THROTTLED" in codes:
        raise Throttled("Shopify asked us to slow down.", _wait_seconds(cost))
    if "MAX_COST_EXCEEDED" in codes:
        # Two paragraphs of advice follow the sentence.
        raise TooExpensive(told.partition("\n")[0])
    if "ACCESS_DENIED" in codes:
        if isinstance(data, dict) and all(_is_personal(error) for error in errors):
            return
        raise ScopeMissing(
            problem(
                "access_denied",
                "Shopify does not let the app do this: {told}",
                told=_scope_message(errors),
            )
        )
    if not errors or "INTERNAL_SERVER_ERROR" in codes:
        raise Unavailable(f"Shopify has a problem of its own: {told or 'an answer without data'}.")
    raise Refused(f"Shopify did not take the request: {told}")


def _is_personal(error: Json) -> bool:
    fields = [part for part in error.get("path") or () if isinstance(part, str)]
    return _code(error) == "ACCESS_DENIED" and bool(fields) and fields[-1] in PERSONAL_FIELDS


def _scope_message(errors: list[Json]) -> str:
    denied = next(error for error in errors if _code(error) == "ACCESS_DENIED")
    needed = _at(denied, "extensions", "requiredAccess")
    message = str(denied.get("message", ""))
    return f"{message} ({needed})" if needed and str(needed) not in message else message


def _wait_seconds(cost: Cost) -> float:
    if cost.requested is None or cost.available is None or not cost.points_per_second:
        return 1.0
    return max(0.0, (cost.requested - cost.available) / cost.points_per_second)


def _search_warnings(answer: Json) -> Iterator[str]:
    for search in _at(answer, "extensions", "search") or ():
        for warning in search.get("warnings") or ():
            yield f"{warning.get('field', '?')}: {warning.get('message', '?')}"


def _refusals(data: Json) -> Iterator[Refusal]:
    for payload in data.values():
        if isinstance(payload, dict):
            for error in payload.get("userErrors") or ():
                yield refusal_of(error)


def refusal_of(error: Mapping[str, Any]) -> Refusal:
    """Return one entry of `userErrors`."""
    field = tuple(str(part) for part in error.get("field") or ())
    return Refusal(str(error.get("message", "")), field, error.get("code"))


def _code(error: Json) -> str | None:
    code = _at(error, "extensions", "code")
    return code if isinstance(code, str) else None


def _at(value: Mapping[str, Any], *keys: str) -> Any:
    found: Any = value
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _number(value: Mapping[str, Any], key: str) -> float | None:
    number = value.get(key)
    return float(number) if isinstance(number, int | float) else None
