"""Every command, argument and option is told in docs/commands.md."""

from __future__ import annotations

from regulars.cli.reference import page
from tests.house.source import ROOT


def test_the_page_is_made_from_the_commands():
    # Made anew with: python -m regulars.cli.reference
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == page()


def test_every_command_and_option_has_help():
    silent = [
        line
        for line in page().splitlines()
        if line.startswith("* ") and line.rstrip().removesuffix("Required.").strip().endswith("`")
    ]

    assert silent == []
