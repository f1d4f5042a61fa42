"""E-mail through a real SMTP server, SMS through a bridge over HTTP."""

import json
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import outbox
from marketplace.core.db import in_transaction
from marketplace.core.environment import Secret
from marketplace.core.settings import AppEnvironment, BadSettings, Settings, load_settings
from marketplace.notifications import messages, ways
from marketplace.notifications.models import Message
from marketplace.notifications.ways import ByAddress, Letter, Mail, NoWayOut, OnThePage, SmsBridge, Undeliverable, Way
from tests import peers
from tests.answering import answering

SENDER = "山西青年电商扶贫馆 <pavilion@example.test>"
LETTER = Letter(
    "m7Q2", "guo@example.test", "您的验证码是 123456。\n五分钟内有效。", datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
)


class Postman:
    """Takes what is sent, but for those it does not know or not now."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        if address.startswith("later@"):
            return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@contextmanager
def listening(postman: Postman, **rules: Any) -> Iterator[tuple[Postman, int]]:
    """(the postman, its port)"""
    controller = Controller(postman, hostname="127.0.0.1", port=peers.free_port(), **rules)
    controller.start()
    yield postman, controller.port
    controller.stop()


@pytest.fixture
def postman() -> Iterator[tuple[Postman, str]]:
    with listening(Postman()) as (postman, port):
        yield postman, f"smtp://127.0.0.1:{port}"


def test_a_letter_arrives_as_it_was_written(postman: tuple[Postman, str]) -> None:
    taken, url = postman
    Mail(url, SENDER).deliver(LETTER)

    (letter,) = taken.taken
    assert letter["From"] == SENDER and letter["To"] == "guo@example.test"
    assert letter["Subject"] == "您的验证码是 123456。"
    assert letter.get_content().split() == LETTER.text.split()
    assert letter["Message-ID"] == "<m7Q2@example.test>"
    assert letter["Date"].datetime == LETTER.written_at
    assert letter["Auto-Submitted"] == "auto-generated"


def test_a_long_first_line_is_a_shortened_subject(postman: tuple[Postman, str]) -> None:
    taken, url = postman
    Mail(url, SENDER).deliver(LETTER._replace(text="苹果" * 50 + "\r\nBcc: everybody@example.test"))
    assert taken.taken[0]["Subject"] == "苹果" * 29 + "苹…" and taken.taken[0]["Bcc"] is None


def test_refused_for_good_is_told_from_refused_for_now(postman: tuple[Postman, str]) -> None:
    taken, url = postman
    with pytest.raises(Undeliverable, match="550"):
        Mail(url, SENDER).deliver(LETTER._replace(address="nobody@example.test"))
    with pytest.raises(Exception, match="451") as refused:
        Mail(url, SENDER).deliver(LETTER._replace(address="later@example.test"))
    assert not isinstance(refused.value, Undeliverable)
    with pytest.raises(ConnectionError):
        Mail(f"smtp://127.0.0.1:{peers.free_port()}", SENDER).deliver(LETTER)
    assert taken.taken == []


@pytest.mark.parametrize("address", ["guo@example.test\r\nBcc: other@example.test", "郭@example.test", "guo@例子.测试"])
def test_what_is_no_address_for_this_server_is_not_tried_for_days(
    postman: tuple[Postman, str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, url = postman
    monkeypatch.setattr(smtplib.SMTP, "has_extn", lambda _server, name: name != "smtputf8")
    with pytest.raises(Undeliverable):
        Mail(url, SENDER).deliver(LETTER._replace(address=address))
    assert taken.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # both stand on this machine
def test_who_must_sign_in_does() -> None:
    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        is_known = (given.login, given.password) == (b"pavilion@example.test", b"p:w/d")
        return AuthResult(success=is_known, handled=False)

    rules = {"authenticator": known, "auth_required": True, "auth_require_tls": False}
    with listening(Postman(), **rules) as (postman, port):
        Mail(f"smtp://pavilion%40example.test:p%3Aw%2Fd@127.0.0.1:{port}", SENDER).deliver(LETTER)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            Mail(f"smtp://pavilion%40example.test:other@127.0.0.1:{port}", SENDER).deliver(LETTER)
    assert len(postman.taken) == 1


def certificate(folder: Path) -> ssl.SSLContext:
    """Of 0.0.0.0 and 127.0.0.1, signed by itself; `folder`/cert.pem is what a client would have to trust."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post")])
    now, addresses = datetime.now(UTC), [x509.IPAddress(ip_address(each)) for each in ("0.0.0.0", "127.0.0.1")]
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1))
    built = built.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    signed = built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (folder / "cert.pem").write_bytes(signed)
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_beyond_this_machine_only_who_is_trusted_reads_it(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certificate(tmp_path)
    rules = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    with listening(Postman(), **rules) as (postman, port):
        mail = Mail(f"{scheme}://0.0.0.0:{port}", SENDER)  # no loopback address, yet it leads here
        with pytest.raises(ssl.SSLCertVerificationError):
            mail.deliver(LETTER)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        mail.deliver(LETTER)
    assert len(postman.taken) == 1


def test_nothing_is_said_openly_beyond_this_machine() -> None:
    with listening(Postman()) as (postman, port), pytest.raises(smtplib.SMTPNotSupportedError):
        Mail(f"smtp://0.0.0.0:{port}", SENDER).deliver(LETTER)
    assert postman.taken == []


@contextmanager
def bridge(answers: list[int]) -> Iterator[tuple[str, list[tuple[str | None, Any]]]]:
    """(its address, what it was asked)"""
    asked: list[tuple[str | None, Any]] = []

    class Bridge(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.headers["Authorization"], json.loads(body)))
            self.send_response(answers.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
    with answering(server):
        yield f"http://127.0.0.1:{server.server_port}/sms", asked


def test_an_sms_goes_to_the_bridge() -> None:
    with bridge([202]) as (url, asked):
        SmsBridge(url, "secret").deliver(LETTER._replace(address="13800002045"))
    assert asked == [("Bearer secret", {"key": "m7Q2", "to": "13800002045", "text": LETTER.text})]


@pytest.mark.parametrize(
    ("status", "is_final"), [(400, True), (404, True), (408, False), (429, False), (500, False), (302, False)]
)
def test_what_the_bridge_refuses(status: int, is_final: bool) -> None:
    with bridge([status]) as (url, _asked), pytest.raises(Exception, match=str(status)) as refused:
        SmsBridge(url, "secret").deliver(LETTER)
    assert isinstance(refused.value, Undeliverable) is is_final


def test_each_address_has_its_way(postman: tuple[Postman, str]) -> None:
    taken, url = postman
    only_mail = ByAddress(Mail(url, SENDER), None)
    only_mail.deliver(LETTER)
    with pytest.raises(NoWayOut):
        only_mail.deliver(LETTER._replace(address="13800002045"))
    assert len(taken.taken) == 1


@pytest.fixture
def way(app: Flask) -> Iterator[list[Way]]:
    """Put one in to have it used."""
    chosen: list[Way] = []

    class Chosen:
        def deliver(self, letter: Letter) -> None:
            chosen[0].deliver(letter)

    before, app.extensions["message_way"] = app.extensions["message_way"], Chosen()
    yield chosen
    app.extensions["message_way"] = before


def test_a_fact_is_mailed_once(session: Session, way: list[Way], postman: tuple[Postman, str]) -> None:
    taken, url = postman
    way.append(Mail(url, SENDER))
    for _twice in range(2):
        in_transaction(messages.send, fact="gift:1:receipt", address="guo@example.test", text="谢谢。")
        outbox.deliver_slow()

    (letter,) = taken.taken
    row = session.scalars(select(Message)).one()
    assert row.sent_at is not None and letter["Message-ID"] == f"<{row.public_id}@example.test>"


def test_what_is_refused_for_good_is_not_tried_again(session: Session, way: list[Way], postman: tuple[Postman, str]) -> None:
    taken, url = postman
    way.append(Mail(url, SENDER))
    in_transaction(messages.send, fact="gift:2:receipt", address="nobody@example.test", text="谢谢。")
    outbox.deliver_slow()

    assert session.scalars(select(outbox.OutboxRow.is_done)).all() == [True]
    assert session.scalars(select(Message.sent_at)).all() == [None] and taken.taken == []


def test_news_of_three_days_ago_is_not_sent(session: Session, way: list[Way], postman: tuple[Postman, str]) -> None:
    taken, url = postman
    way.append(Mail(url, SENDER))
    in_transaction(messages.send, fact="order:1:shipped", address="guo@example.test", text="发货了。")
    row = session.scalars(select(Message)).one()
    row.created_at -= timedelta(days=3, seconds=1)
    session.commit()
    messages.deliver(fact="order:1:shipped")
    assert taken.taken == []


SMTP: dict[str, Any] = {"smtp_url": Secret("smtp://post.example.test"), "mail_from": "pavilion@example.test"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"smtp_url": Secret("http://post")}, "SMTP_URL must be"),
        ({"smtp_url": Secret("smtp://post:port"), "mail_from": "a@b"}, "SMTP_URL must be"),
        ({"smtp_url": Secret("smtp://post")}, "SMTP_URL needs MAIL_FROM"),
        ({"sms_url": "http://bridge.example.test"}, "SMS_URL must begin with https://"),
        ({"sms_url": "https://bridge.example.test"}, "SMS_URL needs SMS_SECRET"),
    ],
)
def test_half_a_way_stops_the_start(given: dict[str, Any], sentence: str, tmp_path: Any) -> None:
    with pytest.raises(BadSettings, match=sentence):
        load_settings(app_env="test", data=tmp_path, **given)


def test_a_demonstration_writes_to_nobody(tmp_path: Any) -> None:
    def chosen(environment: AppEnvironment) -> Way:
        return ways.chosen(Settings(app_env=environment, data=tmp_path, **SMTP))

    assert isinstance(chosen(AppEnvironment.DEMO), OnThePage)
    assert isinstance(chosen(AppEnvironment.TEST), ByAddress)
