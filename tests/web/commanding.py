"""Commands as a person would run them, while the app is served."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import pytest

from regulars.bootstrap.serving import serving
from regulars.cli.main import run
from tests.jobs.at_work import AtWork


@contextmanager
def commanding(shop: AtWork) -> Iterator[Callable[..., Any]]:
    """Serve a shop's app; the given function runs a command on it and gives back what it told."""
    served = serving(shop.runtime, host="127.0.0.1", port=0)
    with pytest.MonkeyPatch.context() as patch, served as app, app.in_background():
        patch.setenv("REGULARS_HOME", str(shop.runtime.settings.home_folder))

        def call(*words: object, shop: str | None = "basic") -> Any:
            told = io.StringIO()
            of_shop = [] if shop is None else ["--shop", shop]
            with redirect_stdout(told):
                code = run([*map(str, words), *of_shop])
            assert code == 0, words
            return json.loads(told.getvalue()) if "--json" in words else told.getvalue()

        yield call
