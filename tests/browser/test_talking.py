"""A whole conversation in two windows: it comes without reloading, and nothing opens by itself."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def test_staff_ask_and_the_operator_answers_while_both_look(open_page, member_token, picture):
    asking, answering = open_page("ja", token=member_token()), open_page("en")
    asking.goto("/segments")
    panel = asking.locator("#help-panel")
    expect(panel).to_be_hidden()
    answering.goto("/tags")
    before = waiting(answering)

    # Help is opened by the keyboard; what fits this page is offered before anybody is asked.
    asking.locator("#help-button").focus()
    asking.keyboard.press("Enter")
    expect(panel).to_be_visible()
    expect(panel.locator(".topic").first).to_be_visible()
    panel.get_by_role("searchbox").fill("CSV")
    expect(panel.locator("summary", has_text="CSVファイルから")).to_be_visible()
    picture(asking, "talk-1-panel")
    write(panel.locator("textarea"), "タグはいつ付きますか")
    expect(panel.locator(".message.mine").last).to_contain_text("タグはいつ付きますか")

    # The other window learns of it where it is, without reloading.
    expect(answering.locator("#inbox-badge")).to_contain_text(str(before + 1))
    answering.get_by_role("link", name="Inbox").click()
    row = answering.get_by_role("row", name="Bo")
    expect(row).to_contain_text("1 unread")
    picture(answering, "talk-2-inbox")
    row.get_by_role("link", name="Bo").click()
    expect(answering.get_by_text("Written on /segments")).to_be_visible()

    # Meanwhile the panel is closed; the answer only shows as a number on the button.
    asking.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(asking.locator("#help-button")).to_be_focused()
    write(answering.get_by_label("Your answer"), "Within seconds.")
    expect(answering.locator(".message.mine").last).to_contain_text("Within seconds.")
    expect(asking.locator("#help-badge .unread")).to_contain_text("1")
    expect(panel).to_be_hidden()

    asking.locator("#help-button").click()
    expect(panel.locator(".message.theirs").last).to_contain_text("Within seconds.")
    expect(asking.locator("#help-badge .unread")).to_have_count(0)
    # With both windows open, an answer appears in the log itself.
    write(answering.get_by_label("Your answer"), "And taken off as quickly.")
    expect(panel.locator(".message.theirs").last).to_contain_text("And taken off as quickly.")
    picture(asking, "talk-3-answered")


def waiting(page: Page) -> int:
    text = page.locator("#inbox-badge").inner_text()
    return int("".join(filter(str.isdigit, text)) or 0)


def write(field, text: str) -> None:
    """Write as Japanese is written: the Enter that ends a composition sends nothing."""
    field.fill(text)
    field.dispatch_event(
        "keydown", {"key": "Enter", "keyCode": 229, "bubbles": True, "cancelable": True}
    )
    expect(field).to_have_value(text)
    field.press("Enter")
    expect(field).to_have_value("")
