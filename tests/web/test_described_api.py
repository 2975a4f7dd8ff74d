"""The API under generated requests: each answer is one that the description tells of.

Schemathesis makes requests from the OpenAPI document, as it allows them and as it does not, for
things that exist and for made-up ones. No answer may be a failure of ours, and status, content
type and body must be as described. REGULARS_DEEP=1 sends thirty times as many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from regulars.web import api as api_room
from regulars.web import team
from tests.exploring import DEEP, looking
from tests.web.described import CHECKS, THINGS, Caller, described, open_caller
from tests.web.test_pages_and_api import routes
from tests.web.test_team import api


@pytest.fixture(scope="module")
def caller(world) -> Caller:
    return open_caller(world)


def operations(app: Any) -> Iterator[Any]:
    """Each operation of the API; what takes something away comes last, the shop at the very end."""
    found = [one.ok() for one in described(app).get_all_operations()]
    return iter(sorted(found, key=lambda one: (one.method == "delete", -len(one.path))))


def strategies(operation: Any) -> Iterator[tuple[Any, bool]]:
    """Requests as described and otherwise; when looking deep, also for things that are made up."""
    names = {one.name for one in operation.path_parameters}
    things = {name: THINGS.get(name, 1) for name in names}
    ways = [(GenerationMode.POSITIVE, things)]
    # An address alone leaves nothing to break; to find that out costs hundreds of attempts.
    if len(operation.query) or len(operation.body):
        ways.append((GenerationMode.NEGATIVE, things))
    if DEEP:
        made_up = {name: things[name] for name in names & {"shop"}}
        ways += [(mode, made_up) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
    for mode, places in ways:
        yield operation.as_strategy(mode, path_parameters=places), mode.is_positive


class Look:
    """Sends what one strategy makes, and keeps what is wrong with the answers."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.wrong: list[str] = []
        self.answered: set[str] = set()

    def at(self, strategy: Any, is_described: bool) -> None:
        @looking(2)
        @given(case=strategy)
        def ask(case: Any) -> None:
            self._ask(case, is_described)

        # Where the description allows everything there is nothing that it does not allow.
        with suppress(Unsatisfiable):
            ask()

    def _ask(self, case: Any, is_described: bool) -> None:
        answer = self.caller.send(case)
        label = case.operation.label
        self.answered.add(label)
        if is_described and b'"unreadable_value"' in answer.content and answer.status_code == 422:
            self.wrong.append(f"{label} did not take what is described: {answer.text}")
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as found:
            self.wrong += [f"{label}: {one}" for one in found.exceptions]


def test_a_key_that_reads_definitions_is_told_of_no_customer(world, caller):
    act = team.Act("Owner", world.now)
    with world.runtime.office.session() as session:
        _row, key = team.make_key(session, act, world.shop, name="counts", scope="read")
    told = []
    for method, path in routes(api_room):
        place = re.sub(r"\{([^}:]+)[^}]*\}", lambda one: str(THINGS.get(one[1], 1)), path)
        if method == "GET":
            answer = api(world, key, method, place)
            assert answer.status_code < 500
            found = re.findall(r'@shop\.example|"ana"|^ana,', answer.text, re.MULTILINE)
            told += [path] if found and answer.status_code == 200 else []

    assert told == []


def test_every_answer_is_one_that_the_description_tells_of(world, caller):
    look = Look(caller)
    every = list(operations(world.app))
    for operation in every:
        for strategy, is_described in strategies(operation):
            look.at(strategy, is_described)

    assert look.wrong == [], "\n".join(look.wrong)
    assert look.answered == {one.label for one in every}
