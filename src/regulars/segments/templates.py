"""Templates: sixty rules to start from, in fourteen families, with thresholds that can be adjusted.

A row is a name in two languages and a query with places; what the rule says in words is read from
the query itself. Places are filled with the figures asked for, else with what the shop's own data
knows best (its most ordered product type, its busiest campaign). Recipes are groups of rules that
add up: everybody is in exactly one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib import resources

from regulars.errors import InputError, NotFoundError, problem
from regulars.warehouse import Warehouse
from regulars.warehouse.templates import usual_values

_FAMILY = re.compile(r"\[(\w+)\] (.+) \| (.+)")
_PLACE = re.compile(r"\{(\w+)=?([^{}]*)\}")
#: A tenth of a usual order, in whole units; elsewhere the US dollar's.
_MONEY = {"JPY": 100, "KRW": 1300, "TWD": 30, "INR": 80, "CNY": 7, "THB": 35, "VND": 25_000}
#: Of two figures in one rule the first is the smaller one.
_ORDERED = (("low", "money"), ("near", "far"))
#: Places filled from the shop's data, with what stands there in a shop that has none.
TEXTS = {
    "type": "Tea",
    "type2": "Coffee",
    "vendor": "Vendor",
    "product": "1",
    "source": "google",
    "medium": "email",
    "campaign": "spring",
    "referrer": "google.com",
    "code": "WELCOME",
    "order_tag": "gift",
    "order_tag2": "wholesale",
    "customer_tag": "vip",
    "customer_tag2": "newsletter",
    "country": "JP",
    "country2": "US",
    "region": "JP-13",
    "region2": "JP-27",
    "channel": "web",
}


@dataclass(frozen=True, slots=True)
class Family:
    """A family of templates."""

    key: str
    name: str
    name_ja: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """One figure or text of a template that can be adjusted."""

    name: str
    #: "days", "count", "money" or "text".
    kind: str
    default: str


@dataclass(frozen=True, slots=True)
class Template:
    """One rule to start from."""

    key: str
    family: str
    name: str
    name_ja: str
    #: The query with places like {days=90}; {money=300} is told in US dollars.
    pattern: str

    def title(self, language: str) -> str:
        """Return the name in a language."""
        return self.name_ja if language == "ja" else self.name


@dataclass(frozen=True, slots=True)
class Recipe:
    """A group of rules that add up: each customer matches exactly one."""

    key: str
    name: str
    name_ja: str
    #: Name in English, name in Japanese, pattern.
    parts: tuple[tuple[str, str, str], ...]
    #: The smallest figures with which the parts still add up.
    least: Mapping[str, int] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """All parts as one text, for the places in it."""
        return " ".join(pattern for _name, _name_ja, pattern in self.parts)

    def title(self, language: str) -> str:
        """Return the name in a language."""
        return self.name_ja if language == "ja" else self.name


RECIPES = (
    Recipe(
        "stages",
        "Stages of a customer",
        "顧客のステージ",
        (
            ("No order yet", "未購入", "number_of_orders = 0"),
            ("New", "新規", "number_of_orders = 1 AND last_order_date >= -{days=90}d"),
            ("Repeat", "リピート", "number_of_orders >= 2 AND last_order_date >= -{days=90}d"),
            ("Lapsed", "休眠", "number_of_orders >= 1 AND NOT last_order_date >= -{days=90}d"),
        ),
    ),
    Recipe(
        "frequency",
        "How often they buy",
        "購入回数",
        (
            ("Never", "0回", "number_of_orders = 0"),
            ("Once", "1回", "number_of_orders = 1"),
            ("Several times", "2回以上", "number_of_orders BETWEEN 2 AND {count=4}"),
            ("Regulars", "常連", "number_of_orders > {count=4}"),
        ),
        {"count": 2},
    ),
    Recipe(
        "money",
        "What they have spent",
        "累計購入額",
        (
            ("Small", "少額", "amount_spent < {low=50}"),
            ("Middle", "中間", "amount_spent >= {low=50} AND amount_spent < {money=300}"),
            ("Large", "高額", "amount_spent >= {money=300}"),
        ),
    ),
)


def _read(text: str) -> tuple[Sequence[Family], Mapping[str, Template]]:
    """Read templates.txt: families in brackets, the rules of each below it."""
    families: list[Family] = []
    rules: dict[str, Template] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        heading = _FAMILY.fullmatch(line)
        if heading is not None:
            families.append(Family(*heading.groups()))
            continue
        key, name, name_ja, pattern = line.split(" | ")
        rules[key] = Template(key, families[-1].key, name, name_ja, pattern)
    return tuple(families), rules


FAMILIES, TEMPLATES = _read(
    (resources.files("regulars.segments") / "templates.txt").read_text(encoding="utf-8")
)


def find_template(key: str) -> Template:
    """Return a template; raises NotFoundError."""
    if key not in TEMPLATES:
        template = 'There is no template "{key}".'
        command = "regulars templates list --shop NAME"
        raise NotFoundError(problem("no_template", template, key=key[:60], command=command))
    return TEMPLATES[key]


def find_recipe(key: str) -> Recipe:
    """Return a recipe; raises NotFoundError."""
    for one in RECIPES:
        if one.key == key:
            return one
    raise NotFoundError(problem("no_recipe", 'There is no recipe "{key}".', key=key[:60]))


def thresholds(pattern: str, currency: str, known: Mapping[str, str]) -> Sequence[Threshold]:
    """Return what can be adjusted in a pattern; `known` are the usual texts of the shop."""
    found: dict[str, Threshold] = {}
    for match in _PLACE.finditer(pattern):
        name, default = match.groups()
        kind = _kind(name)
        if kind == "money":
            default = str(int(default) * _MONEY.get(currency, 1))
        elif kind == "text":
            default = known.get(name, TEXTS[name])
        found.setdefault(name, Threshold(name, kind, default))
    return tuple(found.values())


def fill(
    pattern: str, currency: str, known: Mapping[str, str], given: Mapping[str, str] | None = None
) -> str:
    """Return the query of a pattern with these thresholds; InputError names what cannot be used."""
    values = {one.name: one for one in thresholds(pattern, currency, known)}
    unknown = sorted(set(given or {}) - set(values))
    if unknown:
        template = 'This rule has nothing called "{name}" to adjust. There is: {names}.'
        raise InputError(
            problem("no_threshold", template, name=unknown[0], names=", ".join(values))
        )
    asked = {name: (given or {}).get(name, one.default) for name, one in values.items()}
    texts = {name: _written(values[name], text) for name, text in asked.items()}
    for smaller, larger in _ORDERED:
        if (
            smaller in texts
            and larger in texts
            and Decimal(texts[smaller]) > Decimal(texts[larger])
        ):
            template = "{smaller} cannot be more than {larger}."
            raise InputError(
                problem(
                    "threshold_order",
                    template,
                    smaller=texts[smaller],
                    larger=texts[larger],
                    field=smaller,
                )
            )
    return _PLACE.sub(lambda match: texts[match.group(1)], pattern)


def fill_recipe(
    recipe: Recipe,
    currency: str,
    known: Mapping[str, str],
    given: Mapping[str, str],
    language: str,
) -> Sequence[tuple[str, str]]:
    """Return name and query of each part; InputError where figures would make parts overlap."""
    fill(recipe.pattern, currency, known, given)
    for name, least in recipe.least.items():
        if name in given and Decimal(given[name].strip()) < least:
            template = "{name} has to be {least} or more here."
            raise InputError(
                problem("threshold_small", template, name=name, least=least, field=name)
            )
    return [
        (
            name_ja if language == "ja" else name,
            fill(pattern, currency, known, _own(pattern, given)),
        )
        for name, name_ja, pattern in recipe.parts
    ]


def known_values(warehouse: Warehouse) -> Mapping[str, str]:
    """Return the usual texts of a shop by place: its most ordered product type and so on."""
    with warehouse.reader() as cursor:
        return usual_values(cursor)


def _own(pattern: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """Return those of the figures that a part has places for; other parts may have more."""
    own = {match.group(1) for match in _PLACE.finditer(pattern)}
    return {name: text for name, text in given.items() if name in own}


def _kind(name: str) -> str:
    if name in TEXTS:
        return "text"
    if name in {"money", "low"}:
        return "money"
    return "count" if name == "count" else "days"


def _written(one: Threshold, text: str) -> str:
    clean = text.strip()
    if one.kind == "text":
        if one.name == "product":
            return clean
        escaped = clean.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    try:
        number = Decimal(clean)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0 or (one.kind != "money" and number % 1):
        template = '"{text}" cannot be used for {name}: write a number.'
        raise InputError(
            problem("threshold_number", template, text=clean[:40], name=one.name, field=one.name)
        )
    return f"{number:f}"
