"""Whoever is told who single customers are stands in the audit log: page, API, file alike.

Every route is asked. Where an answer names customers there is an entry of who was told, where and
when; where it does not, there is none, so that the log says what it says. A new route is asked by
itself.
"""

from __future__ import annotations

import re

import orjson
import pytest

from regulars.office import Shop, audit
from regulars.office.models.jobs import Job
from regulars.web import access
from regulars.web import api as api_room
from regulars.web import pages as page_room
from regulars.web.pages.segments import TABS
from tests.web.described import CREATED
from tests.web.test_downloads import LIST
from tests.web.test_pages_and_api import routes
from tests.web.visitor import Visitor

#: Acts that say that somebody was told of single customers.
TOLD = ("customers_seen", "members_exported", "log_exported", "customer_exported")
#: What names a customer of this world: an address, a name, a number that stands for itself.
NAMES = re.compile(
    r"@shop\.example|>Ana<|\bCustomer \d{3}\b|\"ana\"|/customers/ana|Customer ana|^ana,",
    re.MULTILINE,
)
PLACES = {"shop": "demo", "segment": "VIP", "customer": "ana", "customer_id": "ana", "key": "vip"}
RULE = {"query": "amount_spent >= 30000"}
#: Addresses that show more than one thing, by what is asked.
ASKED = {
    "/segments/{segment_id:int}": [f"?tab={tab}" for tab in TABS],
}
#: Questions that are sent as a POST, with what is sent.
QUESTIONS = {
    "/segments/preview": RULE,
    "/segments/why": {**RULE, "customer": "ana"},
    "/segments/test-customer": {**RULE, "who": "ana"},
    "/shops/{shop}/explain": {**RULE, "customer": "ana"},
    "/shops/{shop}/queries/near-misses": {"query": "amount_spent >= 21000"},
    "/shops/{shop}/count": RULE,
    "/shops/{shop}/privacy-requests/{request_id}/file": {},
}
#: The number of a comparison that found something.
COMPARED = 1_000
#: Never end, or end the visit.
NOT_ASKED = {"/help/stream", "/shops/{shop}/stream"}


@pytest.fixture(scope="module")
def owner(world) -> Visitor:
    """Somebody who may see everything, in a shop that has one of everything."""
    world.segment("VIP", "amount_spent >= 30000")
    with world.runtime.office.session() as session:
        session.get_one(Shop, world.shop.id).domain = "demo.myshopify.com"
        one = {"kind": "customers", "id": "ana", "attribute": "email", "ours": None, "theirs": None}
        result = {"differing": 1, "differences": [one], "kinds": []}
        work = {"state": "succeeded", "due_at": world.now, "finished_at": world.now}
        session.add(
            Job(
                id=COMPARED,
                shop_id=world.shop.id,
                kind="compare",
                cursor={"result": result},
                created_at=world.now,
                **work,
            )
        )
    found = Visitor(world.app)
    found.sign_in(world.sign_in_token())
    for path, asked in CREATED:
        if path != "/conversation":
            assert api(found, "POST", f"/shops/demo{path}", asked).status < 300
    world.segment("Often", "number_of_orders >= 3")
    world.order("ana", 100, order_id="another")
    world.work()
    for file in range(2):
        content = {"content": LIST, "hx_request": "true", "sec_fetch_site": "same-origin"}
        found.ask("POST", f"/api/v1/shops/demo/uploads/content?file_name={file}.csv", **content)
        world.work()
        if not file:
            api(found, "POST", "/shops/demo/uploads/1/application", {"name": "Guests"})
    world.work()
    return found


def api(visitor: Visitor, method: str, path: str, asked: object = None):
    content = orjson.dumps(asked) if asked is not None else None
    headers = {"content_type": "application/json"} if asked is not None else {}
    ours = {"hx_request": "true", "sec_fetch_site": "same-origin"}
    return visitor.ask(method, f"/api/v1{path}", content=content, **headers, **ours)


def looks(world) -> int:
    with world.runtime.office.reading() as session:
        return sum(len(audit.list_entries(session, act=act, limit=500)) for act in TOLD)


def numbers_in(path: str) -> tuple[int, ...]:
    """What stands in a path for numbers: of most things there are two."""
    if "{job_id}" in path:
        return (COMPARED,)
    return (1, 2) if "_id" in path else (1,)


def questions(visitor: Visitor):
    """Each route that answers a question, asked: its path and the answer."""
    for package in (page_room, api_room):
        for method, path in routes(package):
            if path in NOT_ASKED or (method != "GET" and path not in QUESTIONS):
                continue
            for number in numbers_in(path):
                place = re.sub(
                    r"\{([^}:]+)[^}]*\}",
                    lambda one, number=number: str(PLACES.get(one[1], number)),
                    path,
                )
                for more in ASKED.get(path, [""]):
                    sent = QUESTIONS.get(path)
                    yield path + more, ask(visitor, package, method, place + more, sent)


def ask(visitor: Visitor, package: object, method: str, place: str, sent: dict | None):
    if package is api_room:
        return api(visitor, method, place, sent)
    if method == "GET":
        return visitor.get(place)
    return visitor.post(place, sent or {}, hx_request="true")


def test_whoever_is_told_of_customers_stands_in_the_log(world, owner):
    # That a file left is noted whatever is in it; here there is no problem with a tag.
    may_be_empty = re.compile(r".*(\.csv|/problems)")
    unnoted, needless, told = set(), set(), set()
    asking = questions(owner)
    before = looks(world)
    while (asked := next(asking, None)) is not None:
        path, answer = asked
        world.app.state.looks = access.Looks()
        names, after = bool(NAMES.search(answer.body)) and answer.status == 200, looks(world)
        if names:
            told.add(path)
        if names and after == before:
            unnoted.add(path)
        if not names and answer.status == 200 and after > before:
            needless.add(path)
        before = after

    needless = {one for one in needless - told if not may_be_empty.fullmatch(one)}
    assert (sorted(unnoted), sorted(needless)) == ([], []), (unnoted, needless)
    assert len(told) >= 20


def test_a_key_that_reads_definitions_is_not_told_whom_a_comparison_found(world, owner):
    made = api(owner, "POST", "/shops/demo/keys", {"name": "reads", "scope": "read"})
    key = {"authorization": f"Bearer {orjson.loads(made.body)['key']}"}
    for path in ("/live", f"/jobs/{COMPARED}"):
        told = Visitor(world.app).ask("GET", f"/api/v1/shops/demo{path}", **key)

        assert (told.status, '"differing":1' in told.body, '"ana"' in told.body) == (
            200,
            True,
            False,
        )
