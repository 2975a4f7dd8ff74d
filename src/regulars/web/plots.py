"""What static/plots.js draws a plot from; numbers as people read them, money in whole units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

Kind = Literal["bar", "line"]
#: A line's or bar group's name and its values, one for each label; None: nothing is known.
Series = tuple[str, Sequence[float | None]]


def plot_spec(
    kind: Kind,
    labels: Sequence[str],
    series: Iterable[Series],
    form: str = "number",
    *,
    across: bool = False,
    pale: Sequence[bool] = (),
) -> dict[str, Any]:
    """Return what a plot is drawn from.

    `form` is "number", "percent" (of a hundred) or a currency; `across` lays bars from left to
    right; `pale` marks the labels whose values are not known for certain.
    """
    return {
        "kind": kind,
        "labels": list(labels),
        "series": [
            {"name": name, "values": list(values), "pale": list(pale)} for name, values in series
        ],
        "format": form,
        "across": across,
    }
