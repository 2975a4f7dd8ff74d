"""Run commands as a person would, on a home folder of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from regulars.cli.main import run

ORDERS = """customer_id,date,amount
ana,2026-01-05,120.50
ana,2026-02-01,80
bo,2026-01-20,30
cleo,not a day,10
"""


@dataclass
class Told:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as a JSON value."""
        return json.loads(self.out)


@pytest.fixture
def regulars(tmp_path, monkeypatch, capsys):
    """Run `regulars` with these words on the home folder of the test."""
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "home"))

    def call(*words: object) -> Told:
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Told(code, captured.out, captured.err)

    return call


@pytest.fixture
def basic(regulars, tmp_path):
    """The shop "basic", made of a small file of orders."""
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    told = regulars("import", "--shop", "basic", "--currency", "USD", "--orders", path, "--json")
    assert told.code == 0, told.err
    return told.json
