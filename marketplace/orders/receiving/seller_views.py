"""/seller/shortages: a seller says what they can bring of what was ordered from them. The station sees it and decides."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.orders.receiving import forecasting, owed
from marketplace.orders.receiving.forms import ForecastForm, forecast_form
from marketplace.orders.receiving.owed import Pack

bp = Blueprint("shortages", __name__)


@bp.get("/seller/shortages")
@requires("shortage.tell")
def show_shortages() -> ResponseReturnValue:
    packs = own_packs()
    return page(packs, forecast_form(packs, None, forecasting.of_seller(db.session(), g.person.public_id)))


@bp.post("/seller/shortages")
@requires("shortage.tell")
def create_shortages() -> ResponseReturnValue:
    """It sets what is said, so that sending it twice says the same."""
    packs = own_packs()
    form = forecast_form(packs, request.form, {})
    if not form.validate():
        return page(packs, form, 422)
    said = {pack.code: (int(form.typed("packs", pack.code)), form.grams(pack.code)) for pack in packs}
    try:
        in_transaction(forecasting.foretell, seller=g.person.public_id, packs=said)
    except NotFound:  # taken in meanwhile
        flash(_("What you have to bring has changed meanwhile. Please look again."), "note")
    else:
        flash(_("Saved. The station sees it before you come."), "done")
    return redirect(url_for(".show_shortages"), 303)


def own_packs() -> tuple[Pack, ...]:
    delivery = owed.of_seller(db.session(), g.person.public_id)
    return delivery.packs if delivery else ()


def page(packs: tuple[Pack, ...], form: ForecastForm, status: int = 200) -> ResponseReturnValue:
    body = render_template("receiving/shortages.html", packs=packs, form=form)
    return body, status, {"Cache-Control": "no-store"}
