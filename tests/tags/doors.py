"""The three ways in: the pages, the API and the commands of one running app, beside one Shopify.

The app answers on a port; its jobs are worked by the test, so that nothing happens by itself.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Protocol

import httpx
import uvicorn

from regulars.bootstrap.home import announced, open_runtime
from regulars.bootstrap.serving import bind
from regulars.clock import system_clock
from regulars.errors import ShopifyError
from regulars.jobs import Jobs
from regulars.office import Token
from regulars.runtime import connect_shop
from regulars.settings import Settings
from regulars.simulator.serve import Pretend, PretendShop, open_app, served
from regulars.simulator.simulator import DEMO_TOKEN
from regulars.tags import Worker
from regulars.tags.shopify_side import ShopifyTags
from tests.web.world import World

CUSTOMERS = 12
EVERYBODY = "number_of_orders >= 0"


class Installation(World):
    """An app on a port with one shop of a pretend Shopify."""

    def __init__(self, runtime, shopify: Pretend) -> None:
        self.shopify = shopify.simulator
        self.token = DEMO_TOKEN
        shop = connect_shop(runtime, self.shopify.shop.domain, Token(DEMO_TOKEN), name="demo")
        jobs = Jobs(runtime)
        with runtime.office.session() as session:
            jobs.backfill_later(session, shop)
        jobs.run_until_idle()
        super().__init__(runtime, jobs, shop)

    def having(self, tag: str) -> int:
        """Return how many customers have exactly this text as a tag."""
        return sum(tag in one.tags for one in self.shopify.shop.customers.values())

    def work_and(self, happens: Callable[[], object]) -> None:
        """Work until the first customers are through; then something happens, and it goes on."""
        happened = []

        def checkpoint(name: str) -> None:
            if name == "outcome stored" and not happened:
                happened.append(happens())

        port = ShopifyTags(self.runtime.shopify(self.shop), calls_at_once=1)
        clock = self.runtime.clock
        worker = Worker(
            self.runtime.office, self.shop.id, port, clock, checkpoint=checkpoint, batch_size=5
        )
        with suppress(ShopifyError):
            worker.run()
        self.work()

    def connect_again(self) -> None:
        """Give the app a good token, as the settings page and `shops connect` do."""
        self.token += "-again"
        self.shopify.tokens.grant(self.token)
        self.shop = connect_shop(self.runtime, self.shopify.shop.domain, Token(self.token))
        self.go_on()

    def go_on(self) -> None:
        with self.runtime.office.session() as session:
            self.jobs.work_tags_later(session, self.shop)
        self.work()


@contextmanager
def open_installation(folder: Path) -> Iterator[Installation]:
    """Open an installation whose app answers on a port, for commands too."""
    with served(open_app(PretendShop(CUSTOMERS, rate=1000.0)), bind("127.0.0.1", 0)) as shopify:
        settings = Settings(home=folder / "home", simulator_url=shopify.url)
        with open_runtime(settings=settings, clock=system_clock) as runtime:
            installation = Installation(runtime, shopify)
            bound = bind("127.0.0.1", 0)
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            config = uvicorn.Config(installation.app, log_level="warning", access_log=False)
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
            thread.start()
            try:
                with announced(runtime, url):
                    installation.url = url
                    yield installation
            finally:
                server.should_exit = True
                thread.join()


@dataclass
class Said:
    """What a door answered: the words, and the number of what was made, if anything was."""

    words: str
    id: int | None = None

    @property
    def is_refused(self) -> bool:
        return self.id is None


class Door(Protocol):
    """One way in."""

    def close(self) -> None: ...

    def assign(self, segment: str, tag: str) -> Said: ...

    def keep(self, segment: str, tag: str) -> Said: ...

    def show(self, assignment_id: int) -> str: ...

    def history(self) -> str: ...


class Pages:
    """What staff see."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._client = httpx.Client(
            base_url=installation.url,
            headers={"Sec-Fetch-Site": "same-origin"},
            trust_env=False,
            timeout=30,
        )
        self._client.post(f"/sign-in/{installation.sign_in_token()}")

    def close(self) -> None:
        self._client.close()

    def assign(self, segment: str, tag: str, **fields: str) -> Said:
        address = f"/segments/{self._installation.numbers.get(segment, 999)}/assign-tag"
        asked = {"tag": tag, **fields}
        answer = self._client.post(address, data=asked, headers={"HX-Request": "true"})
        made = re.search(r"/(\d+)$", answer.headers.get("HX-Redirect", ""))
        return Said(_words(answer.text), int(made[1]) if made else None)

    def keep(self, segment: str, tag: str) -> Said:
        return self.assign(segment, tag, mode="sync")

    def show(self, assignment_id: int) -> str:
        return _words(self._client.get(f"/tags/{assignment_id}").text)

    def history(self) -> str:
        return _words(self._client.get("/tags").text)


class Api:
    """What other programs are answered."""

    def __init__(self, installation: Installation) -> None:
        token = installation.runtime.local_token
        self._client = httpx.Client(
            base_url=f"{installation.url}/api/v1/shops/demo",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=30,
        )

    def close(self) -> None:
        self._client.close()

    def assign(self, segment: str, tag: str, path: str = "/tags") -> Said:
        answer = self._client.post(path, json={"segment": segment, "tag": tag})
        if answer.status_code == 201:
            return Said(answer.text, answer.json()["id"])
        assert answer.headers["content-type"] == "application/problem+json"
        return Said(_plain(answer.json()))

    def keep(self, segment: str, tag: str) -> Said:
        return self.assign(segment, tag, "/tag-rules")

    def show(self, assignment_id: int) -> str:
        return _plain(self._client.get(f"/tags/{assignment_id}").json())

    def history(self) -> str:
        return _plain(self._client.get("/tags").json())


class Commands:
    """What the operator reads."""

    def __init__(self, regulars: Callable[..., Any]) -> None:
        self._regulars = regulars

    def close(self) -> None:
        """There is nothing open between two commands."""

    def assign(self, segment: str, tag: str, *words: str) -> Said:
        words = ("tags", *(words or ("assign",)), "--shop", "demo")
        told = self._regulars(*words, "--segment", segment, "--tag", tag, "--json")
        if told.code == 0:
            return Said(told.out, told.json["id"])
        assert told.code == 2, told.err
        return Said(_one_line(told.err))

    def keep(self, segment: str, tag: str) -> Said:
        return self.assign(segment, tag, "rules", "create")

    def show(self, assignment_id: int) -> str:
        told = self._regulars("tags", "show", assignment_id, "--shop", "demo")
        return _one_line(told.out + told.err)

    def history(self) -> str:
        return _one_line(self._regulars("tags", "history", "--shop", "demo").out)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _words(page: str) -> str:
    text = unescape(re.sub(r"<[^>]+>", "", page))
    # What the other doors tell with straight quotation marks.
    return _one_line(re.sub("[“”]", '"', text))


def _plain(answer: Any) -> str:
    """Return the values of an answer, one after the other."""
    if isinstance(answer, dict):
        return " ".join(f"{key}={_plain(one)}" for key, one in answer.items())
    if isinstance(answer, list):
        return " ".join(map(_plain, answer))
    return str(answer)
