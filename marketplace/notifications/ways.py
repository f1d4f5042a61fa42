"""How messages leave the house: e-mail by SMTP, SMS through a bridge of the operator's, or not at all.

Providers of SMS in China want a contract, approved texts and a protocol of their own, so we speak plain HTTP to a bridge
that speaks theirs (docs/settings.md)."""

import logging
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from marketplace.core.settings import Settings, is_loopback

SECONDS: Final = 20
LONGEST_SUBJECT: Final = 60
FOR_NOW: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class Letter(NamedTuple):
    """`key` is the same whenever this message is sent again, so that whoever got it twice can tell."""

    key: str
    address: str
    text: str
    written_at: datetime


class NoWayOut(RuntimeError):
    """Nothing is set up that could send messages to such an address; they wait in the outbox until there is."""


class Undeliverable(RuntimeError):
    """It was refused for good: trying again would change nothing."""


class Way(Protocol):
    def deliver(self, letter: Letter) -> None:
        """Raises Undeliverable; whatever else it raises means that it is tried again."""


class OnThePage:
    """The demonstration's way: nothing leaves, the page itself shows what would have been sent."""

    def deliver(self, letter: Letter) -> None:
        return None


class Mail:
    """`smtp://name:password@host:587` (STARTTLS, but on this machine) or `smtps://…:465`."""

    def __init__(self, url: str, sender: str) -> None:
        self._server, self._sender = urlsplit(url), sender

    def deliver(self, letter: Letter) -> None:
        envelope = self._envelope(letter)
        try:
            with self._called() as server:
                self._introduce(server)
                send(server, envelope)
        except smtplib.SMTPRecipientsRefused as refused:
            if all(code >= 500 for code, _why in refused.recipients.values()):
                raise Undeliverable(str(min(code for code, _why in refused.recipients.values()))) from None
            raise
        except smtplib.SMTPDataError as refused:
            if refused.smtp_code >= 500:
                raise Undeliverable(str(refused.smtp_code)) from None
            raise

    def _called(self) -> smtplib.SMTP:
        host, port = self._server.hostname or "", self._server.port
        if self._server.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port or 465, timeout=SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(host, port or 587, timeout=SECONDS)

    def _introduce(self, server: smtplib.SMTP) -> None:
        """Nothing is said openly, but on this machine."""
        if self._server.scheme == "smtp" and not is_loopback(self._server.geturl()):
            server.starttls(context=ssl.create_default_context())
        if self._server.username:
            server.login(unquote(self._server.username), unquote(self._server.password or ""))

    def _envelope(self, letter: Letter) -> EmailMessage:
        envelope = EmailMessage()
        envelope["From"] = self._sender
        try:
            envelope["To"] = letter.address
        except ValueError:  # several lines: no address, and no way to smuggle headers in
            raise Undeliverable("no address") from None
        envelope["Subject"] = subject(letter.text)
        envelope["Date"] = format_datetime(letter.written_at)
        envelope["Message-ID"] = f"<{letter.key}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        envelope["Auto-Submitted"] = "auto-generated"
        envelope.set_content(letter.text)
        return envelope


def send(server: smtplib.SMTP, envelope: EmailMessage) -> None:
    """Raises Undeliverable for an address that this server has no letters for: tomorrow it has none either."""
    try:
        server.send_message(envelope)
    except smtplib.SMTPNotSupportedError:
        raise Undeliverable("an address beyond ASCII") from None


class SmsBridge:
    """POSTs `{"key", "to", "text"}` with a bearer's secret; any 2xx says that it was taken over."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret

    def deliver(self, letter: Letter) -> None:
        import requests  # the worker's; web processes do without

        body = {"key": letter.key, "to": letter.address, "text": letter.text}
        headers = {"Authorization": f"Bearer {self._secret}"}
        answer = requests.post(self._url, json=body, headers=headers, timeout=SECONDS, allow_redirects=False)
        if 400 <= answer.status_code < 500 and answer.status_code not in FOR_NOW:
            raise Undeliverable(str(answer.status_code))
        if not 200 <= answer.status_code < 300:
            raise ConnectionError(f"the bridge answered {answer.status_code}")


class ByAddress:
    """E-mail to what has an @, SMS to the others."""

    def __init__(self, mail: Way | None, sms: Way | None) -> None:
        self._mail, self._sms = mail, sms

    def deliver(self, letter: Letter) -> None:
        way = self._mail if "@" in letter.address else self._sms
        if way is None:
            raise NoWayOut(letter.key)
        way.deliver(letter)


def chosen(settings: Settings) -> Way:
    """In production nothing passes for sent that was only shown on a page. A demonstration writes to nobody: its people are
    invented, their addresses may be somebody's."""
    mail = Mail(settings.smtp_url.reveal(), settings.mail_from) if settings.smtp_url.reveal() else None
    sms = SmsBridge(settings.sms_url, settings.sms_secret.reveal()) if settings.sms_url else None
    if settings.is_production and not (mail and sms):
        missing = " and ".join(name for name, way in (("SMTP_URL", mail), ("SMS_URL", sms)) if way is None)
        logging.getLogger(__name__).warning("without %s messages to such addresses wait", missing)
    is_in_earnest = settings.is_production or (not settings.is_demo and (mail or sms))
    return ByAddress(mail, sms) if is_in_earnest else OnThePage()


def subject(text: str) -> str:
    """The first line, shortened."""
    line = " ".join(text.strip().partition("\n")[0].split())
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 1]}…"
