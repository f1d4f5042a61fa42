"""A browser that gives to a campaign with a matching fund is known again by a cookie: sent to that campaign's gift form and
to no other page, and stored nowhere but as a keyed hash."""

import re
from typing import Any, Final

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from crowdfund.campaigns.matching import traces
from crowdfund.campaigns.matching.traces import Origin
from marketplace.accounts.rate_limits import address
from marketplace.core import ids
from marketplace.core.db import db

NAME: Final = "gift_device"
WELL_MADE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
KEPT_SECONDS: Final = int(traces.KEPT_FOR.total_seconds())


def known() -> str:
    """What the browser sent; nothing where it sent none of ours."""
    said = request.cookies.get(NAME, "")
    return said if WELL_MADE.fullmatch(said) else ""


def origin() -> Origin:
    return Origin(known(), address())


def named(shown: ResponseReturnValue, campaign: str) -> Response:
    """A page of the gift form; where it matters who gives, a browser without a name gets one with it."""
    answer = make_response(shown)
    if not known() and traces.is_wanted(db.session(), campaign):
        kept: dict[str, Any] = {"max_age": KEPT_SECONDS, "httponly": True, "secure": request.is_secure, "samesite": "Lax"}
        answer.set_cookie(NAME, ids.secret_token(), path=f"/campaigns/{campaign}/gifts", **kept)
    return answer
