"""/seller/shortages: a seller says what they can bring of what was ordered from them. The station sees it and decides."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.orders.receiving import forecasting, owed
from marketplace.orders.receiving.forecasting import OwesOtherwise
from marketplace.orders.receiving.forms import ForecastForm, forecast_form
from marketplace.orders.receiving.owed import Delivery

bp = Blueprint("shortages", __name__)


@bp.get("/seller/shortages")
@requires("shortage.tell")
def show_shortages() -> ResponseReturnValue:
    delivery = owed.of_seller(db.session(), g.person.public_id)
    return page(delivery, forecast_form(delivery, None, forecasting.of_seller(db.session(), g.person.public_id)))


@bp.post("/seller/shortages")
@requires("shortage.tell")
def create_shortages() -> ResponseReturnValue:
    """It sets what is said, so that sending it twice says the same."""
    delivery = owed.of_seller(db.session(), g.person.public_id)
    form = forecast_form(delivery, request.form, {})
    if delivery is None or form.seen.data != delivery.mark:
        return refused_page(OwesOtherwise(g.person.public_id))
    if not form.validate():
        return page(delivery, form, 422)
    said = {pack.code: (int(form.typed("packs", pack.code)), form.grams(pack.code)) for pack in delivery.packs}
    try:
        in_transaction(forecasting.foretell, seller=g.person.public_id, packs=said, seen=delivery.mark)
    except OwesOtherwise as refusal:  # ordered, or taken in, a moment ago
        db.session.rollback()
        return refused_page(refusal)
    flash(_("Saved. The station sees it before you come."), "done")
    return redirect(url_for(".show_shortages"), 303)


def refused_page(refusal: Refusal) -> ResponseReturnValue:
    """What was typed, beside what is owed now."""
    delivery = owed.of_seller(db.session(), g.person.public_id)
    form = forecast_form(delivery, request.form, {})
    form.seen.data = delivery.mark if delivery else ""
    form.form_errors.append(refusal.message)
    return page(delivery, form, refusal.status)


def page(delivery: Delivery | None, form: ForecastForm, status: int = 200) -> ResponseReturnValue:
    body = render_template("receiving/shortages.html", packs=delivery.packs if delivery else (), form=form)
    return body, status, {"Cache-Control": "no-store"}
