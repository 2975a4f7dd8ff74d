"""Settings: one table, told in docs/settings.md as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from regulars.settings import Settings, as_markdown

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_is_made_from_the_table():
    # Made anew with: python -m regulars.settings > docs/settings.md
    assert PAGE.read_text() == as_markdown()


def test_every_setting_has_help():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path))
    monkeypatch.setenv("REGULARS_PORT", "9000")

    settings = Settings()

    assert settings.address == "http://127.0.0.1:9000"
    assert settings.database_url == f"sqlite:///{tmp_path / 'office.db'}"


def test_a_port_that_is_none_is_refused():
    with pytest.raises(ValidationError):
        Settings(port=70_000)


def test_the_secret_is_not_shown():
    assert "hush" not in repr(Settings(api_secret="hush"))
