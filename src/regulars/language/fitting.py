"""Whether a value fits what it is compared with: one rule per kind, and hints for texts.

Answers with a problem without a place, or None; `checker` knows the places.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from regulars.errors import Problem, problem
from regulars.language import literals, places
from regulars.language.catalogue import Kind
from regulars.language.problems import nearest, shown
from regulars.language.tree import (
    Boolean,
    Day,
    Literal,
    Moment,
    Number,
    Point,
    RelativeDay,
    Text,
)

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)
_ID_MAX = 2**64 - 1
# More than any currency or measure needs, and exact in every place where it is compared.
_DECIMALS_MAX = 9
_GID = re.compile(r"gid://shopify/\w+/(\d{1,20})")
# A number in quotes; "007" is none, and can be an ID of an imported file.
_WHOLE = re.compile(r"(0|[1-9][0-9]{0,19})")


def fits(
    kind: Kind, value: Literal, *, name: str, example: str, values: tuple[str, ...] = ()
) -> Problem | None:
    """Return what is wrong with comparing `name` of this kind with `value`, or None."""
    if kind is Kind.ENUM:
        return _enum(value, name, example, values)
    found = _RULES[kind](value, name, example)
    if found is None and isinstance(value, Text) and name in _HINTS:
        return _HINTS[name](value.value)
    return found


def _given(value: Literal) -> str:
    return shown(literals.written(value))


def _whole(value: Literal, name: str, example: str) -> Problem | None:
    if not isinstance(value, Number) or _decimals(value.value):
        return problem(
            "whole_number_expected",
            "`{name}` is compared with a whole number, not with {given}. Example: `{example}`.",
            name=name,
            given=_given(value),
            example=example,
        )
    return _in_int64(value.value, name)


def _in_int64(value: Decimal, name: str) -> Problem | None:
    if INT64_MIN <= value <= INT64_MAX:
        return None
    return problem(
        "number_out_of_range",
        "A number for `{name}` lies between {least} and {most}.",
        name=name,
        least=INT64_MIN,
        most=INT64_MAX,
    )


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _number(value: Literal, name: str, example: str) -> Problem | None:
    if not isinstance(value, Number):
        return problem(
            "number_expected",
            "`{name}` is compared with a number, not with {given}. Example: `{example}`.",
            suggestion=_bare_number(value),
            name=name,
            given=_given(value),
            example=example,
        )
    if _decimals(value.value) > _DECIMALS_MAX:
        return problem(
            "too_many_decimals",
            "A number for `{name}` has at most {most} decimals.",
            name=name,
            most=_DECIMALS_MAX,
        )
    return _in_int64(value.value, name)


def _bare_number(value: Literal) -> str | None:
    if isinstance(value, Text) and re.fullmatch(r"\s*-?\d{1,18}(\.\d{1,9})?\s*", value.value):
        return value.value.strip()
    return None


def _day(value: Literal, name: str, example: str) -> Problem | None:
    if isinstance(value, Day | Moment | RelativeDay):
        return None
    if isinstance(value, Text):
        bare, _ = literals.read(value.value) if value.value else (None, None)
        named = value.value in ("today", "yesterday")
        if named or isinstance(bare, Day | Moment | RelativeDay):
            return problem(
                "quoted_day",
                "A day is written without quotes: {suggested}.",
                suggestion=value.value,
                suggested=value.value,
            )
    return problem(
        "day_expected",
        "`{name}` is compared with a day, not with {given}. Example: `{example}`.",
        name=name,
        given=_given(value),
        example=example,
    )


def _anniversary(value: Literal, name: str, example: str) -> Problem | None:
    if isinstance(value, Moment):
        return problem(
            "day_expected",
            "`{name}` is compared with a day, not with {given}. Example: `{example}`.",
            suggestion=value.value.date().isoformat(),
            name=name,
            given=_given(value),
            example=example,
        )
    return _day(value, name, example)


def _id(value: Literal, name: str, example: str) -> Problem | None:
    """Take a number, or the text that an imported file gives as an ID."""
    if isinstance(value, Number) and not _decimals(value.value) and 0 <= value.value <= _ID_MAX:
        return None
    suggestion = None
    if isinstance(value, Text):
        found = _GID.fullmatch(value.value) or _WHOLE.fullmatch(value.value)
        if found is None and value.value.strip():
            return _text(value, name, example)
        suggestion = found[1] if found else None
    return problem(
        "id_expected",
        "`{name}` is compared with the number of an ID, without quotes and prefix, not with"
        " {given}. Example: `{example}`.",
        suggestion=suggestion,
        name=name,
        given=_given(value),
        example=example,
    )


def _text(value: Literal, name: str, example: str) -> Problem | None:
    if not isinstance(value, Text):
        return problem(
            "text_expected",
            "`{name}` is compared with text in single quotes, not with {given}."
            " Example: `{example}`.",
            suggestion=literals.quoted(literals.written(value)),
            name=name,
            given=_given(value),
            example=example,
        )
    if not all(literals.is_allowed_character(c) for c in value.value):
        return problem("character_in_text", "The text holds a character that it cannot hold.")
    return None


def _name(value: Literal, name: str, example: str) -> Problem | None:
    if isinstance(value, Text) and not value.value.strip():
        return problem(
            "name_empty",
            "`{name}` is compared with a name. Example: `{example}`.",
            name=name,
            example=example,
        )
    return _text(value, name, example)


def _enum(value: Literal, name: str, example: str, values: tuple[str, ...]) -> Problem | None:
    if not isinstance(value, Text):
        return _text(value, name, example)
    if value.value in values:
        return None
    meant = nearest(value.value, values)
    return problem(
        "unknown_value",
        "`{name}` has no value {given}. Its values are {values}.",
        suggestion=literals.quoted(meant) if meant else None,
        name=name,
        given=_given(value),
        values=", ".join(values),
    )


def _point(value: Literal, name: str, example: str) -> Problem | None:
    if isinstance(value, Point):
        return None
    return problem(
        "point_expected",
        "`{name}` is compared with a point, not with {given}. Example: `{example}`.",
        name=name,
        given=_given(value),
        example=example,
    )


def _metafield(value: Literal, name: str, example: str) -> Problem | None:
    if isinstance(value, Number):
        return _number(value, name, example)
    if isinstance(value, Text):
        return _text(value, name, example)
    if isinstance(value, Day | Moment | RelativeDay | Boolean):
        return None
    return problem(
        "metafield_value",
        "A metafield is compared with text, a number, a day, true or false, not with {given}.",
        given=_given(value),
    )


_RULES: dict[Kind, Callable[[Literal, str, str], Problem | None]] = {
    Kind.TEXT: _text,
    Kind.TEXT_LIST: _text,
    Kind.NAME: _name,
    Kind.INTEGER: _whole,
    Kind.DECIMAL: _number,
    Kind.MONEY: _number,
    Kind.DAY: _day,
    Kind.ANNIVERSARY: _anniversary,
    Kind.ID: _id,
    Kind.ID_LIST: _id,
    Kind.POINT: _point,
    Kind.METAFIELD: _metafield,
}


def _country(text: str) -> Problem | None:
    if places.is_country(text):
        return None
    meant = places.country_meant(text)
    return problem(
        "country_form",
        "A country is written as two letters, such as 'JP' or 'US', not as {given}.",
        suggestion=literals.quoted(meant) if meant else None,
        given=shown(literals.quoted(text)),
    )


def _region(text: str) -> Problem | None:
    if places.is_region(text):
        return None
    meant = places.region_meant(text)
    return problem(
        "region_form",
        "A region is written as country and region, such as 'JP-13' or 'US-CA', not as {given}.",
        suggestion=literals.quoted(meant) if meant else None,
        given=shown(literals.quoted(text)),
    )


def _city(text: str) -> Problem | None:
    if places.is_city(text):
        return None
    return problem(
        "city_form",
        "A city is written as country, region and name without spaces, such as"
        " 'US-NY-NewYorkCity' or 'JP-13-Shibuya', not as {given}.",
        suggestion=_without_spaces(text),
        given=shown(literals.quoted(text)),
    )


def _without_spaces(text: str) -> str | None:
    tight = re.sub(r"\s+", "", text)
    return literals.quoted(tight) if places.is_city(tight) else None


def _language(text: str) -> Problem | None:
    if not text or places.is_language(text):
        return None
    return problem(
        "language_form",
        "A language is written as its code, such as 'ja', 'en' or 'en-US', not as {given}.",
        given=shown(literals.quoted(text)),
    )


def _domain(text: str) -> Problem | None:
    if "@" not in text:
        return None
    return problem(
        "domain_form",
        "`customer_email_domain` is compared with what follows the @: {suggested}.",
        suggestion=literals.quoted(text.rsplit("@", 1)[1]),
        suggested=shown(literals.quoted(text.rsplit("@", 1)[1])),
    )


_HINTS: dict[str, Callable[[str], Problem | None]] = {
    "customer_countries": _country,
    "customer_regions": _region,
    "customer_cities": _city,
    "customer_language": _language,
    "customer_email_domain": _domain,
}
