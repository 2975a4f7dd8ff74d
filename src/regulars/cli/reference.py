"""The page docs/commands.md, made from the commands: `python -m regulars.cli.reference`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from regulars.cli.main import build_app

HEAD = """# Commands

Written by `python -m regulars.cli.reference` from the commands; do not edit by hand.

Every command works on the home folder that `REGULARS_HOME` names. While the app runs on it,
commands go through the app. Reading commands take `--json`, which tells instants exactly; a table
shows them to the minute in the zone that its heading names. Exit codes: 0 done, 2 the input is
wrong and the message says what to do, 70 our own fault.
"""


def page() -> str:
    """Return the page as Markdown."""
    return HEAD + "".join(_sections(typer.main.get_command(build_app()), "regulars"))


def _sections(command: Any, name: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield _section(command, name)
        return
    for word in sorted(inner):
        yield from _sections(inner[word], f"{name} {word}")


def _section(command: Any, name: str) -> str:
    parameters = [one for one in command.params if one.name != "help"]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option"]
    usage = " ".join([name, *(_written(one) for one in arguments)])
    rows = "".join(f"* `{_written(one)}` {_told(one)}\n" for one in [*arguments, *options])
    return f"\n## {usage}\n\n{_sentence(command.help)}\n" + (f"\n{rows}" if rows else "")


def _written(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def _told(parameter: Any) -> str:
    told = _sentence(parameter.help)
    if parameter.param_type_name == "option" and parameter.required:
        return f"{told} Required."
    return told


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def main() -> None:
    """Write the page to the path given, or to docs/commands.md."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/commands.md")
    path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
