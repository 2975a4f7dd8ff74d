"""A file's bytes to rows: gzip, encoding, separator, strict CSV; limits are read, not believed.

Knows nothing about what the columns mean.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NamedTuple, Protocol

from regulars.errors import UploadError, problem

GZIP_MAGIC: Final = b"\x1f\x8b"
# A gzip file may unpack to a thousand times its size, and the size it declares is its writer's.
UNPACKED_BYTES_MAX: Final = 16 * 1024**3
# Rows of customers or orders pack to a tenth, at best to a fortieth; what grows more holds nothing.
UNPACKED_RATIO_MAX: Final = 100
# A small file of equal rows may pack well, and does no harm.
_RATIO_ASKED_FROM: Final = 64 * 1024**2
# An unclosed quote swallows the rest of a file into one row; no honest row is this long.
ROW_CHARACTERS_MAX: Final = 1_000_000
COLUMNS_MAX: Final = 200
#: Encodings that a file can be read in, by the name that `RowsFile.encoding` has.
ENCODINGS: Final = {"utf-8": "utf-8-sig", "cp932": "cp932", "utf-16": "utf-16"}
_CHUNK: Final = 1 << 20
# Bytes that Python reads as CP932 and nobody writes: they say that the file is something else.
_NOT_CP932: Final = frozenset("\x80\xa0\uf8f0\uf8f1\uf8f2\uf8f3")
# A cell may be as long as a row: the limit on rows speaks first, and with a better word.
csv.field_size_limit(ROW_CHARACTERS_MAX + 1)


class Row(NamedTuple):
    """One row: the line it begins on, counted from 1, and its values, or why it has none."""

    line: int
    values: Sequence[str]
    reason: str | None = None


@dataclass(slots=True)
class RowsFile:
    """An open file: what was found out about it, its header, and its rows one after another."""

    path: Path
    encoding: str
    separator: str
    header: tuple[str, ...]
    rows: Iterator[Row]
    bytes_total: int
    _raw: IO[bytes]

    @property
    def bytes_done(self) -> int:
        """How much of the file, as it lies on the disk, is read."""
        return self._raw.tell()


@contextmanager
def open_rows(
    path: Path, *, encoding: str | None = None, unpacked_max: int = UNPACKED_BYTES_MAX
) -> Iterator[RowsFile]:
    """Open a CSV file, packed by gzip or not; raise UploadError where it cannot be one.

    The encoding is found by trial, or given as one of ENCODINGS.
    """
    encoding = (
        _encoding(path, unpacked_max)
        if encoding is None
        else _as_wished(path, encoding, unpacked_max)
    )
    with _raw(path) as raw:
        text = io.TextIOWrapper(_unpacked(raw), encoding=encoding, newline="")
        lines = _Lines(text, path)
        first = next(lines, "")
        separator = _separator(first)
        reader = csv.reader(lines.from_start(first), delimiter=separator, strict=True)
        rows = _rows(reader, lines, path)
        head = next(rows, None)
        header = tuple(name.strip() for name in head.values) if head else ()
        if head is None or head.reason is not None or not any(header):
            raise UploadError(
                problem(
                    "no_header",
                    "{file} has no header line. Its first line has to name the columns.",
                    file=path.name,
                )
            )
        yield RowsFile(
            path=path,
            encoding=encoding.removesuffix("-sig"),
            separator=separator,
            header=header,
            rows=_fitted(rows, len(header)),
            bytes_total=path.stat().st_size,
            _raw=raw,
        )


class _Reader(Protocol):
    """What csv.reader gives."""

    line_num: int

    def __next__(self) -> list[str]: ...


class _Lines:
    """The lines of a file, with a limit on how much one row may take."""

    def __init__(self, text: io.TextIOWrapper, path: Path) -> None:
        self._text = text
        self._path = path
        self._first: str | None = None
        self._taken = 0
        #: The line that the present row begins on.
        self.row_line = 1

    def from_start(self, first: str) -> _Lines:
        """Give the first line once more."""
        self._first = first
        self._taken = 0
        return self

    def begin_row(self, line: int) -> None:
        """Count from here."""
        self.row_line = line
        self._taken = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._first is not None:
            line, self._first = self._first, None
        else:
            line = self._text.readline(ROW_CHARACTERS_MAX + 1)
        if not line:
            raise StopIteration
        self._taken += len(line)
        if self._taken > ROW_CHARACTERS_MAX:
            if self.row_line == 1 and '"' not in line:
                _separator(line)
            raise UploadError(
                problem(
                    "row_too_long",
                    "Line {line} of {file} is longer than {most} characters; most likely a "
                    "quotation mark in it is never closed. Nothing was imported.",
                    file=self._path.name,
                    row=self.row_line,
                    line=self.row_line,
                    most=ROW_CHARACTERS_MAX,
                )
            )
        return line


def _rows(reader: _Reader, lines: _Lines, path: Path) -> Iterator[Row]:
    line = 1
    while True:
        lines.begin_row(line)
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise UploadError(
                    problem(
                        "unclosed_quote",
                        "A quotation mark in line {line} of {file} is never closed. Nothing was "
                        "imported.",
                        file=path.name,
                        row=line,
                        line=line,
                    )
                ) from error
            yield Row(line, (), f"not CSV: {error}")
        else:
            if values:
                yield Row(line, values)
        line = reader.line_num + 1


def _fitted(rows: Iterator[Row], width: int) -> Iterator[Row]:
    """Refuse rows that have not as many values as the header has names."""
    for row in rows:
        if row.reason is None and len(row.values) != width:
            reason = f"{len(row.values)} values, but the header names {width} columns"
            yield Row(row.line, row.values, reason)
        else:
            yield row


def _separator(header: str) -> str:
    """Return the one of the three separators that the header uses most."""
    if header.count(",") + header.count("\t") + header.count(";") >= COLUMNS_MAX:
        raise UploadError(
            problem(
                "too_many_columns",
                "The file has more than {most} columns. Remove those that are not needed.",
                most=COLUMNS_MAX,
            )
        )
    return max((",", "\t", ";"), key=header.count)


@contextmanager
def _raw(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as raw:
            yield raw
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UploadError(problem("no_such_file", "There is no file {path}.", path=path)) from error
    except PermissionError as error:
        raise UploadError(
            problem("file_not_readable", "{path} may not be read by this account.", path=path)
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UploadError(
            problem(
                "gzip_damaged",
                "{file} is packed by gzip, but damaged or cut off. Nothing was imported. Fetch it "
                "again.",
                file=path.name,
            )
        ) from error


def _unpacked(raw: IO[bytes]) -> IO[bytes] | gzip.GzipFile:
    start = raw.read(2)
    raw.seek(0)
    if start == GZIP_MAGIC:
        return gzip.open(raw, "rb")
    return raw


def _encoding(path: Path, unpacked_max: int) -> str:
    """Return the file's encoding, found by trying the whole of it."""
    with _raw(path) as raw:
        start = raw.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _try(path, "utf-16", unpacked_max)
        return "utf-16"
    if start.startswith(b"PK\x03\x04"):
        raise UploadError(
            problem(
                "packed_as_zip",
                "{file} is a zip file or a spreadsheet. Unpack it, or save the sheet as CSV, and "
                "import that.",
                file=path.name,
            )
        )
    for encoding in ("utf-8-sig", "cp932"):
        try:
            _try(path, encoding, unpacked_max)
        except UnicodeDecodeError:
            continue
        return encoding
    raise UploadError(
        problem(
            "unknown_encoding",
            "{file} is neither UTF-8 nor Shift_JIS (CP932). Save it as UTF-8 and import it again.",
            file=path.name,
        )
    )


