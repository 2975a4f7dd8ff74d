"""The one door to the network: which hosts are asked, no redirects, byte and time caps.

Knows nothing of GraphQL. A request goes to an address that was checked to be public, and to that
address only, so a name that changes its mind between check and connection leads nowhere.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Sequence

import httpx

from regulars.clock import Clock
from regulars.errors import InputError, Refused, Unavailable, problem

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com", re.ASCII)

# The longest name that DNS carries.
DOMAIN_LENGTH_MAX = 253

#: Hosts that bulk results are fetched from and files for bulk mutations are sent to. The second is
#: asked for by the shop's own answers; both may be extended in the settings.
BULK_HOSTS = ("storage.googleapis.com", "shopify-staged-uploads.storage.googleapis.com")

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

# An answer of 250 orders with all lines is about 2 MB.
ANSWER_BYTES_MAX = 32 * 1024 * 1024
ANSWER_SECONDS_MAX = 60.0
_TIMEOUT = httpx.Timeout(30.0, connect=5.0, pool=60.0)

#: Gives the addresses of a host name.
Resolve = Callable[[str], Sequence[str]]


def is_shop_domain(text: str) -> bool:
    """Return whether the text is a shop's domain in lower case, and nothing else."""
    return len(text) <= DOMAIN_LENGTH_MAX and _SHOP.fullmatch(text) is not None


def shop_domain(text: str) -> str:
    """Return the shop's domain in lower case; raise InputError for anything else."""
    domain = text.strip().lower()
    if not is_shop_domain(domain):
        raise InputError(
            problem(
                "not_a_shop_domain",
                '"{text}" is not a shop\'s address. It looks like my-shop.myshopify.com.',
                text=text[:100],
                field="domain",
            )
        )
    return domain


def loopback_url(base_url: str) -> str:
    """Return the address of a simulator on this machine; raise InputError for any other host."""
    url = httpx.URL(base_url)
    if url.scheme not in {"http", "https"} or url.host not in _LOOPBACK or url.userinfo:
        raise InputError(
            problem(
                "not_on_this_machine",
                "{url} is not on this machine. The simulator is reached at 127.0.0.1 only.",
                url=base_url[:200],
            )
        )
    return base_url.rstrip("/")


def checked_url(text: str, hosts: Sequence[str], base_url: str | None = None) -> str:
    """Return a URL that Shopify told us, if it is https on an allowed host, or on the simulator."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise Refused("Shopify named a file at an address that cannot be read.") from error
    is_ours = base_url is not None and _origin(url) == _origin(httpx.URL(base_url))
    is_shopifys = url.scheme == "https" and url.host in hosts and url.port in {None, 443}
    if url.userinfo or not (is_ours or is_shopifys):
        raise Refused(
            f"Shopify named a file on {url.host[:100]}, which is not a host we fetch from."
        )
    return text


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def is_public(address: str) -> bool:
    """Return whether everyone can reach an IP address: not private, local, shared or mapped."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None or ip.sixtofour is not None or ip.teredo is not None:
            return False
        # NAT64 hides an IPv4 address as well.
        if ip.is_site_local or ip in ipaddress.ip_network("64:ff9b::/96"):
            return False
    return ip.is_global and not ip.is_multicast


def _resolve(host: str) -> Sequence[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]


class PublicOnly(httpx.BaseTransport):
    """A transport that connects to public addresses only, and to this machine when told so."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        resolve: Resolve = _resolve,
        loopback_allowed: bool = False,
    ) -> None:
        self._inner = inner
        self._resolve = resolve
        self._loopback_allowed = loopback_allowed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the one address that was checked."""
        if self._loopback_allowed and request.url.host in _LOOPBACK:
            return self._inner.handle_request(request)
        address = self._public_address(request)
        extensions = {**request.extensions, "sni_hostname": request.url.host}
        return self._inner.handle_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions=extensions,
            )
        )

    def _public_address(self, request: httpx.Request) -> str:
        host = request.url.host
        try:
            addresses = self._resolve(host)
        except OSError as error:
            raise httpx.ConnectError(f"{host} was not found", request=request) from error
        if not addresses or not all(is_public(address) for address in addresses):
            raise Refused(f"{host[:100]} leads to an address that is not public.")
        return addresses[0]

    def close(self) -> None:
        """Close the transport below."""
        self._inner.close()


def open_http(*, loopback_allowed: bool = False) -> httpx.Client:
    """Return the client that the whole application shares."""
    return httpx.Client(
        transport=PublicOnly(httpx.HTTPTransport(retries=0), loopback_allowed=loopback_allowed),
        follow_redirects=False,
        timeout=_TIMEOUT,
        # Proxies and credentials of the environment would reach other hosts than we checked.
        trust_env=False,
    )


def capped(
    response: httpx.Response, clock: Clock, *, bytes_max: int, seconds_max: float
) -> Iterator[bytes]:
    """Yield the body's pieces; raise Unavailable when it is too long or comes too slowly."""
    started_at = clock()
    count = 0
    for piece in response.iter_bytes():
        count += len(piece)
        if count > bytes_max:
            raise Unavailable(f"Shopify's answer is longer than {bytes_max} bytes.")
        if (clock() - started_at).total_seconds() > seconds_max:
            raise Unavailable(f"Shopify's answer took longer than {seconds_max:.0f} seconds.")
        yield piece
