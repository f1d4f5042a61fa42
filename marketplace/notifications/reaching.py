"""How a request of ours reaches a stranger's machine and nothing of our own: https, an address that is public, looked up
once and held to, no redirect followed, a bounded time and a bounded answer."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from http.client import HTTPException, HTTPSConnection
from threading import Thread, Timer
from typing import Final, NamedTuple
from urllib.parse import urlsplit

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
MayReach = Callable[[IpAddress], bool]
HTTPS: Final = 443
FREE_PORTS: Final = range(1024, 65536)
LONGEST: Final = 500
SECONDS: Final = 5.0  # for each step of it
SECONDS_IN_ALL: Final = 12.0
KEPT: Final = 1024  # bytes of the answer
TRANSLATED: Final = tuple(
    ipaddress.IPv6Network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class BadAddress(ValueError):
    """No address that we would send anything to."""


class Answer(NamedTuple):
    """`status` None: there was none, and `trouble` says why in one word."""

    status: int | None
    text: str
    trouble: str
    milliseconds: int

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def is_public(address: IpAddress) -> bool:
    """Somewhere on the open internet, and no other spelling of somewhere else."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.is_site_local or any(address in network for network in TRANSLATED):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


class Target(NamedTuple):
    host: str
    port: int
    path: str


def read_address(address: str, may_reach: MayReach = is_public) -> Target:
    """What it leads to, whether or not anything is there. Raises BadAddress."""
    try:
        parts = urlsplit(address)
        port = HTTPS if parts.port is None else parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:
        raise BadAddress(address) from None
    is_plain = address.isascii() and address.isprintable() and " " not in address and len(address) <= LONGEST
    is_ours_to_call = parts.scheme == "https" and parts.username is None and parts.password is None and not parts.fragment
    if not (is_plain and is_ours_to_call and host and (port == HTTPS or port in FREE_PORTS)):
        raise BadAddress(address)
    if "." not in host.strip(".") and ":" not in host:
        raise BadAddress(address)  # a name of the network we are in
    literal = as_ip(host)
    if literal is not None and not may_reach(literal):
        raise BadAddress(address)
    return Target(host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def as_ip(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


class Pinned(HTTPSConnection):
    """To the address that was looked at, under the certificate of the name that was asked for."""

    def __init__(self, target: Target, address: str, context: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port, timeout=SECONDS, context=context)
        self.address, self.trusted = address, context
        self.is_hung_up = False

    def connect(self) -> None:
        """Within reach of `hang_up` before the first word is said: the hand-shake is the stranger's to draw out as well."""
        plain = socket.create_connection((self.address, self.port), SECONDS)
        secured = self.trusted.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = secured
        if self.is_hung_up:
            raise TimeoutError(self.host)
        secured.do_handshake()

    def hang_up(self) -> None:
        """From another thread: whoever waits for it waits no longer."""
        self.is_hung_up = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class Courier:
    """Posts to partners. Tests give their own idea of what is public, and of whom to trust."""

    def __init__(self, may_reach: MayReach = is_public, context: ssl.SSLContext | None = None) -> None:
        self.may_reach = may_reach
        self.context = context

    def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Once, and whatever comes of it. Outside any transaction."""
        began = time.monotonic()
        try:
            status, text = self.exchange(address, body, headers)
        except Exception as error:  # a stranger's machine may do anything
            return Answer(None, "", trouble_of(error), milliseconds_since(began))
        return Answer(status, text, "", milliseconds_since(began))

    def exchange(self, address: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        target = read_address(address, self.may_reach)
        connection = Pinned(target, self.look_up(target), self.context or ssl.create_default_context())
        hanging_up = Timer(SECONDS_IN_ALL, connection.hang_up)
        hanging_up.daemon = True
        hanging_up.start()
        try:
            connection.request("POST", target.path, body, {**headers, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read(KEPT).decode("utf-8", "replace").replace("\0", "")
        except (OSError, HTTPException):
            if connection.is_hung_up:
                raise TimeoutError(target.host) from None
            raise
        finally:
            hanging_up.cancel()
            connection.close()

    def look_up(self, target: Target) -> str:
        """Its address, if all that its name leads to may be reached: one that may not would be reached another time."""
        found = addresses_of(target)
        if not found or not all(self.may_reach(ipaddress.ip_address(each.partition("%")[0])) for each in found):
            raise BadAddress(target.host)
        return min(found, key=lambda each: (":" in each, each))


def addresses_of(target: Target) -> set[str]:
    """All that its name leads to. Whoever answers for the name may be slow; the system's own asking knows no end of time, so
    it is asked from a thread that nobody waits for longer than SECONDS. Raises TimeoutError, OSError."""
    answer: Future[set[str]] = Future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answer.set_result({str(each[4][0]) for each in found})
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    return answer.result(SECONDS)


def trouble_of(error: Exception) -> str:
    kinds = (
        (BadAddress, "not_public"),
        (ssl.SSLError, "certificate"),
        (socket.gaierror, "no_such_name"),
        (TimeoutError, "too_slow"),
        (OSError, "no_connection"),
        (HTTPException, "no_http"),
    )
    return next((word for kind, word in kinds if isinstance(error, kind)), "failed")


def milliseconds_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
