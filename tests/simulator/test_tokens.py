"""The token endpoint and the session tokens that tests use."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest

from regulars.simulator.tokens import EXCHANGE_GRANT, ID_TOKEN_TYPE
from tests.simulator.conftest import Stage

OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"


def ask(stage: Stage, **body: Any) -> tuple[int, dict[str, Any]]:
    tokens = stage.simulator.tokens
    whole = {"client_id": tokens.client_id, "client_secret": tokens.client_secret, **body}
    answer = stage.client.post("/admin/oauth/access_token", json=whole)
    return answer.status_code, answer.json()


def exchange(stage: Stage, session: str, **more: Any) -> tuple[int, dict[str, Any]]:
    return ask(
        stage,
        grant_type=EXCHANGE_GRANT,
        subject_token=session,
        subject_token_type=ID_TOKEN_TYPE,
        requested_token_type=OFFLINE,
        **more,
    )


def works(stage: Stage, token: str) -> bool:
    headers = {"X-Shopify-Access-Token": token}
    answer = stage.client.post(stage.path, json={"query": "{shop{name}}"}, headers=headers)
    return answer.status_code == 200


def test_a_session_token_is_exchanged_for_an_expiring_one(stage: Stage):
    code, told = exchange(stage, stage.simulator.tokens.session_token(), expiring="1")

    assert code == 200
    assert told["expires_in"] == 3600
    assert {"refresh_token", "refresh_token_expires_in", "scope"} <= set(told)
    assert works(stage, told["access_token"])
    stage.wait(seconds=3600)
    assert not works(stage, told["access_token"])


def test_without_expiring_the_token_stays(stage: Stage):
    _, told = exchange(stage, stage.simulator.tokens.session_token())

    assert set(told) == {"access_token", "scope"}
    stage.wait(days=900)
    assert works(stage, told["access_token"])


@pytest.mark.parametrize(
    "changes",
    [{"exp": 1}, {"exp": None}, {"dest": "https://other.myshopify.com"}, {"aud": "other"}],
)
def test_a_session_token_that_is_wrong_is_refused(stage: Stage, changes: dict[str, Any]):
    code, told = exchange(stage, stage.simulator.tokens.session_token(**changes))

    assert (code, told) == (400, {"error": "invalid_subject_token"})


def test_a_wrong_secret_is_refused(stage: Stage):
    session = stage.simulator.tokens.session_token()

    assert exchange(stage, session, client_secret="no") == (400, {"error": "invalid_client"})


def test_a_refresh_token_rotates_and_the_old_one_ends_with_the_first_use_of_the_new(stage: Stage):
    _, first = exchange(stage, stage.simulator.tokens.session_token(), expiring="1")

    def refresh(token: str) -> tuple[int, dict[str, Any]]:
        return ask(stage, grant_type="refresh_token", refresh_token=token)

    code, second = refresh(first["refresh_token"])
    assert code == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert works(stage, second["access_token"])
    # The answer may have been lost: the old one still works until the new one was used.
    assert refresh(first["refresh_token"])[0] == 200
    _, again = refresh(first["refresh_token"])
    assert refresh(again["refresh_token"])[0] == 200
    assert refresh(first["refresh_token"]) == (400, {"error": "invalid_grant"})


def test_a_code_is_good_once(stage: Stage):
    code = stage.simulator.tokens.authorize()

    assert ask(stage, code=code, expiring="1")[0] == 200
    assert ask(stage, code=code) == (400, {"error": "invalid_request"})


def test_an_uninstall_ends_every_token(stage: Stage):
    _, told = exchange(stage, stage.simulator.tokens.session_token())

    stage.simulator.tokens.revoke()

    assert not works(stage, told["access_token"])


def test_session_tokens_have_every_claim(stage: Stage):
    tokens = stage.simulator.tokens
    claims = jwt.decode(
        tokens.session_token(),
        tokens.client_secret,
        algorithms=["HS256"],
        audience=tokens.client_id,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )

    assert {"iss", "dest", "aud", "sub", "exp", "nbf", "iat", "jti", "sid"} == set(claims)
    assert claims["exp"] - claims["iat"] == 60


def test_an_install_query_is_signed_over_its_other_parameters(stage: Stage):
    tokens = stage.simulator.tokens
    told = dict(parse_qsl(tokens.install_query(state="nonce")))

    assert set(told) == {"shop", "timestamp", "state", "hmac"}
    assert tokens.install_query(state="other") != tokens.install_query(state="nonce")
