"""The log of the running app: one line for each thing, nothing forged into it, nobody named."""

from __future__ import annotations

import logging
import sys

import pytest

from regulars.bootstrap.logs import OneLine


def written(message: str, error: Exception | None = None) -> str:
    told = None
    if error is not None:
        try:
            raise error
        except type(error):
            told = sys.exc_info()
    record = logging.LogRecord("regulars.web", logging.ERROR, "", 1, message, (), told)
    record.created = 0.5
    return OneLine().format(record)


def test_a_line_tells_its_instant_in_utc():
    assert written("It began.") == "1970-01-01T00:00:00.500Z ERROR regulars.web: It began."


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\u2028", "\x85", "\0"])
def test_nothing_from_outside_begins_a_line_of_its_own(sign: str):
    forged = f"/segments{sign}1970-01-01T00:00:00.500Z INFO regulars.web: all is well"

    assert len(written(forged).splitlines()) == 1
    for line in written("failed", ValueError(forged)).splitlines()[1:]:
        assert line.startswith("  ")


@pytest.mark.parametrize(
    "secret",
    [
        "ana@shop.example",
        "shpat_0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJrZXkifQ.c2lnbmF0dXJl",
    ],
)
def test_an_error_that_quotes_a_secret_does_not_write_it(secret: str):
    told = written(f"told by {secret}", ValueError(f"bad value '{secret}' in row 3"))

    assert secret not in told
    assert told.count("[hidden]") >= 2
