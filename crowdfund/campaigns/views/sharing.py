"""What of a campaign goes elsewhere: how far it is for pages that stay open, a poster, a card for other people's pages."""

from typing import Final

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from crowdfund.campaigns import posters, telling
from crowdfund.campaigns.telling import Shown
from crowdfund.campaigns.views.public import shared
from marketplace.accounts.permissions import requires
from marketplace.core import page_cache
from marketplace.core.db import db
from marketplace.core.settings import settings

TITLE_FROM, APART, PROMISE_FROM = 196, 20, 556  # on the poster's picture: below the hills, the title, the goal
FRAMES: Final = "frame-ancestors *"
FRAMED: Final = {
    "Content-Security-Policy": "; ".join(
        ("default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'none'", "base-uri 'none'", FRAMES)
    ),
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
}
"""Of the one page that others may show in theirs: it runs nothing, sends nothing and knows nobody."""

bp = Blueprint("sharing", __name__)


@bp.get("/campaigns/<campaign>/progress")
@requires("campaign.browse")
def show_progress(campaign: str) -> ResponseReturnValue:
    """The figures alone, for a page that stays open: not modified (304) until something has moved."""
    shown = page_of(campaign)
    return unless_known(render_template("campaigns/progress.html", page=shown, **shared(shown.card.kind)))


@bp.get("/campaigns/<campaign>/share")
@requires("campaign.browse")
def show_share(campaign: str) -> ResponseReturnValue:
    shown = page_of(campaign)
    told = {"page": shown, "address": address_of(shown), "code": drawn(address_of(shown))}
    return render_template("campaigns/share.html", **told, **shared(shown.card.kind))


@bp.get("/campaigns/<campaign>/poster")
@requires("campaign.browse")
def show_poster(campaign: str) -> ResponseReturnValue:
    """On one sheet of paper."""
    shown = page_of(campaign)
    told = {"page": shown, "address": address_of(shown), "code": drawn(address_of(shown))}
    return render_template("campaigns/poster.html", **told, **shared(shown.card.kind))


@bp.get("/campaigns/<campaign>/poster.svg")
@requires("campaign.browse")
def show_picture(campaign: str) -> ResponseReturnValue:
    """The same as a picture to keep or to send around."""
    shown = page_of(campaign)
    title = posters.fitted(shown.card.title, posters.TITLE, TITLE_FROM)
    told = {"page": shown, "address": address_of(shown), "code": drawn(address_of(shown)), "title": title}
    told["purpose"] = posters.fitted(shown.facts.purpose_zh, posters.PURPOSE, title.bottom + APART)
    promise = str(_("Every fen is in a ledger that anyone can check"))
    told["promise"] = posters.fitted(promise, posters.PROMISE, PROMISE_FROM, posters.BESIDE_THE_CODE)
    answer = Response(render_template("campaigns/poster_picture.html", **told), mimetype="image/svg+xml")
    answer.headers["Content-Disposition"] = f"attachment; filename=poster-{campaign}.svg"
    return answer


@bp.get("/campaigns/<campaign>/embed")
@requires("campaign.browse")
def show_embedded(campaign: str) -> ResponseReturnValue:
    shown = page_of(campaign)
    body = render_template("campaigns/embed.html", page=shown, address=address_of(shown), **shared(shown.card.kind))
    return body, 200, FRAMED


def page_of(campaign: str) -> Shown:
    """Raises NotFound."""
    page_cache.tags("stations", f"campaign:{campaign}")
    return telling.page(db.session(), campaign)


def address_of(shown: Shown) -> str:
    return f"{settings().base_url.rstrip('/')}{shown.card.url}"


def drawn(address: str) -> Markup:
    import segno  # for such pages only; a web process does without

    return Markup(segno.make(address, error="m").svg_inline(omitsize=True, border=4))


def unless_known(body: str) -> Response:
    """Strangers are answered by the page cache; whoever is signed in is told by the same tag that nothing has changed."""
    answer = make_response(body)
    answer.add_etag()
    answer.make_conditional(request)
    return answer
