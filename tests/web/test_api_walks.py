"""The API walked step by step: what one answer made is asked for, changed, taken away by the next.

Schemathesis finds in the description which answers lead to which requests. No step may be a failure
of ours, and each answer is one that the description tells of. What it has met before leads it
elsewhere, so no two runs walk the same way: REGULARS_DEEP=1 walks thirty rounds.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.specs.openapi import checks

from tests.exploring import DEEP, TIMES, looking
from tests.web.described import CHECKS, THINGS, described, open_caller

#: What makes sense, where any text would be taken for a mistake.
SOUND = {
    "query": "number_of_orders >= 1",
    "segment": "VIP",
    "tag": "walked",
    "address": "https://programs.example/in",
    "starts_on": "2026-11-20",
    "ends_on": "2026-12-20",
}
#: These wait for Shopify, which is not there.
ASKS_SHOPIFY = "/shopify-segments|/connection"
#: Told of requests that are not as described; here each is made sound before it is sent.
ABOUT_ANSWERS = [one for one in CHECKS if one is not checks.negative_data_rejection]


@pytest.mark.skipif(not DEEP, reason="no two runs are alike: REGULARS_DEEP=1 walks")
def test_no_walk_over_the_api_meets_a_failure_of_ours(world):
    caller, walked, wrong = open_caller(world), [], []
    schema = described(world.app, mode="positive").exclude(path_regex=ASKS_SHOPIFY)

    class Walk(schema.as_state_machine()):
        def step(self, asked: Any) -> Any:
            case = asked.case
            if isinstance(case.body, dict):
                case.body |= {name: SOUND[name] for name in SOUND.keys() & case.body.keys()}
            if not asked.is_applied:
                places = {name: THINGS.get(name, 1) for name in case.path_parameters}
                case.path_parameters = places
            elif "shop" in case.path_parameters:
                case.path_parameters["shop"] = THINGS["shop"]
            return super().step(asked)

        def call(self, case: Any, **_options: Any) -> Any:
            answer = caller.send(case)
            walked.append((case.operation.label, answer.status_code))
            return answer

        def validate_response(self, response: Any, case: Any, **_options: Any) -> None:
            try:
                case.validate_response(response, checks=ABOUT_ANSWERS)
            except BaseExceptionGroup as found:
                wrong.extend(f"{case.operation.label}: {one}" for one in found.exceptions)

    for _ in range(TIMES):
        # The shop remembers the walks before: where that is noticed, this round of walks ends.
        with suppress(FlakyStrategyDefinition):
            Walk.run(settings=settings(looking(5), max_examples=5))

    assert wrong == [], "\n".join(wrong)
    followed = {label for label, status in walked if status < 300}
    assert len(followed) > 10, followed
