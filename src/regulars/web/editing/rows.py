"""Rows of the builder: what a person sees and edits, as typed, whether it can be read or not."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Not an operator of the language: `>= -30d`, shown as "in the last 30 days".
IN_LAST_DAYS = "in_last_days"
#: `< -30d`, shown as "more than 30 days ago".
BEFORE_DAYS = "before_days"


@dataclass
class Detail:
    """One condition inside a function: `date >= -30d`."""

    name: str
    operator: str
    first: str = ""
    second: str = ""


@dataclass
class Condition:
    """One filter. Where `text` is set it is shown as text, and the other fields are empty."""

    attribute: str = ""
    operator: str = ""
    first: str = ""
    second: str = ""
    details: list[Detail] = field(default_factory=list)
    text: str | None = None


@dataclass
class Group:
    """Conditions and groups joined by AND or OR, perhaps negated as a whole."""

    joiner: str = "AND"
    negated: bool = False
    parts: list[Condition | Group] = field(default_factory=list)


def listed(typed: str) -> list[str]:
    """Return the values of a list as people type it: with commas, Japanese ones too."""
    parts = (part.strip() for part in typed.replace("、", ",").split(","))
    return [part for part in parts if part]
