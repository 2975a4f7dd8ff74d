"""Static files from memory: content hash in the address, kept for ever by browsers, gzip made once.

The files are few and small, so all of them are read at start. An address without the right hash is
not served: a page can never mix files of two versions.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

STATIC_FOLDER = Path(__file__).parent / "static"

_BLOCK_COMMENT = re.compile(r"^\s*/\*.*?\*/\s*$", re.DOTALL | re.MULTILINE)

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}


@dataclass(frozen=True)
class Asset:
    """One static file as it is sent."""

    address: str
    media_type: str
    body: bytes

    @cached_property
    def packed(self) -> bytes:
        """The body in gzip; the same bytes on each run."""
        return gzip.compress(self.body, compresslevel=9, mtime=0)


def _slim_script(text: str) -> str:
    """Leave out what only we read: comments that stand on lines of their own, and indentation."""
    lines = (line.strip() for line in _BLOCK_COMMENT.sub("", text).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"


def _slim_style(text: str) -> str:
    """Leave out comments, line ends and the spaces that no rule needs."""
    slim = " ".join(_slim_script(text).split())
    for wide, narrow in (
        ("; }", "}"),
        (" {", "{"),
        ("{ ", "{"),
        ("; ", ";"),
        (": ", ":"),
        ("} ", "}"),
        (";}", "}"),
        (", ", ","),
        (" > ", ">"),
    ):
        slim = slim.replace(wide, narrow)
    return slim


_SLIMMERS: Mapping[str, Callable[[str], str]] = {".js": _slim_script, ".css": _slim_style}


class Assets:
    """Every static file by its hashed address."""

    def __init__(self, folder: Path = STATIC_FOLDER) -> None:
        self._by_name: dict[str, Asset] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix in MEDIA_TYPES:
                name = path.relative_to(folder).as_posix()
                self._by_name[name] = _read(path, name)
        self._by_address = {asset.address: asset for asset in self._by_name.values()}

    def address(self, name: str) -> str:
        """Return the address of a file; an unknown name is a mistake in a template."""
        return self._by_name[name].address

    def get(self, address: str) -> Asset | None:
        """Return the file at exactly this address."""
        return self._by_address.get(address)

    def respond(self, request: Request) -> Response | None:
        """Answer a request for a static file, or return None when there is no such file."""
        asset = self.get(request.url.path)
        if asset is None:
            return None
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Vary": "Accept-Encoding",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.media_type)
        return Response(asset.body, headers=headers, media_type=asset.media_type)


def _read(path: Path, name: str) -> Asset:
    body = path.read_bytes()
    slim = _SLIMMERS.get(path.suffix)
    if slim is not None and not name.startswith("vendor/"):
        body = slim(body.decode()).encode()
    digest = hashlib.sha256(body).hexdigest()[:12]
    stem = name.removesuffix(path.suffix)
    return Asset(f"/static/{stem}.{digest}{path.suffix}", MEDIA_TYPES[path.suffix], body)
