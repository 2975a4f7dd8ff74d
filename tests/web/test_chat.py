"""The chat: stored once, seen by the right people, answered, and told by mail when nobody looks."""

from __future__ import annotations

import asyncio
import smtplib
from datetime import timedelta

import pytest

from regulars import support
from regulars.jobs import notices
from regulars.office import create_shop
from regulars.office.models.staff import Staff, StaffShop
from regulars.web import sessions
from regulars.web.pages import help as help_page
from tests.web.visitor import Visitor
from tests.web.world import NOW, World


@pytest.fixture(scope="module")
def member(world: World) -> Visitor:
    """Somebody of the shop who does not run the installation."""
    with world.runtime.office.session() as session:
        staff = Staff(login="bo@shop.example", name="Bo", role="member", created_at=world.now)
        session.add(staff)
        session.flush()
        session.add(StaffShop(staff_id=staff.id, shop_id=world.shop.id))
        token = sessions.create_sign_in_link(session, staff, world.now)
    found = Visitor(world.app)
    found.sign_in(token)
    return found


def test_what_a_member_writes_reaches_the_operator_and_back(visitor, member):
    member.press(member.get("/help?page=/tags"), "Send", Write_to_the_operator="Where is my <tag>?")
    inbox = visitor.get("/operator/inbox")
    assert "Where is my <tag>?" in inbox.text
    assert "1 unread" in inbox.text

    conversation = visitor.get(inbox.link("Bo"))
    assert "Written on /tags" in conversation.text
    answered = visitor.press(conversation, "Send", Your_answer="In the history.")
    assert "In the history." in answered.text

    page = member.get("/segments")
    assert "1unread answer" in page.text
    assert "In the history." in member.get("/help").text
    assert (
        "unread"
        not in visitor.get("/operator/inbox").root.text.replace("Inbox", "").split("Questions")[1]
    )


def test_sending_twice_stores_once(world, member):
    page = member.get("/help")
    for _ in range(2):
        member.press(page, "Send", Write_to_the_operator="Only once, please")

    assert member.get("/help").text.count("Only once, please") == 1


def test_an_empty_message_is_refused_beside_its_field(member):
    page = member.press(member.get("/help"), "Send", Write_to_the_operator="   ")

    assert page.status == 422
    assert page.field_problem("Write to the operator").startswith("Write something first.")


@pytest.mark.parametrize(
    "address", ["/operator/inbox", "/operator/inbox/1", "/operator/inbox/1/log"]
)
def test_the_inbox_is_for_owners(member, address):
    assert member.get(address).status == 403


def test_a_member_sees_only_the_shops_of_the_invitation(world, member, visitor):
    with world.runtime.office.session() as session:
        create_shop(session, name="other", title="Other shop", now=world.now)

    assert "Other shop" in visitor.get("/").text
    assert "Other shop" not in member.get("/").text


def test_a_question_is_answered_from_the_help_texts_in_both_languages(member):
    english = member.get("/help/suggestions?q=take%20a%20tag%20back&page=/tags")
    assert "How do I take a tag back?" in english.text
    assert "No answer was found" in member.get("/help/suggestions?q=zebra").text

    assert support.suggest("タグを外したい", "/tags", "ja")[0].key == "untag"


def test_each_help_text_is_whole_in_both_languages():
    english, japanese = support.help.topics("en"), support.help.topics("ja")

    assert [one.key for one in english] == [one.key for one in japanese]
    assert all(one.question and one.answer and one.pages for one in (*english, *japanese))


def test_the_stream_tells_the_one_it_concerns_and_ends_when_the_app_stops(world):
    news = world.runtime.news

    async def listen() -> list[bytes]:
        heard = []
        lines = help_page._lines(news, 7, is_operator=False)
        heard.append(await anext(lines))
        news.publish(1, "chat", staff_id=8)
        news.publish(1, "chat", staff_id=7)
        heard.append(await anext(lines))
        news.publish(0, "stopping")
        return heard + [line async for line in lines]

    assert asyncio.run(listen()) == [b": open\n\n", b"event: chat\ndata: new\n\n"]


def test_a_stream_is_not_for_strangers(world):
    assert Visitor(world.app).ask("GET", "/help/stream").status == 401


class Post(smtplib.SMTP):
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.letters = []

    def __exit__(self, *_error: object) -> None:
        pass

    def send_message(self, message, *_args, **_values):
        self.letters.append(message)
        return {}


def test_a_letter_is_plain_and_comes_from_the_account():
    post = Post()
    server = support.MailServer.of_url("smtps://me%40shop.example:secret@mail.example.com")
    letter = support.Letter("owner@shop.example", "New\nmessage", "Look: http://127.0.0.1", NOW)
    support.send(server, letter, lambda _server: post)

    (sent,) = post.letters
    assert sent["Subject"] == "New message"
    assert (sent["From"], server.port) == ("me@shop.example", 465)


def test_nobody_is_written_to_about_what_was_seen(world, member, visitor):
    member.press(member.get("/help"), "Send", Write_to_the_operator="Is anybody there?")
    with world.runtime.office.session() as session:
        owner = session.query(Staff).filter_by(role="owner").one()
        owner.login = "owner@shop.example"
        (row, *_rest) = support.list_inbox(session)

        assert notices.operator_addresses(session) == ["owner@shop.example"]
        support.see(session, row.conversation, by_operator=True)
    world.runtime.clock.instant += timedelta(minutes=3)
    world.work()

    assert "unread" not in visitor.get("/operator/inbox").text.split("Questions")[1]


def test_announcements_are_read_once_by_each_person(member, visitor):
    page = member.get("/news")
    assert "One kind of segment" in page.text
    assert page.text.count("new") > member.press(page, "Mark all as read").text.count("new")


def test_the_setup_card_stays_away_once_put_away(visitor, member):
    assert "Getting started" in visitor.get("/").text
    visitor.press(visitor.get("/"), "Do not show this any more")

    assert "Getting started" not in visitor.get("/").text
    assert "Getting started" in member.get("/").text
