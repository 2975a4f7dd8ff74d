"""Query tree → a plain sentence in English or Japanese, that a marketer would accept.

Total: every tree gets a sentence, also one that would not pass the checker. The phrases are in the
catalogue's rows; groups inside groups stand between brackets, so that a sentence reads one way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from regulars.language import wording
from regulars.language.catalogue import CATALOGUE, Attribute, Kind, ParameterRow, Role, Saying
from regulars.language.literals import written
from regulars.language.places import place_name
from regulars.language.tree import (
    And,
    AtLeast,
    Boolean,
    Day,
    Filter,
    Literal,
    Moment,
    Node,
    Not,
    Number,
    Operator,
    Parameter,
    Point,
    RelativeDay,
    Text,
)

_OPPOSITE = {
    Operator.EQ: Operator.NE,
    Operator.CONTAINS: Operator.NOT_CONTAINS,
    Operator.IS_NULL: Operator.IS_NOT_NULL,
    Operator.MATCHES: Operator.NOT_MATCHES,
}
_OPPOSITE |= {no: yes for yes, no in _OPPOSITE.items()}
_NEGATED = frozenset((Operator.NE, Operator.NOT_CONTAINS, Operator.NOT_MATCHES))
_AMOUNTS = frozenset((Kind.INTEGER, Kind.DECIMAL, Kind.MONEY))
_DAYS = (Day, Moment, RelativeDay)


#: Asked for titles: "product" or "collection", and some ids → the titles that are known.
Titles = Callable[[str, Sequence[str]], Mapping[str, str]]


def no_titles(of: str, ids: Sequence[str]) -> Mapping[str, str]:  # noqa: ARG001
    """Know no title: sentences then name things by their ids."""
    return {}


def describe(
    node: Node, language: str = "en", currency: str = "JPY", titles: Titles = no_titles
) -> str:
    """Say in plain words what the tree asks of a customer.

    `language` is "en" or "ja" (others read English), `currency` the shop's ISO code. Things whose
    title is known are called by it, with the id beside it.
    """
    return _Speaker("ja" if language == "ja" else "en", currency, titles).node(node)


class _Speaker:
    def __init__(self, language: str, currency: str, titles: Titles) -> None:
        self.language = language
        self.currency = currency
        self.titles = titles
        self.japanese = language == "ja"

    def node(self, node: Node) -> str:
        if isinstance(node, Filter):
            return self.filter(node)
        if isinstance(node, Not):
            return self.negation(node.part)
        parts = [self.part(part) for part in node.parts]
        if isinstance(node, AtLeast):
            if self.japanese:
                return f"次のうち{node.count}つ以上に当てはまる（{'／'.join(parts)}）"
            return f"at least {node.count} of these: ({'; '.join(parts)})"
        if self.japanese:
            return ("、かつ" if isinstance(node, And) else "、または").join(parts)
        return wording.joined(parts, "and" if isinstance(node, And) else "or")

    def part(self, node: Node) -> str:
        text = self.node(node)
        return self.bracketed(text) if _is_group(node) else text

    def bracketed(self, text: str) -> str:
        return f"（{text}）" if self.japanese else f"({text})"

    def negation(self, part: Node) -> str:
        if isinstance(part, Filter) and part.operator in _OPPOSITE:
            flipped = Filter(
                part.attribute,
                _OPPOSITE[part.operator],
                part.operands,
                part.parameters,
                part.key,
            )
            return self.filter(flipped)
        if isinstance(part, Not):
            return self.node(part.part)
        text = self.bracketed(self.node(part))
        return f"{text}に当てはまらない" if self.japanese else f"not {text}"

    def filter(self, leaf: Filter) -> str:
        row = CATALOGUE.get(leaf.attribute)
        if row is None:
            return self.unknown(leaf)
        saying = row.say_ja if self.japanese else row.say_en
        key = self.quote(leaf.key or "")
        if leaf.operator is Operator.IS_NULL:
            return (saying.missing or self.plain(row, missing=True)).replace("{key}", key)
        if leaf.operator is Operator.IS_NOT_NULL:
            return (saying.present or self.plain(row, missing=False)).replace("{key}", key)
        if leaf.operator in (Operator.MATCHES, Operator.NOT_MATCHES):
            return self.function(leaf, row, saying)
        special = row.special.get(self.special_key(leaf))
        if special is not None:
            return special[self.japanese]
        return self.compared(leaf, row, saying).replace("{key}", key)

    @staticmethod
    def special_key(leaf: Filter) -> str:
        """Name a comparison that has a sentence of its own: "= SUBSCRIBED"."""
        value = leaf.operands[0] if leaf.operands else None
        return f"{leaf.operator} {value.value}" if isinstance(value, Text) else ""

    def plain(self, row: Attribute, *, missing: bool) -> str:
        if self.japanese:
            return f"{row.label_ja}が{'ない' if missing else 'ある'}"
        return f"has {'no' if missing else 'some'} {row.label_en.lower()}"

    def unknown(self, leaf: Filter) -> str:
        values = ", ".join(written(value) for value in leaf.operands)
        return f"{leaf.attribute} {leaf.operator} {values}".strip()

    def compared(self, leaf: Filter, row: Attribute, saying: Saying) -> str:
        if not leaf.operands:
            return self.unknown(leaf)
        template = saying.yes
        operator = leaf.operator
        if row.kind is Kind.METAFIELD and isinstance(leaf.operands[0], _DAYS):
            template = (
                "メタフィールド{key}の日付が{value}"
                if self.japanese
                else "has the metafield {key} dated {value}"
            )
        elif operator in _NEGATED and saying.no:
            template, operator = saying.no, Operator.EQ
        value = self.value(operator, leaf.operands, row, exact=True)
        return template.replace("{value}", value)

    def value(
        self,
        operator: Operator,
        values: tuple[Literal, ...],
        row: Attribute | ParameterRow,
        *,
        exact: bool,
    ) -> str:
        """Put the compared values into words, by what they are and what they are compared with."""
        if not values:
            return ""
        if isinstance(values[0], _DAYS) and operator in wording.DAY_OPERATORS:
            return wording.when(operator, values, self.language)
        if row.kind in _AMOUNTS or (row.kind is Kind.METAFIELD and isinstance(values[0], Number)):
            return self.amount(operator, values, row, exact=exact)
        return wording.texts(operator, [self.word(one, row) for one in values], self.language)

    def amount(
        self,
        operator: Operator,
        values: tuple[Literal, ...],
        row: Attribute | ParameterRow,
        *,
        exact: bool,
    ) -> str:
        if self.japanese:
            operator, values = _at_least(operator, values, row)
            words = [self.amount_word(one, row, last=True) for one in values]
            return wording.compared(operator, words, self.language)
        unit = row.unit if row.unit is not None and row.unit.many else None
        zero = isinstance(values[0], Number) and values[0].value == 0
        if operator is Operator.EQ:
            word = self.amount_word(values[0], row, last=True)
            return f"no {unit.many}" if unit and zero else f"exactly {word}" if exact else word
        if operator is Operator.GT and zero and row.kind is Kind.INTEGER and unit:
            return f"at least one {unit.one}"
        words = [self.amount_word(one, row, last=False) for one in values]
        if unit is None:
            return wording.compared(operator, words, self.language)
        if operator is Operator.NE:
            return f"any number of {unit.many} but {words[0]}"
        phrase = wording.compared(operator, words, self.language).replace("less", "fewer")
        single = words[0] == "1" and operator in (Operator.GT, Operator.LT)
        return f"{phrase} {unit.one if single else unit.many}"

    def amount_word(self, value: Literal, row: Attribute | ParameterRow, *, last: bool) -> str:
        if not isinstance(value, Number):
            return self.word(value, row)
        if row.kind is Kind.MONEY:
            return wording.money(value.value, self.currency, self.language)
        return wording.counted(value.value, row.unit if last else None, self.language)

    def word(self, value: Literal, row: Attribute | ParameterRow) -> str:
        match value:
            case Text(text):
                return self.text(text, row)
            case Boolean(truth):
                return "true" if truth else "false"
            case Point():
                return written(value)
        if isinstance(value, Number):
            return wording.plain_number(value)
        return wording.day_name(value, self.language)

    def text(self, text: str, row: Attribute | ParameterRow) -> str:
        if not isinstance(row, Attribute):
            return self.quote(text)
        if text in row.value_names:
            return row.value_names[text][self.japanese]
        if (name := place_name(row.name, text, self.language)) is not None:
            return name
        return row.value_word[self.japanese] + self.quote(text)

    def quote(self, text: str) -> str:
        return f"「{text}」" if self.japanese else f"“{text}”"

    def function(self, leaf: Filter, row: Attribute, saying: Saying) -> str:
        base = saying.no if leaf.operator is Operator.NOT_MATCHES else saying.yes
        base = base or saying.yes
        found: list[tuple[int, str]] = []
        for parameter in leaf.parameters:
            known = row.parameter(parameter.name)
            if known is None:
                words = ", ".join(written(value) for value in parameter.operands)
                found.append((9, f"{parameter.name} {parameter.operator} {words}"))
            else:
                found.append((self.order(known), self.fragment(parameter, known)))
        fragments = [text for _, text in sorted(found, key=lambda pair: pair[0])]
        if self.japanese:
            return "".join(_with_pause(fragments)) + base
        return " ".join([base, *fragments])

    def order(self, known: ParameterRow) -> int:
        """Give the place of a parameter in the sentence."""
        if known.kind is Kind.POINT:
            return 0 if self.japanese else 8
        if known.role in (Role.COUNT, Role.SUM):
            return 4 if self.japanese else 6
        if known.kind is Kind.DAY:
            return 1 if self.japanese else 4
        if known.name.startswith("number"):
            return 2 if self.japanese else 5
        if known.unit is not None:
            return 3
        return 5 if self.japanese else 2

    def fragment(self, parameter: Parameter, known: ParameterRow) -> str:
        operator = Operator.EQ if known.role is Role.OPTION else parameter.operator
        negated = operator in (Operator.NE, Operator.NOT_IN) and known.kind in (Kind.TEXT, Kind.ID)
        if negated and not self.japanese:
            operator = Operator.EQ if operator is Operator.NE else Operator.IN
        exact = known.role in (Role.COUNT, Role.SUM) or bool(known.unit and known.unit.many)
        if titled := self.titled(parameter.operands, known):
            value = wording.texts(operator, titled, self.language)
            template = known.titled_ja if self.japanese else known.titled_en
        else:
            value = self.value(operator, parameter.operands, known, exact=exact)
            template = known.say_ja if self.japanese else known.say_en
        text = template.replace("{value}", value)
        return f"not {text}" if negated and not self.japanese else text

    def titled(self, values: Sequence[Literal], known: ParameterRow) -> list[str]:
        """Call ids by their titles; nothing where none of them has a known one."""
        if not known.id_of:
            return []
        ids = [one.value if isinstance(one, Text) else wording.plain_number(one) for one in values]
        titles = self.titles(known.id_of, ids[: wording.LISTED_MAX])
        if not titles:
            return []
        pause = "" if self.japanese else " "
        return [
            f"{self.quote(titles[one])}{pause}(ID {one})" if one in titles else f"ID {one}"
            for one in ids
        ]


def _is_group(node: Node) -> bool:
    """Whether the sentence of the node has parts that a neighbour could be mixed up with."""
    if isinstance(node, Not):
        return isinstance(node.part, Not) and _is_group(node.part.part)
    return not isinstance(node, Filter | AtLeast)


def _with_pause(fragments: list[str]) -> list[str]:
    """Put a Japanese comma after a fragment, except before what it belongs to."""
    last = len(fragments) - 1
    return [
        text if index == last or text.endswith(("の", "から")) else f"{text}、"
        for index, text in enumerate(fragments)
    ]


def _at_least(
    operator: Operator, values: tuple[Literal, ...], row: Attribute | ParameterRow
) -> tuple[Operator, tuple[Literal, ...]]:
    """Say "more than 2" of whole numbers as "3 or more", which is how Japanese says it."""
    first = values[0]
    if operator is Operator.GT and row.kind is Kind.INTEGER and isinstance(first, Number):
        return Operator.GE, (Number(first.value + 1),)
    return operator, values
