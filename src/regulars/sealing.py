"""Secrets at rest: AES-256-GCM, bound to the place they were written to."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# The first byte names the layout of what follows, so that a later one can be told apart.
LAYOUT = b"\x01"
NONCE_BYTES = 12


class Sealer:
    """Seals and opens texts with one key; `about` names the place, another does not open it."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of_file(cls, path: Path) -> Sealer:
        """Return the sealer of the key in `path`, which is made, owner-only, where it is new."""
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return cls(bytes.fromhex(path.read_text().strip()))
        key = secrets.token_bytes(32)
        with os.fdopen(descriptor, "w") as file:
            file.write(key.hex())
            file.flush()
            os.fsync(file.fileno())
        return cls(key)

    def seal(self, text: str, about: str) -> bytes:
        """Return `text` unreadable."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return LAYOUT + nonce + self._cipher.encrypt(nonce, text.encode(), about.encode())

    def open(self, sealed: bytes, about: str) -> str:
        """Return the text; raises ValueError where key, place or bytes are not those of `seal`."""
        nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if sealed[:1] != LAYOUT:
            raise ValueError("sealed with a layout this version does not know")
        try:
            return self._cipher.decrypt(nonce, rest, about.encode()).decode()
        except InvalidTag:
            raise ValueError(f"the secret of {about} cannot be opened with this key") from None
