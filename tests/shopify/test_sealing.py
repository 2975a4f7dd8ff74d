"""Secrets at rest: unreadable, bound to their place, and able to change their key."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.sealing import (
    KEY_BYTES,
    LAYOUT_WITHOUT_KEY,
    Sealer,
    change_key,
    forget_older_keys,
)

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
PLACE = "shop 1, access_token"


@given(st.text())
def test_what_is_sealed_opens_in_its_place(text: str):
    sealer = Sealer(KEY)

    assert sealer.open(sealer.seal(text, PLACE), PLACE) == text


def test_the_text_is_nowhere_to_be_seen():
    sealed = Sealer(KEY).seal("shpat_0123456789", PLACE)

    assert b"shpat" not in sealed
    assert KEY not in sealed
    assert KEY.hex() not in repr(Sealer(KEY))


def test_the_same_text_looks_different_each_time():
    sealer = Sealer(KEY)

    assert sealer.seal("x", PLACE) != sealer.seal("x", PLACE)


def test_another_place_does_not_open_it():
    """A token moved to another shop's row, or to another column, is refused."""
    sealer = Sealer(KEY)
    sealed = sealer.seal("shpat_x", PLACE)

    for about in ("shop 2, access_token", "shop 1, refresh_token", ""):
        with pytest.raises(ValueError, match="cannot be opened"):
            sealer.open(sealed, about)


def test_each_changed_bit_is_noticed():
    sealer = Sealer(KEY)
    sealed = sealer.seal("shpat_x", PLACE)

    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(ValueError, match=r"seal|opened"):
            sealer.open(bytes(changed), PLACE)


def test_each_cut_is_noticed():
    sealer = Sealer(KEY)
    sealed = sealer.seal("shpat_x", PLACE)

    for length in range(len(sealed)):
        with pytest.raises(ValueError, match=r"seal|opened"):
            sealer.open(sealed[:length], PLACE)


def test_another_key_does_not_open_it():
    with pytest.raises(ValueError, match="not in the key file"):
        Sealer(OTHER).open(Sealer(KEY).seal("x", PLACE), PLACE)


def test_an_older_key_opens_and_the_present_one_seals():
    old, both = Sealer(KEY), Sealer(OTHER, KEY)
    sealed = old.seal("x", PLACE)

    assert both.open(sealed, PLACE) == "x"
    assert not both.is_present(sealed)
    assert both.is_present(both.seal("x", PLACE))
    with pytest.raises(ValueError, match=r"seal|opened"):
        old.open(both.seal("x", PLACE), PLACE)


def test_secrets_of_the_first_layout_still_open():
    nonce = secrets.token_bytes(12)
    first = LAYOUT_WITHOUT_KEY + nonce + AESGCM(KEY).encrypt(nonce, b"x", PLACE.encode())

    assert Sealer(OTHER, KEY).open(first, PLACE) == "x"
    assert not Sealer(KEY).is_present(first)
    with pytest.raises(ValueError, match=r"seal|opened"):
        Sealer(OTHER).open(first, PLACE)


def test_a_new_key_file_is_the_owners_alone(tmp_path: Path):
    path = tmp_path / "secret.key"
    sealed = Sealer.of_file(path).seal("x", PLACE)

    assert path.stat().st_mode & 0o777 == 0o600
    assert Sealer.of_file(path).open(sealed, PLACE) == "x"
    assert [each.name for each in tmp_path.iterdir()] == ["secret.key"]


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path):
    path = tmp_path / "secret.key"
    Sealer.of_file(path)
    path.chmod(0o640)

    with pytest.raises(InputError, match="chmod 600"):
        Sealer.of_file(path)


@pytest.mark.parametrize("text", ["", "\n", "xyz", "00", "00" * KEY_BYTES + "\nzz", "é"])
def test_a_key_file_without_keys_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "secret.key"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(InputError, match="backup"):
        Sealer.of_file(path)


def test_changing_the_key_loses_nothing(tmp_path: Path):
    path = tmp_path / "secret.key"
    before = Sealer.of_file(path)
    sealed = before.seal("x", PLACE)

    changed = change_key(path)

    assert changed.open(sealed, PLACE) == "x"
    assert Sealer.of_file(path).open(changed.seal("y", PLACE), PLACE) == "y"
    assert path.stat().st_mode & 0o777 == 0o600

    sealed_anew = changed.seal(changed.open(sealed, PLACE), PLACE)
    forget_older_keys(path)
    after = Sealer.of_file(path)
    assert after.open(sealed_anew, PLACE) == "x"
    with pytest.raises(ValueError, match="not in the key file"):
        after.open(sealed, PLACE)
