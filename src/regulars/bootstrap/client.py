"""The way to the API: over HTTP to the running app, else to one opened in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import httpx
import orjson

from regulars.bootstrap.home import Running, find_running, open_runtime
from regulars.clock import Clock, system_clock
from regulars.errors import InputError, Problem, problem
from regulars.settings import Settings

if TYPE_CHECKING:
    from regulars.runtime import Runtime

Params = Mapping[str, str | int | Sequence[str] | None]
Answer = httpx.Response
# Between two looks at something that is waited for: short for a person, long for the app.
WAIT_SECONDS = 0.1


class Door(Protocol):
    """One way to the API."""

    def request(self, method: str, path: str, *, content: object, params: Params) -> Answer:
        """Send a request and return the answer."""

    def work(self) -> AbstractContextManager[object]:
        """See that jobs are worked while the block runs."""

    def close(self) -> None:
        """Give everything back."""


class ApiClient:
    """The API as the command line speaks it: values in, values out, problems as errors."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @property
    def is_own(self) -> bool:
        """Whether the app was opened for this command alone: its work ends with the command."""
        return isinstance(self._door, OwnDoor)

    def get(self, path: str, **params: str | int | Sequence[str] | None) -> Any:
        """Read something; a list is the parameter several times."""
        return self._request("GET", path, None, params)

    def post(self, path: str, content: object = None, **params: str | int | None) -> Any:
        """Make something."""
        return self._request("POST", path, content or {}, params)

    def put(self, path: str, content: object) -> Any:
        """Put something in its place."""
        return self._request("PUT", path, content, {})

    def patch(self, path: str, content: object) -> Any:
        """Change something."""
        return self._request("PATCH", path, content, {})

    def delete(self, path: str, **params: str | int | None) -> None:
        """Take something away."""
        self._request("DELETE", path, None, params)

    def fetch(self, path: str, **params: str | int | None) -> bytes:
        """Read a file."""
        return self._send("GET", path, None, params).content

    def fetch_by_post(self, path: str) -> bytes:
        """Read a file whose fetching is an act that is written down."""
        return self._send("POST", path, {}, {}).content

    def wait(
        self,
        path: str,
        until: Callable[[Any], bool],
        seen: Callable[[Any], None] = lambda _answer: None,
    ) -> Any:
        """Read `path` again and again until it is as wished; `seen` is shown every answer."""
        with self._door.work():
            while True:
                answer = self.get(path)
                seen(answer)
                if until(answer):
                    return answer
                time.sleep(WAIT_SECONDS)

    def wait_for_job(
        self, shop: str, job: Mapping[str, Any], seen: Callable[[Any], None] = lambda _job: None
    ) -> Any:
        """Wait until a job is over; raises InputError with its problem when it was given up."""
        path = f"/shops/{shop}/jobs/{job['id']}"
        over = self.wait(path, lambda one: one["state"] in {"succeeded", "given_up"}, seen)
        if over["state"] == "given_up":
            raise InputError(problem("job_given_up", "{reason}", reason=over["problem"]))
        return over

    def close(self) -> None:
        """Give everything back."""
        self._door.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _request(self, method: str, path: str, content: object, params: Params) -> Any:
        answer = self._send(method, path, content, params)
        return None if answer.status_code == 204 else orjson.loads(answer.content or b"null")

    def _send(self, method: str, path: str, content: object, params: Params) -> Answer:
        given = {key: value for key, value in params.items() if value is not None}
        answer = self._door.request(method, f"/api/v1{path}", content=content, params=given)
        if answer.status_code < 400:
            return answer
        told = orjson.loads(answer.content or b"null")
        if answer.status_code >= 500 and answer.status_code != 502:
            raise OurFault(_first_message(told))
        raise InputError(*_problems(told))


class OurFault(Exception):
    """The app met a bug of its own; the message holds the reference in its log."""


class HttpDoor:
    """The API of a running app."""

    def __init__(self, running: Running) -> None:
        self._client = httpx.Client(
            base_url=running.url,
            headers={"Authorization": f"Bearer {running.token}"},
            timeout=httpx.Timeout(120, connect=3),
            trust_env=False,
        )

    def request(self, method: str, path: str, *, content: object, params: Params) -> Answer:
        """Send a request and return the answer."""
        body = None if content is None else orjson.dumps(content)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            return self._client.request(method, path, content=body, params=params, headers=headers)
        except httpx.HTTPError as error:
            template = "The app at {url} does not answer ({reason}). Start it again."
            url, reason = str(self._client.base_url), type(error).__name__
            raise InputError(
                problem("app_unreachable", template, url=url, reason=reason)
            ) from error

    def work(self) -> AbstractContextManager[object]:
        """Do nothing: the running app works by itself."""
        return nullcontext()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class OwnDoor:
    """The API of an app inside this process, opened for one command."""

    def __init__(self, runtime: Runtime) -> None:
        from regulars.jobs import Jobs
        from regulars.web import create_app

        self._runtime = runtime
        self._jobs = Jobs(runtime)
        self._jobs.bring_up_to_date()
        self._loop = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(runtime, self._jobs)),
            base_url="http://127.0.0.1",
            headers={"Authorization": f"Bearer {runtime.local_token}"},
        )

    def request(self, method: str, path: str, *, content: object, params: Params) -> Answer:
        """Send a request and return the answer."""
        body = None if content is None else orjson.dumps(content)
        headers = {} if body is None else {"Content-Type": "application/json"}
        return self._loop.run(
            self._client.request(method, path, content=body, params=params, headers=headers)
        )

    @contextmanager
    def work(self) -> Iterator[None]:
        """Work jobs in threads while the block runs."""
        self._jobs.start()
        try:
            yield
        finally:
            self._jobs.stop()

    def close(self) -> None:
        """Close the client, its loop and the home."""
        self._loop.run(self._client.aclose())
        self._loop.close()
        self._runtime.close()


def connect(
    home: Path | None = None, *, settings: Settings | None = None, clock: Clock = system_clock
) -> ApiClient:
    """Return a client of the app that has this home open, or of one opened for this command."""
    settings = settings or (Settings(home=home) if home is not None else Settings())
    running = find_running(settings.home_folder)
    if running is not None and _answers(running):
        return ApiClient(HttpDoor(running))
    return ApiClient(OwnDoor(open_runtime(settings=settings, clock=clock)))


def _answers(running: Running) -> bool:
    try:
        httpx.get(f"{running.url}/health", timeout=3, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def _problems(told: Any) -> Sequence[Problem]:
    """Read the problems of an answer; every answer of the API that refuses has some."""
    listed = told.get("errors") or [] if isinstance(told, dict) else []
    return read_problems(listed) or [problem("refused", "{text}", text=_first_message(told))]


def read_problems(listed: Iterable[Mapping[str, Any]]) -> Sequence[Problem]:
    """Read problems or notes as the API tells them, in English."""
    keys = ("suggestion", "start", "length", "line", "column", "field", "row")
    return [
        Problem(
            str(one.get("code", "refused")),
            "{text}",
            {"text": one.get("message", "")},
            **{key: one.get(key) for key in keys},
        )
        for one in listed
    ]


def _first_message(told: Any) -> str:
    if isinstance(told, dict):
        listed = told.get("errors") or [{}]
        return str(listed[0].get("message") or told.get("detail") or told.get("title") or told)
    return str(told)
