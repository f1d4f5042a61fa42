"""Sending a code from a page, and saying how long to wait for the next."""

from flask import Response, make_response
from flask_babel import ngettext

from marketplace.accounts import codes, people
from marketplace.accounts.letters import letters
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import TooMany
from marketplace.core.settings import settings

MINUTE = 60


def send_code(address: str, purpose: str) -> str:
    """The public id of a code that is on its way. One a minute, six an hour, whoever asks. Raises TooMany."""
    hit("code.from", where_from(), limit=200, seconds=HOUR)
    whose = people.address_fingerprint(address)
    hit("code.minute", whose, limit=1, seconds=MINUTE)
    hit("code", whose, limit=6, seconds=HOUR, is_watched=True)
    return in_transaction(codes.send, address=address, purpose=purpose)


def shown_in_demonstration(code: str) -> str | None:
    """What would have been sent; only a demonstration's page shows it."""
    return letters().text_of(db.session(), f"code:{code}") if settings().is_demo else None


def wait(refusal: TooMany) -> str:
    """How long, in words: to the second for the next code, in minutes where it is long."""
    seconds = refusal.retry_after
    if seconds <= 2 * MINUTE:
        return str(ngettext("Please try again in %(num)d second.", "Please try again in %(num)d seconds.", seconds))
    minutes = -(-seconds // MINUTE)
    return str(ngettext("Please try again in %(num)d minute.", "Please try again in %(num)d minutes.", minutes))


def private(page: object, status: int = 200, refusal: TooMany | None = None) -> Response:
    """A page that nobody keeps, since a code, an address or a token stands in it."""
    answer = make_response(page)
    if answer.status_code == 200:
        answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    if refusal is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer
