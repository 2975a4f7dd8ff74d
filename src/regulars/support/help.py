"""Help texts: short answers for each page, found by words, on this machine.

The texts are in help.toml, in both languages, inside the package: an installation without a network
has them too.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path

FILE = Path(__file__).parent / "help.toml"
# Below this share of the question's weight, an answer is about something else.
SCORE_MIN = 0.22
# A topic of the page that is looked at is likelier meant.
HERE_BONUS = 1.25


@dataclass(frozen=True, slots=True)
class Topic:
    """One question with its answer in one language."""

    key: str
    question: str
    answer: str
    #: The page of ours that the answer sends to; empty for none.
    link: str
    pages: tuple[str, ...]
    #: Other words people use for it.
    words: str

    @property
    def text(self) -> str:
        """Everything that is searched."""
        return f"{self.question} {self.question} {self.words} {self.answer}"


@cache
def topics(language: str) -> tuple[Topic, ...]:
    """Return every topic in a language."""
    with FILE.open("rb") as file:
        told = tomllib.load(file)
    return tuple(
        Topic(
            key=key,
            question=one[language]["question"],
            answer=one[language]["answer"].strip(),
            link=one.get("link", ""),
            pages=tuple(one["pages"]),
            words=one[language].get("words", ""),
        )
        for key, one in told.items()
    )


def topics_of_page(page: str, language: str, most: int = 5) -> list[Topic]:
    """Return the topics of a page, the most particular first."""
    found = [(_fit(one, page), one) for one in topics(language)]
    ranked = sorted((pair for pair in found if pair[0]), key=lambda pair: -pair[0])
    return [one for _fits, one in ranked[:most]]


def suggest(question: str, page: str, language: str, most: int = 3) -> list[Topic]:
    """Return the topics that answer a question best; none where nothing fits."""
    asked = Counter(_terms(question))
    if not asked:
        return []
    listed = topics(language)
    bags = [Counter(_terms(one.text)) for one in listed]
    spread = {term: sum(term in bag for bag in bags) for term in asked}
    # Rare words tell more; a word that no topic has still counts against a match.
    weight = {term: log(1 + len(bags) / (spread[term] or 0.5)) for term in asked}
    whole = sum(weight.values())
    scored = []
    for one, bag in zip(listed, bags, strict=True):
        share = sum(weight[term] for term in asked if term in bag) / whole
        scored.append((share * (HERE_BONUS if _fit(one, page) > 1 else 1.0), one))
    good = [pair for pair in scored if pair[0] >= SCORE_MIN]
    return [one for _score, one in sorted(good, key=lambda pair: -pair[0])[:most]]


def _fit(topic: Topic, page: str) -> int:
    """Return how particularly a topic belongs to a page; 0: not at all, 1: to every page."""
    fits = [len(own) for own in topic.pages if own == "*" or _is_under(page, own)]
    return max(fits, default=0)


def _is_under(page: str, own: str) -> bool:
    return page == own or (own != "/" and page.startswith(own.rstrip("/") + "/"))


def _terms(text: str) -> list[str]:
    """Return what a text is compared by: stems of words, and pairs of Japanese characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = [_stem(word) for word in re.findall(r"[a-z0-9]+", folded)]
    runs = re.findall(r"[぀-ヿ㐀-鿿々ー]+", folded)
    pairs = [run[at : at + 2] for run in runs for at in range(max(len(run) - 1, 1))]
    # Pairs of hiragana alone are grammar, not subject.
    kept = [pair for pair in pairs if not re.fullmatch(r"[぀-ゟ]+", pair)]
    return [word for word in words if word not in _STOP_WORDS] + kept


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a an and are can do doe how i in is it me my of on or please the to we what when where
        which why with you your thi that for from be not have there ther at by""",
    )
)
