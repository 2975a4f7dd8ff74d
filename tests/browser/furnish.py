"""Something on every page: one of everything that a shop can have, made through the app itself."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import orjson

from regulars import static_segments
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.uploads import Upload
from regulars.segments import edit_segment
from regulars.web import team
from tests.web.world import World

MANIFEST = {
    "name": "Spring guests",
    "created": "2024-04-01",
    "source": "csv",
    "tags": [{"tag": "spring", "given": "2024-04-02", "customers": 2}],
    "trackings": [],
}
GUESTS = "email\nana@shop.example\nnobody@shop.example\nnot an address\n"


@contextmanager
def furnished(world: World, url: str) -> Iterator[Furnished]:
    """Make everything, and keep the connection with which one asks for pages."""
    headers = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
    with httpx.Client(base_url=url, headers=headers) as client:
        yield Furnished(world, client)


class Furnished:
    """What was made, as the values of the places in the addresses of pages."""

    def __init__(self, world: World, client: httpx.Client) -> None:
        self.world = world
        self._client = client
        self._client.post(f"/sign-in/{world.sign_in_token()}")
        vip = world.segment("VIP", "amount_spent >= 30000")
        world.segment("Quiet", "NOT last_order_date >= -90d")
        world.segment("VIP, quiet", "segment = 'VIP' AND segment = 'Quiet'")
        self.places = {
            "segment_id": str(vip),
            "customer_id": "ana",
            "static_id": self._static(),
            **self._tags(vip),
            "tracking_id": self._tracking(vip),
            "upload_id": self._upload(),
            "conversation_id": "1",
            "endpoint_id": self._endpoint(),
            "key_id": self._key(),
            "csv_segment_id": self._csv_segment(),
            "token": self._invitation(),
        }
        self._made("/help/messages", text="Where is my tag?")
        self._two_versions(vip)

    def get(self, address: str) -> httpx.Response:
        """Ask for a page as a browser does, without following where it leads."""
        return self._client.get(address, headers={"HX-Request": "", "Accept": "text/html"})

    def _made(self, to: str, /, **fields: str) -> str:
        """Send a form and return the number at the end of the address that it leads to."""
        answer = self._client.post(to, data=fields)
        assert answer.status_code < 300, answer.text
        return answer.headers.get("hx-redirect", "").rpartition("/")[2]

    def _tags(self, segment_id: int) -> dict[str, str]:
        # Only a connected shop has tags; this one is connected just so long.
        self._connect("demo.myshopify.com")
        address = f"/segments/{segment_id}/assign-tag"
        made = {
            "assignment_id": self._made(address, tag="regular"),
            "rule_id": self._made(address, tag="kept", mode="sync"),
        }
        self._connect(None)
        return made

    def _connect(self, domain: str | None) -> None:
        with self.world.runtime.office.session() as session:
            session.get_one(Shop, self.world.shop.id).domain = domain

    def _tracking(self, segment_id: int) -> str:
        today = self.world.now.astimezone(self.world.shop.zone).date().isoformat()
        period = {"starts_on": today, "ends_on": today, "population": "order_time"}
        self._made("/tracking", segment=str(segment_id), name="A", **period)
        return self._made("/tracking", segment=str(segment_id), name="B", **period)

    def _upload(self, **fields: str) -> str:
        files = {"file": ("guests.csv", GUESTS.encode(), "text/csv")}
        answer = self._client.post("/segments/upload", files=files, data=fields)
        upload_id = re.search(r"/upload/(\d+)", answer.headers["hx-redirect"]).group(1)
        self._made(f"/segments/upload/{upload_id}/columns", **{"column-0": "email"})
        self._wait_for_check(int(upload_id))
        return upload_id

    def _wait_for_check(self, upload_id: int) -> None:
        """The app's own worker checks the rows."""
        for _ in range(600):
            with self.world.runtime.office.reading() as session:
                if session.get_one(Upload, upload_id).state != "checking":
                    return
            threading.Event().wait(0.05)
        raise TimeoutError("the upload is still being checked")

    def _csv_segment(self) -> str:
        """One with two uploads: the last one can be taken back."""
        segment_id = self._made(f"/segments/upload/{self._upload()}/save", name="Guests")
        again = self._upload(segment=segment_id)
        self._made(f"/segments/upload/{again}/save", mode="add")
        return segment_id

    def _two_versions(self, segment_id: int) -> None:
        with self.world.runtime.office.session() as session:
            segment = session.get_one(Segment, segment_id)
            act = {"query": "amount_spent >= 29000", "author": "Owner", "now": self.world.now}
            edit_segment(session, self.world.shop, segment, **act)

    def _static(self) -> str:
        found = static_segments.import_static(
            self.world.jobs.uploads(self.world.shop),
            io.BytesIO(GUESTS.encode()),
            static_segments.read_manifest(orjson.dumps(MANIFEST)),
            file_name="spring.csv",
            author="operator",
            now=self.world.now,
        )
        return str(found.id)

    def _endpoint(self) -> str:
        """One that is switched off: nothing is sent from here."""
        self._made(
            "/settings/endpoints",
            kind="webhook",
            address="https://programs.example/regulars",
            events="customers.joined",
        )
        self._made("/settings/endpoints/1/switch", to="off")
        return "1"

    def _key(self) -> str:
        answer = self._client.post("/settings/keys", data={"name": "Warehouse", "scope": "read"})
        return re.search(r"/settings/keys/(\d+)/revoke", answer.text).group(1)

    def _invitation(self) -> str:
        act = team.Act("Owner", self.world.now)
        with self.world.runtime.office.session() as session:
            _row, token = team.invite(
                session,
                act,
                login="eve@shop.example",
                role="member",
                shop_ids=[self.world.shop.id],
            )
        return token
