"""The way in: finds the commands, and turns errors into words and exit codes.

0: done. 2: the input is wrong, and the message says what to do. 70: our own fault.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import secrets
import sys
from collections.abc import Callable

import typer

import regulars.cli
from regulars.cli import terminal
from regulars.errors import InputError, ShopifyError

INPUT_WRONG = 2
OUR_FAULT = 70
INTERRUPTED = 130


def main() -> None:
    """Run the command and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        told = _command()(arguments, prog_name="regulars", standalone_mode=False)
    except InputError as error:
        terminal.tell_problems(error)
        return INPUT_WRONG
    except ShopifyError as error:
        terminal.warn(str(error))
        return INPUT_WRONG
    except (KeyboardInterrupt, typer.Abort):
        terminal.warn("Stopped.")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last place: logged, and told with its reference
        return _other(error)
    return told if isinstance(told, int) else 0


@functools.cache
def _command() -> Callable[..., object]:
    """Build the commands, once: that takes longer than a small command itself."""
    return typer.main.get_command(build_app()).main


def build_app() -> typer.Typer:
    """Put the commands of every file of this folder together."""
    app = typer.Typer(
        name="regulars",
        help="Customer segments for Shopify stores: live, exact, on your own machine.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for module in sorted(pkgutil.iter_modules(regulars.cli.__path__), key=lambda one: one.name):
        topic = importlib.import_module(f"{regulars.cli.__name__}.{module.name}")
        commands = getattr(topic, "commands", None)
        if callable(commands):
            commands(app)
        elif isinstance(getattr(topic, "app", None), typer.Typer):
            app.add_typer(topic.app, name=module.name)
    return app


def _other(error: Exception) -> int:
    """Answer for what is neither a person's mistake nor Shopify's: usage errors, and bugs."""
    show = getattr(error, "show", None)
    if callable(show) and hasattr(error, "exit_code"):
        show()
        return int(error.exit_code)
    if hasattr(error, "exit_code"):
        return int(error.exit_code)
    reference = secrets.token_hex(4)
    terminal.log_fault(error, reference)
    terminal.warn(f"Something went wrong on our side (reference {reference}): {error}")
    return OUR_FAULT
