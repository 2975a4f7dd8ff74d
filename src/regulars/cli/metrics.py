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
        (name.replace("_", " "), _short(value), _short(told["change"][name]))
        for name, value in told["now"].items()
    ]
    terminal.tell_table(("Figure", "Now", "Change"), rows)
    terminal.tell(f"{len(told['days']):,} days are stored.")


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}" if value % 1 else f"{value:,.0f}"
