"""Every error that a person can cause or can do something about.

What is not one of these is a bug of ours. `code` is a stable lowercase word, listed in
docs/errors.md and never reused. The message says what is wrong with the person's own text, what is
allowed, and the next step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping


class Names(tuple[str, ...]):
    """Names that a message lists, each in the quotation marks of the language it is told in."""

    __slots__ = ()

    def told(self, translate: Callable[[str], str]) -> str:
        """Return the names in a row, through a translation of their marks."""
        one = translate('"{name}"')
        return translate(", ").join(one.format(name=name) for name in self)


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    `template` is an English sentence with `{named}` places, so that the web can look up its
    translation before filling in `values`. `line` counts from 1 and `column` from 0, as Shopify's
    own messages do; `start` and `length` are in characters of the query text. `suggestion` is a
    text that may replace the marked one. `command` lists what there is; a page says its own next
    step instead.
    """

    code: str
    template: str
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)
    suggestion: str | None = None
    start: int | None = None
    length: int | None = None
    line: int | None = None
    column: int | None = None
    field: str | None = None
    row: int | None = None
    command: str | None = None

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.told(str)

    def told(self, translate: Callable[[str], str]) -> str:
        """Return the sentence, and the command if there is one, through a translation."""
        if self.command is None:
            return self.sentence(translate)
        command = self.command.format(**self.values)
        next_step = translate("List them with: {command}").format(command=command)
        return f"{self.sentence(translate)} {next_step}"

    def sentence(self, translate: Callable[[str], str]) -> str:
        """Return the sentence alone, through a translation of its template."""
        values = {
            place: value.told(translate) if isinstance(value, Names) else value
            for place, value in self.values.items()
        }
        return translate(self.template).format(**values)


class RegularsError(Exception):
    """The root of the errors below, never raised itself."""


class InputError(RegularsError):
    """What a person gave us cannot be used; nothing was changed."""

    def __init__(self, *problems: Problem) -> None:
        if not problems:
            raise ValueError("an InputError names at least one problem")
        self.problems: tuple[Problem, ...] = problems
        super().__init__("\n".join(problem.message for problem in problems))

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code


class QueryError(InputError):
    """A query text that cannot be read or checked; holds all its problems at once."""


class UploadError(InputError):
    """A file that cannot be read, or whose rows cannot be used."""


class LimitError(InputError):
    """A named limit was passed."""


class ConflictError(InputError):
    """The request was right for an earlier state, or something else stands in its way."""


class NotFoundError(InputError):
    """The named thing does not exist in this shop."""


class PermissionDenied(InputError):
    """The person is not signed in, or may not do this."""


class ShopifyError(RegularsError):
    """Shopify did not do what we asked; the children say what can be done about it.

    `problem` is what is told, where it is told in words of ours.
    """

    def __init__(self, told: str | Problem) -> None:
        self.problem = told if isinstance(told, Problem) else None
        super().__init__(told.message if isinstance(told, Problem) else told)


class Throttled(ShopifyError):
    """The bucket is short; `wait_seconds` is the time until the same request fits."""

    def __init__(self, message: str, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(message)


class Refused(ShopifyError):
    """Shopify answered and said no: `userErrors`, a cost above the limit, a search warning."""


class Unavailable(ShopifyError):
    """No usable answer: connection lost, 5xx, not JSON. The same request may work later."""


class TokenRejected(ShopifyError):
    """The access token is not accepted: the shop has to be connected again."""


class ScopeMissing(ShopifyError):
    """The app lacks the access scope that Shopify names."""


def problem(
    code: str,
    template: str,
    *,
    field: str | None = None,
    row: int | None = None,
    suggestion: str | None = None,
    command: str | None = None,
    **values: object,
) -> Problem:
    """Build a Problem whose template and command are filled with `values`."""
    return Problem(code, template, values, suggestion, field=field, row=row, command=command)


def all_of(problems: Iterable[Problem], most: int = 10) -> tuple[Problem, ...]:
    """Keep the first `most` problems and say how many were left out."""
    listed = tuple(problems)
    if len(listed) <= most:
        return listed
    rest = problem("more_problems", "And {count} more.", count=len(listed) - most)
    return (*listed[:most], rest)
