"""Letters: short plain-text notices, sent through the mail server that the settings name."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

from regulars.errors import InputError, RegularsError, problem

TIMEOUT_SECONDS = 20


class MailNotSent(RegularsError):
    """The mail server could not be reached or did not take the letter."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice."""

    to: str
    subject: str
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in."""

    host: str
    port: int
    #: "smtps": TLS from the start. "smtp": STARTTLS where the server offers it; a password is
    #: never sent without.
    scheme: str
    name: str
    password: str
    sender: str

    @classmethod
    def of_url(cls, url: str) -> MailServer | None:
        """Read smtps://name:secret@mail.example.com:465?from=a@example.com; None for empty."""
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            template = (
                "REGULARS_SMTP_URL is not an address of a mail server. Write one like "
                "smtps://name:secret@mail.example.com"
            )
            raise InputError(problem("smtp_url", template))
        name = unquote(parts.username or "")
        named = parse_qs(parts.query).get("from", [""])[0]
        sender = named or (name if "@" in name else f"regulars@{parts.hostname}")
        port = parts.port or (465 if parts.scheme == "smtps" else 587)
        password = unquote(parts.password or "")
        return cls(parts.hostname, port, parts.scheme, name, password, sender)


#: Opens a connection to a mail server.
Opener = Callable[[MailServer], smtplib.SMTP]


def send(server: MailServer, letter: Letter, opener: Opener | None = None) -> None:
    """Hand a letter in; raises MailNotSent."""
    message = EmailMessage()
    message["From"] = server.sender
    message["To"] = letter.to
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = letter.written_at
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    try:
        with (opener or _open)(server) as connection:
            connection.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailNotSent(f"{server.host}:{server.port}: {error}") from error


def _open(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
        connection.ehlo()
        if connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
        elif server.name:
            connection.close()
            raise smtplib.SMTPException("the server offers no TLS, so the password was not sent")
    if server.name:
        connection.login(server.name, server.password)
    return connection
