"""What is called, and what never is."""

import socket
import time
from contextlib import suppress
from ipaddress import ip_address
from threading import Event, Thread
from typing import Any

import pytest

from marketplace.notifications.reaching import BadAddress, Courier, is_public, read_address


@pytest.mark.parametrize(
    "where",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *("255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
        *("2002:7f00:1::", "192.0.2.1", "2001:db8::1", "ff02::1", "240.0.0.1", "fec0::1", "::127.0.0.1"),
    ],
)
def test_nothing_of_our_own_network_is_reached(where: str) -> None:
    assert not is_public(ip_address(where))
    shown = f"[{where}]" if ":" in where else where
    with pytest.raises(BadAddress):
        read_address(f"https://{shown}/")


@pytest.mark.parametrize(
    "address",
    [
        *("http://example.org/", "ftp://example.org/", "https:///x", "https://", "", "https://example.org:80/"),
        *("https://example.org:0/", "https://example.org:99999/", "https://localhost/", "https://router/", "javascript:1"),
        *("https://me:secret@example.org/", "https://example.org/#x", "https://exa mple.org/", "https://例.org/事"),
        *(
            "https://[::1/",
            "https://example.org/\n",
            "https://" + "a" * 500 + ".org/",
            "https://2130706433/",
            "https://0x7f.1/",
        ),
    ],
)
def test_what_is_no_address(address: str) -> None:
    if address.endswith("0x7f.1/"):  # some resolvers read it as 127.0.0.1: then the look-up refuses it
        assert Courier().post(address, b"{}", {}).trouble in {"not_public", "no_such_name"}
        return
    with pytest.raises(BadAddress):
        read_address(address)


def test_what_is_one() -> None:
    assert read_address("https://example.org/events?a=b") == ("example.org", 443, "/events?a=b")
    assert read_address("https://example.org:8443") == ("example.org", 8443, "/")
    assert is_public(ip_address("1.1.1.1")) and is_public(ip_address("2606:4700:4700::1111"))


def test_a_name_that_leads_home_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its addresses count: the next look-up might give another of them."""
    found = [(2, 1, 6, "", (where, 443)) for where in ("1.1.1.1", "127.0.0.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_asked, **_more: found)

    assert Courier().post("https://example.org/", b"{}", {}).trouble == "not_public"


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    called: list[Any] = []

    def look_up(host: str, *_asked: Any, **_more: Any) -> Any:
        looked_up.append(host)
        return [(2, 1, 6, "", ("1.1.1.1", 443))]

    def connect(where: Any, *_asked: Any) -> Any:
        called.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    monkeypatch.setattr("socket.create_connection", connect)
    assert Courier().post("https://example.org/", b"{}", {}).trouble == "no_connection"
    assert (looked_up, called) == (["example.org"], [("1.1.1.1", 443)])


def test_who_draws_out_the_hand_shake_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes within the five seconds of a step, and the last one never."""
    monkeypatch.setattr("marketplace.notifications.reaching.SECONDS_IN_ALL", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        drawing = Thread(target=draw_out, args=(server,))
        drawing.start()
        answer = Courier(lambda _address: True).post(f"https://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
        drawing.join()

    assert (answer.status, answer.trouble) == (None, "too_slow")
    assert 300 <= answer.milliseconds < 2000


def test_who_answers_for_a_name_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver knows no end of time."""
    answered = Event()
    monkeypatch.setattr("marketplace.notifications.reaching.SECONDS", 0.2)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_asked, **_more: answered.wait(10) and [])
    answer = Courier().post("https://example.org/", b"{}", {})
    answered.set()

    assert (answer.status, answer.trouble) == (None, "too_slow")
    assert 200 <= answer.milliseconds < 2000


def test_a_name_that_nobody_has_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_asked: Any, **_more: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr("socket.getaddrinfo", nobody)
    assert Courier().post("https://example.org/", b"{}", {}).trouble == "no_such_name"


def draw_out(server: socket.socket) -> None:
    """The head of a TLS record, and then some of it, for three seconds or until nobody listens."""
    caller, _from = server.accept()
    with caller, suppress(OSError):
        caller.sendall(b"\x16\x03\x03\x40\x00")
        for _piece in range(30):
            time.sleep(0.1)
            caller.sendall(b"\x02")