def _as_wished(path: Path, encoding: str, unpacked_max: int) -> str:
    if encoding not in ENCODINGS:
        template = "There is no encoding {encoding} here. Choose one of {known}."
        raise UploadError(
            problem(
                "no_such_encoding",
                template,
                encoding=encoding,
                known=", ".join(ENCODINGS),
                field="encoding",
            )
        )
    try:
        _try(path, ENCODINGS[encoding], unpacked_max)
    except UnicodeDecodeError:
        template = "{file} cannot be read as {encoding}. Choose another encoding."
        raise UploadError(
            problem("other_encoding", template, file=path.name, encoding=encoding, field="encoding")
        ) from None
    return ENCODINGS[encoding]


def _try(path: Path, encoding: str, unpacked_max: int) -> None:
    """Decode the whole file; refuse NUL characters and what unpacks to too much."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, size = 1, 0
    with _raw(path) as raw:
        stream = _unpacked(raw)
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            _check_size(path, size, unpacked_max)
            text = decoder.decode(chunk)
            if encoding == "cp932" and not _NOT_CP932.isdisjoint(text):
                raise UnicodeDecodeError(encoding, chunk, 0, 1, "unused in CP932")
            nul = text.find("\x00")
            if nul >= 0:
                raise UploadError(
                    problem(
                        "nul_character",
                        "Line {line} of {file} holds a NUL character, so it is not a text file. "
                        "Nothing was imported.",
                        file=path.name,
                        row=lines + text.count("\n", 0, nul),
                        line=lines + text.count("\n", 0, nul),
                    )
                )
            lines += text.count("\n")
        decoder.decode(b"", final=True)


def _check_size(path: Path, size: int, unpacked_max: int) -> None:
    """Refuse what unpacks to too much, or to far more than rows of customers or orders do."""
    if size > unpacked_max:
        raise UploadError(
            problem(
                "file_too_large",
                "{file} unpacks to more than {most} GB. Split it and import the parts.",
                file=path.name,
                most=unpacked_max // 1024**3,
            )
        )
    if size > _RATIO_ASKED_FROM and size > UNPACKED_RATIO_MAX * path.stat().st_size:
        raise UploadError(
            problem(
                "unpacks_too_far",
                "{file} unpacks to more than {most} times its size, as no list of customers or "
                "orders does. Unpack it, look at what it holds, and upload that.",
                file=path.name,
                most=UNPACKED_RATIO_MAX,
            )
        )
