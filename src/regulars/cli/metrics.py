"""regulars segments metrics: six figures of a segment, now and by day."""

from __future__ import annotations

from typing import Annotated

import typer

from regulars.cli import segments, terminal


@segments.app.command()
def metrics(
    segment: segments.Segment,
    shop: terminal.Shop,
    days: Annotated[int, typer.Option(help="So many days back.", min=1)] = 365,
    as_json: terminal.AsJson = False,
) -> None:
    """Show the figures of a segment; money is in the currency's smallest unit."""
    with terminal.connect() as api:
        told = api.get(segments.path(shop, segment, "metrics"), days=days)
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (name.replace("_", " "), _said(name, value), _said(name, told["change"][name]))
        for name, value in told["now"].items()
    ]
    terminal.tell_table(("Figure", "Now", "Change"), rows)
    terminal.tell("The change is against the mean of the last 7 days.")
    terminal.tell(f"Days told with --json: {len(told['days']):,}")


def _said(name: str, value: float | None) -> str | float | None:
    return f"{value:.1%}" if name == "repeat_rate" and value is not None else value
