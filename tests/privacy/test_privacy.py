"""Personal data leaves when asked, sums stay; a shop's end leaves nothing of it."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from regulars import privacy, tags
from regulars.jobs import Event, live
from regulars.office import Shop, Token, audit, create_shop, read_token, save_token
from regulars.office.models.base import Base
from regulars.office.models.installation import KeptAnswer
from regulars.office.models.privacy import PrivacyRequest
from regulars.office.models.segments import Segment
from regulars.office.models.support import Message
from regulars.office.models.tags import TagAudience
from regulars.segments import uploads
from regulars.warehouse.facts import AddressFact, CustomerDeleted, CustomerFact, MetafieldFact
from regulars.warehouse.personal import rows_about
from tests.web.visitor import Visitor
from tests.web.world import open_world, order_fact

CANARY = "zqcanaryqz"
PERSON = "7001"


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path) as opened:
        with opened.runtime.office.session() as session:
            session.get_one(Shop, opened.shop.id).domain = "demo.myshopify.com"
        opened.shop.domain = "demo.myshopify.com"
        yield opened


def known(world) -> None:
    """Make a person of whom each field says something that is nowhere else."""
    fact = CustomerFact(
        customer_id=PERSON,
        display_name=f"Name {CANARY}",
        email=f"{CANARY}@shop.example",
        phone="+819012345678",
        note=f"Note {CANARY}",
        language="ja",
        tags=(f"tag {CANARY}",),
        addresses=(AddressFact(country_code="JP", city=CANARY, zip=CANARY),),
        metafields=(MetafieldFact(key="a.b", type="single_line_text_field", value=CANARY),),
        updated_at=world.now,
    )
    order = order_fact(f"{PERSON}-1", PERSON, world.now, 12_345)
    live.apply_facts(world.runtime, world.shop, [fact, order], now=world.now)


def receive(world, topic: str, payload: dict, event_id: str = "event") -> None:
    body = json.dumps(payload).encode()
    world.jobs.inbox.put(Event(world.shop.id, topic, event_id, world.now, body))
    world.work()


def about_person() -> dict:
    return {
        "shop_domain": "demo.myshopify.com",
        "customer": {"id": int(PERSON), "email": f"{CANARY}@shop.example", "phone": "555"},
        "orders_requested": [],
        "orders_to_redact": [],
    }


def requests(world) -> list[PrivacyRequest]:
    with world.runtime.office.reading() as session:
        return list(privacy.list_requests(session, world.shop))


def everything(world) -> str:
    """Return every row of the office and of the warehouse as text."""
    told = []
    with world.runtime.office.reading() as session:
        for table in Base.metadata.sorted_tables:
            told += [str(tuple(row)) for row in session.execute(select(table))]
    with world.runtime.warehouse(world.shop).reader() as cursor:
        names = cursor.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal")
        for (name,) in names.fetchall():
            told += [str(row) for row in cursor.execute("FROM query_table(?)", [name]).fetchall()]
    return "\n".join(told)


def spent(world) -> int:
    with world.runtime.warehouse(world.shop).reader() as cursor:
        return cursor.execute("SELECT sum(total_amount) FROM orders").fetchall()[0][0]


def visitor_of(world) -> Visitor:
    found = Visitor(world.app)
    found.sign_in(world.sign_in_token())
    return found


def test_a_data_request_waits_as_a_file_that_holds_everything(world):
    known(world)
    receive(world, "customers/data_request", about_person())
    receive(world, "customers/data_request", about_person())
    (one,) = requests(world)
    assert (one.kind, one.author, one.state) == ("export", "Shopify", "open")

    visitor = visitor_of(world)
    page = visitor.get("/settings/privacy")
    file = visitor.press(page, f"Download the file: {PERSON}")
    told = json.loads(file.body)
    assert "attachment" in file.headers["content-disposition"]
    with world.runtime.warehouse(world.shop).reader() as cursor:
        number = world.runtime.warehouse(world.shop).customer_nos([PERSON])[PERSON]
        assert set(told["data"]) == set(rows_about(cursor, number))
    for part in ("customers", "addresses", "metafields", "customer_tags", "orders", "lines"):
        assert told["data"][part], part
    assert file.body.count(CANARY) >= 6
    assert [one.state for one in requests(world)] == ["done"]
    assert "exported a customer's data" in visitor.get("/settings/audit").text


def test_after_a_redaction_nothing_is_left_and_sums_are_as_before(world):
    known(world)
    segment = world.segment("Everybody", "number_of_orders >= 0")
    with world.runtime.office.session() as session:
        save_token(session, world.runtime.sealer, world.shop, Token("shpat_x"), world.now)
        shop = session.get_one(Shop, world.shop.id)
        shop.kind = "shopify"
        row = session.get_one(Segment, segment)
        tags.assign(session, shop, row, "x", [PERSON, "ana"], author="ana", now=world.now)
    before = spent(world)
    receive(world, "customers/redact", about_person())

    assert CANARY not in everything(world)
    assert "+819012345678" not in everything(world)
    assert spent(world) == before
    assert world.runtime.memberships(world.shop).count(segment) == 44
    assert [(one.kind, one.state) for one in requests(world)] == [("redaction", "done")]
    with world.runtime.office.reading() as session:
        rows = session.scalars(select(TagAudience)).all()
    assert PERSON not in {one.customer_id for one in rows}
    assert len(rows) == 2


PHONE, NAME = "+819012345678", "Hanako Yamada"
EMAIL = f"{CANARY}@shop.example"


def left_in_files(home: Path, *texts: str) -> dict[str, list[str]]:
    """Which files still hold one of these, logs and what is not yet in its file included.

    Pages that DuckDB has freed are written over as the file is used, which nobody can hasten.
    """
    found = {}
    for path in home.rglob("*"):
        if path.is_file() and ".duckdb" not in path.name:
            held_bytes = path.read_bytes()
            if held_bytes.startswith(b"\x1f\x8b"):
                held_bytes = gzip.decompress(held_bytes)
            held = [one for one in texts if one.encode() in held_bytes]
            found |= {path.name: held} if held else {}
    return found


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_redaction_reaches_files_chats_and_kept_answers(world, is_forgotten):
    """`is_forgotten`: the customer was deleted before; only the webhook knows the addresses."""
    home = world.runtime.settings.home_folder
    known(world)
    person = CustomerFact(
        customer_id=PERSON,
        display_name=NAME,
        email=EMAIL,
        phone=PHONE,
        updated_at=world.now + timedelta(minutes=1),
    )
    live.apply_facts(world.runtime, world.shop, [person], now=world.now)
    if is_forgotten:
        gone = CustomerDeleted(PERSON, person.updated_at)
        live.apply_facts(world.runtime, world.shop, [gone], now=world.now)
    rejects = home / "imports" / "demo-1.csv"
    rejects.parent.mkdir(exist_ok=True)
    rejects.write_text(f"file,line,reason,row\na,2,no,{EMAIL}\na,3,no,ana@shop.example\n")
    uploads = "/api/v1/shops/demo/uploads/content?file_name="
    visitor = visitor_of(world)
    ours = {"hx_request": "true", "sec_fetch_site": "same-origin"}
    for name, content in FILES.items():
        told = visitor.ask("POST", f"{uploads}{name}.csv", content=content, **ours)
        assert told.status == 202, told.body
    text = f"{NAME} ({EMAIL.upper()}, ０９０-1234-5678, {PERSON}) has no tag; Hana and 17001 have."
    asked = json.dumps({"text": text, "page": f"/customers/{PERSON}"}).encode()
    sent = {"content": asked, "content_type": "application/json", "idempotency_key": "one", **ours}
    visitor.ask("POST", "/api/v1/shops/demo/conversation", **sent)
    world.work()
    before = left_in_files(home, EMAIL, PERSON, CANARY)
    assert {"demo-1.csv", "1.csv", "3.csv", "office.db-wal"} <= set(before)

    payload = about_person()
    payload["customer"] |= {"email": EMAIL, "phone": PHONE}
    receive(world, "customers/redact", payload)
    with world.runtime.office.reading() as session:
        request, message = (
            session.scalars(select(PrivacyRequest)).one(),
            session.scalars(select(Message)).one(),
        )
        kept = session.scalars(select(KeptAnswer)).all()

    assert request.state == "done"
    assert left_in_files(home, EMAIL, EMAIL.upper(), CANARY, PHONE) == {}
    assert rejects.read_text("utf-8-sig").splitlines()[1:] == ["a,3,no,ana@shop.example"]
    assert gzip.decompress((home / "uploads" / "3.csv").read_bytes()).decode("cp932") == (
        'メール;備考\r\nana@shop.example;"花\r\n子"\r\n'
    )
    assert (home / "uploads" / "2.csv").read_bytes() == FILES["others"]
    name = NAME if is_forgotten else "[erased]"
    assert message.text == (
        f"{name} ([erased], [erased], [erased]) has no tag; Hana and 17001 have."
    )
    assert (message.page, kept) == ("/customers/[erased]", [])


def test_a_redaction_reaches_an_upload_that_is_being_checked(world):
    known(world)
    parts = world.jobs.uploads(world.shop)
    content = io.BytesIO(f"email\nana@shop.example\n{CANARY}@shop.example\n".encode())
    upload = uploads.receive(parts, content, file_name="a.csv", author="ana", now=world.now)
    with world.runtime.office.session() as session:
        uploads.begin_check(session, world.shop, upload.id, ["email"])
    reads = []

    def told(done: int, _whole: int) -> None:
        reads.append(done)
        if len(reads) == 1:
            receive(world, "customers/redact", about_person())

    uploads.run_check(parts, upload.id, told)

    with world.runtime.office.reading() as session:
        counts = uploads.find_upload(session, world.shop, upload.id).counts
    world.runtime.warehouse(world.shop).checkpoint()
    world.runtime.office.checkpoint()
    assert (counts["matched"], sum(counts.values()), len(reads)) == (1, 1, 2)
    assert left_in_files(world.runtime.settings.home_folder, CANARY) == {}


#: Uploads that nobody went on with: plain, about others, and packed in another encoding.
FILES = {
    "plain": f"email,note\nana@shop.example,a\n{EMAIL},b\n".encode(),
    "others": b"email\nbo@shop.example\n",
    "packed": gzip.compress(
        f'メール;備考\r\n{EMAIL};"太\r\n郎"\r\nana@shop.example;"花\r\n子"\r\n'.encode("cp932")
    ),
}


def test_what_comes_late_does_not_bring_a_redacted_person_back(world):
    known(world)
    receive(world, "customers/redact", about_person())
    known(world)

    assert CANARY not in everything(world)


def test_a_person_of_the_shop_may_ask_as_well_and_has_to_be_sure(world):
    known(world)
    visitor = visitor_of(world)
    page = visitor.get("/settings/privacy")
    asked = {"Customer_ID": PERSON, "What_to_do": "redaction"}
    refused = visitor.press(page, "Go on", **asked)
    assert refused.status == 422
    form = {"customer_id": PERSON, "kind": "redaction", "sure": "on"}
    token = next(
        one.get("value") for one in page.root.all("input") if one.get("name") == "form_token"
    )
    visitor.post("/settings/privacy", {**form, "form_token": token})
    world.work()

    assert CANARY not in everything(world)
    assert "answered about personal data" in visitor.get("/settings/audit").text


def test_an_uninstalled_shop_loses_its_token_and_later_everything(world, tmp_path):
    known(world)
    runtime, shop = world.runtime, world.shop
    world.segment("Everybody", "number_of_orders >= 0")
    with runtime.office.session() as session:
        save_token(session, runtime.sealer, shop, Token("shpat_secret"), world.now)
        other = create_shop(session, name="other", now=world.now)
    receive(world, "app/uninstalled", {}, "one")
    with runtime.office.reading() as session:
        assert read_token(session, runtime.sealer, shop.id) is None
        assert session.get_one(Shop, shop.id).disconnected_at == world.now

    path = runtime.warehouse(shop).path
    receive(world, "shop/redact", {"shop_domain": shop.domain}, "two")
    assert not path.exists()
    with runtime.office.reading() as session:
        assert session.get(Shop, shop.id) is None
        assert session.get(Shop, other.id) is not None
        for table in Base.metadata.sorted_tables:
            if "shop_id" in table.c and table.name != "audit_entries":
                left = session.execute(select(table).where(table.c.shop_id == shop.id)).all()
                assert left == [], table.name
        assert audit.list_entries(session, act="shop_erased")[0].about == shop.name
        assert audit.verify(session).broken_at is None
    with runtime.office.session() as session:
        assert create_shop(session, name="demo", now=world.now).id > other.id


def test_a_late_uninstall_and_the_word_to_erase_do_not_harm_a_shop_that_came_back(world):
    runtime, shop = world.runtime, world.shop
    with runtime.office.session() as session:
        saved_at = world.now.replace(year=world.now.year + 1)
        save_token(session, runtime.sealer, shop, Token("shpat_secret"), saved_at)
    receive(world, "app/uninstalled", {}, "one")

    with runtime.office.reading() as session:
        assert session.get_one(Shop, shop.id).disconnected_at is None
        assert read_token(session, runtime.sealer, shop.id) is not None


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_compliance_webhooks_are_answered_at_once_and_forged_ones_refused(world, topic):
    secret = "shh"
    world.runtime.settings.api_secret = SecretStr(secret)
    body = json.dumps(about_person()).encode()
    good = b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    visitor = Visitor(world.app)
    for signature, status in ((good, 200), ("forged", 401)):
        headers = {
            "x_shopify_hmac_sha256": signature,
            "x_shopify_topic": topic,
            "x_shopify_shop_domain": "demo.myshopify.com",
            "x_shopify_webhook_id": signature,
        }
        assert visitor.ask("POST", "/webhooks/shopify", content=body, **headers).status == status
