"""Secrets at rest: AES-256-GCM, bound to the place they were written to, with keys that can change.

The key file has one key a line, the present one first; the others only open what they once sealed.
Who may read a secret, and when it is sealed anew, is the office's work.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from regulars.errors import InputError, problem

# The first byte names the layout of what follows. Layout 1 did not name its key.
LAYOUT_WITHOUT_KEY = b"\x01"
LAYOUT = b"\x02"
KEY_BYTES = 32
KEY_ID_BYTES = 4
NONCE_BYTES = 12


class Sealer:
    """Seals and opens texts; `about` names the place, under another name it does not open.

    `older_keys` open what was sealed before the key was changed.
    """

    def __init__(self, key: bytes, *older_keys: bytes) -> None:
        self._present = _key_id(key)
        self._ciphers = {_key_id(each): AESGCM(each) for each in (key, *older_keys)}

    def __repr__(self) -> str:
        return f"Sealer(***, {len(self._ciphers)} keys)"

    @classmethod
    def of_file(cls, path: Path) -> Sealer:
        """Return the sealer of the keys in `path`, which is made, owner-only, where it is new.

        Raises InputError for a file that others may read or that holds no keys.
        """
        if not path.exists():
            _write(path, [secrets.token_bytes(KEY_BYTES)], replace=False)
        return cls(*_read(path))

    def seal(self, text: str, about: str) -> bytes:
        """Return `text` unreadable."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        head = LAYOUT + self._present
        place = head + about.encode()
        return head + nonce + self._ciphers[self._present].encrypt(nonce, text.encode(), place)

    def open(self, sealed: bytes, about: str) -> str:
        """Return the text; raises ValueError where key, place or bytes are not those of `seal`."""
        layout = sealed[:1]
        if layout == LAYOUT:
            return self._open_named(sealed, about)
        if layout == LAYOUT_WITHOUT_KEY:
            return self._open_unnamed(sealed, about)
        raise ValueError("sealed with a layout this version does not know")

    def take_over(self, other: Sealer) -> None:
        """Use the keys of another from now on, wherever this one was handed to."""
        self._ciphers = other._ciphers | self._ciphers
        self._present = other._present

    def is_present(self, sealed: bytes) -> bool:
        """Return whether a secret was sealed with the present key; if not, seal it anew."""
        return sealed.startswith(LAYOUT + self._present)

    def _open_named(self, sealed: bytes, about: str) -> str:
        head, rest = sealed[: 1 + KEY_ID_BYTES], sealed[1 + KEY_ID_BYTES :]
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            raise ValueError(f"the key that sealed the secret of {about} is not in the key file")
        return _opened(cipher, rest, head + about.encode(), about)

    def _open_unnamed(self, sealed: bytes, about: str) -> str:
        for cipher in self._ciphers.values():
            with contextlib.suppress(ValueError):
                return _opened(cipher, sealed[1:], about.encode(), about)
        raise _not_opened(about)


def change_key(path: Path) -> Sealer:
    """Put a new key in front of those in the file; return the sealer of all of them.

    The file is replaced at once or not at all. Older keys stay until `forget_older_keys`.
    """
    keys = [secrets.token_bytes(KEY_BYTES), *_read(path)]
    _write(path, keys, replace=True)
    return Sealer(*keys)


def forget_older_keys(path: Path) -> None:
    """Keep the present key only. What older keys sealed can never be opened again."""
    _write(path, _read(path)[:1], replace=True)


def _key_id(key: bytes) -> bytes:
    # Says nothing of the key: a short piece of a one-way hash made for this purpose alone.
    return hashlib.sha256(b"regulars key id" + key).digest()[:KEY_ID_BYTES]


def _opened(cipher: AESGCM, rest: bytes, place: bytes, about: str) -> str:
    try:
        return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place).decode()
    except (InvalidTag, ValueError):
        raise _not_opened(about) from None


def _not_opened(about: str) -> ValueError:
    return ValueError(f"the secret of {about} cannot be opened with this key")


def _read(path: Path) -> list[bytes]:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise InputError(
            problem(
                "key_file_open",
                "{path} can be read by others. Make it yours alone: chmod 600 {path}",
                path=path,
            )
        )
    try:
        keys = [bytes.fromhex(line) for line in path.read_text("ascii").split()]
    except ValueError:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise InputError(
            problem(
                "key_file_unreadable",
                "{path} does not hold the keys that Regulars wrote there. Bring it back from your "
                "backup; without it, shops have to be connected anew.",
                path=path,
            )
        )
    return keys


def _write(path: Path, keys: Sequence[bytes], *, replace: bool) -> None:
    """Write the file beside its place and move it there, so that nobody sees half of it."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("\n".join(key.hex() for key in keys) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if replace:
            beside.replace(path)
        else:
            # Another process may have been quicker; its key is taken then.
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(beside)
        _sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
