"""The guide has a section with a picture for each screen that the menu and its tabs lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.visitor import Node, Visitor

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = {"en": DOCS / "using.md", "ja": DOCS / "ja" / "using.md"}


def links(root: Node) -> Iterator[str]:
    """Name the screens that the menu, the foot of the side and the tabs lead to."""
    for group in root.all("nav", "ul"):
        if group.tag == "nav" or group.get("class") == "side-links":
            # The first tab of a screen is the screen itself.
            found = [one.text for one in group.all("a") if one.get("href") != "/settings"]
            yield from found


def sections(guide: Path) -> dict[str, str]:
    """Return the text of each section by its heading."""
    parts = re.split(r"^##+ (.+)$", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("language", GUIDES)
def test_each_screen_of_the_menu_has_a_section_with_its_picture(visitor: Visitor, language: str):
    guide = GUIDES[language]
    written = sections(guide)
    screens = {
        screen
        for address in ("/settings", "/insights")
        for screen in links(visitor.ask("GET", address, accept_language=language).root)
    }

    assert len(screens) >= 15
    assert sorted(screens - set(written)) == []
    for screen in screens:
        pictures = re.findall(r"!\[.+?\]\((.+?)\)", written[screen])
        # What is made of several screens shows them in its parts.
        if screen not in {"Insights", "分析"}:
            assert pictures, screen
        assert all((guide.parent / one).is_file() for one in pictures), screen


def test_both_guides_have_the_same_sections():
    headings = [re.findall(r"^(##+) ", one.read_text("utf-8"), re.M) for one in GUIDES.values()]

    assert headings[0] == headings[1]
