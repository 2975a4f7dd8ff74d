"""Every file that leaves the app is in the audit log: once, by whoever took it."""

from __future__ import annotations

import io
import re

import orjson
import pytest

from regulars import static_segments
from regulars.office import Shop, audit
from regulars.web import api as api_room
from regulars.web import pages as page_room
from tests.web.test_pages_and_api import routes
from tests.web.test_team import api, key_of

ACTS = ("figures_exported", "log_exported", "members_exported")
LIST = b"email\nana@shop.example\nnobody@shop.example\n"
MANIFEST = {"name": "Spring", "created": "2024-04-01", "source": "csv", "tags": [], "trackings": []}
#: What stands in a place of an address; everything else is the first of its kind.
PLACES: dict[str, object] = {
    "shop": "demo",
    "segment": "VIP",
    "upload_id": 3,
    "customer_id": "ana",
    "customer": "ana",
}
#: A csv segment has what others do not: the second one is one.
SECOND = {"/segments/{segment_id:int}/list.csv"}
#: Holds nothing of the shop.
SAMPLE = "/segments/upload/sample.csv"
FIGURES = (
    "/insights?segment=1&segment=2",
    "/insights/features?segment=1",
    "/insights/cohorts?segment=1",
    "/insights/journey?segment=1&segment=2",
    "/tracking?segment=1",
)


@pytest.fixture(scope="module")
def stage(world):
    """A shop with a segment, a csv segment, a static segment and a tag assignment."""
    world.segment("VIP", "amount_spent >= 30000")
    with world.runtime.office.session() as session:
        session.get_one(Shop, world.shop.id).domain = "demo.myshopify.com"
    manifest = static_segments.read_manifest(orjson.dumps(MANIFEST))
    static_segments.import_static(
        world.jobs.uploads(world.shop),
        io.BytesIO(LIST),
        manifest,
        file_name="spring.csv",
        author="operator",
        now=world.now,
    )
    return world


@pytest.fixture
def key(stage, visitor) -> str:
    """A key that may do everything, of a shop whose list is applied and whose tag is given."""
    made = key_of(visitor, "write")
    base = "/shops/demo"
    api(stage, made, "POST", f"{base}/tags", json={"segment": "VIP", "tag": "regular"})
    named = {"file_name": "guests.csv"}
    api(stage, made, "POST", f"{base}/uploads/content", params=named, content=LIST)
    stage.work()
    asked = {"name": "Guests"}
    applied = api(stage, made, "POST", f"{base}/uploads/2/application", json=asked)
    assert applied.status_code < 300, applied.text
    api(stage, made, "POST", f"{base}/uploads/content", params=named, content=LIST)
    stage.work()
    return made


def noted(world) -> int:
    with world.runtime.office.reading() as session:
        return sum(len(audit.list_entries(session, act=act)) for act in ACTS)


def files(package: object) -> list[str]:
    found = []
    for method, path in routes(package):
        if method == "GET" and path.endswith(".csv") and path != SAMPLE:
            places = PLACES | ({"segment_id": 2} if path in SECOND else {})
            found.append(
                re.sub(r"\{([^}:]+)[^}]*\}", lambda one, at=places: str(at.get(one[1], 1)), path)
            )
    return found


def test_every_file_is_noted_once(stage, visitor, key):
    pages = [*files(page_room), *(f"{one}&format=csv" for one in FIGURES)]
    wrong = []
    for path in pages:
        before = noted(stage)
        page = visitor.get(path)
        is_file = page.headers["content-type"].startswith("text/csv")
        wrong += [] if is_file and noted(stage) == before + 1 else [(path, page.status)]
    for path in files(api_room):
        before = noted(stage)
        answer = api(stage, key, "GET", path)
        wrong += (
            []
            if answer.status_code == 200 and noted(stage) == before + 1
            else [(path, answer.text)]
        )

    assert wrong == []
    assert len(pages) >= 10
