"""Reads the parts of a multipart form in their order, which a storage service insists on."""

from __future__ import annotations

from email.message import Message

from python_multipart.multipart import MultipartParser, parse_options_header


def form_parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Return the parts of a form as (name, content); nothing when it is no form."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        return []
    reader = Reader()
    parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
    parser.write(body)
    parser.finalize()
    return reader.parts


class Reader:
    """Collects what the parser calls out."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, bytes]] = []
        self.header = b""
        self.value = b""
        self.name = ""
        self.data = bytearray()

    def callbacks(self) -> dict[str, object]:
        """Return the parser's callbacks."""
        return {
            "on_part_begin": self.begin,
            "on_header_field": self.on_field,
            "on_header_value": self.on_value,
            "on_header_end": self.on_header_end,
            "on_part_data": self.on_data,
            "on_part_end": self.end,
        }

    def begin(self) -> None:
        """Start a part."""
        self.name, self.data = "", bytearray()

    def on_field(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's name."""
        self.header += data[start:end]

    def on_value(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's value."""
        self.value += data[start:end]

    def on_header_end(self) -> None:
        """Read the part's name from its disposition."""
        if self.header.lower() == b"content-disposition":
            message = Message()
            message["content-disposition"] = self.value.decode("utf-8", "replace")
            self.name = str(message.get_param("name", "", header="content-disposition"))
        self.header = self.value = b""

    def on_data(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of the content."""
        self.data += data[start:end]

    def end(self) -> None:
        """Keep the part."""
        self.parts.append((self.name, bytes(self.data)))
