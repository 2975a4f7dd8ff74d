"""An httpx transport that reaches the simulator in the same process, without sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from regulars.simulator.simulator import Answer, Request, Simulator

if TYPE_CHECKING:
    from starlette.applications import Starlette

CHUNK_BYTES = 256 * 1024


class FileStream(httpx.SyncByteStream):
    """The bytes of a file, a piece at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece


class SimulatorTransport(httpx.BaseTransport):
    """Answers every host's requests from one simulator; raises what a real network would."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request out."""
        url = request.url
        answer = self.simulator.answer(
            Request(
                method=request.method,
                host=url.host,
                path=url.path,
                query=dict(url.params),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.read(),
                origin=f"{url.scheme}://{url.netloc.decode()}",
            )
        )
        return self.told(request, answer)

    def told(self, request: httpx.Request, answer: Answer) -> httpx.Response:
        """Return the answer, or raise when it is lost or later than the client waits."""
        patience = request.extensions.get("timeout", {}).get("read")
        if patience is not None and answer.delay_seconds > patience:
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        if answer.lost:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            )
        if answer.file is not None:
            headers = {**answer.headers, "Content-Length": str(answer.file.stat().st_size)}
            return httpx.Response(answer.status, headers=headers, stream=FileStream(answer.file))
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def transport(served: Simulator | Starlette) -> httpx.BaseTransport:
    """Return a transport to a simulator, or to the app that serves it."""
    simulator = served if isinstance(served, Simulator) else served.state.simulator
    return SimulatorTransport(simulator)
