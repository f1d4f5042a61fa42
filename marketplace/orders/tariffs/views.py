"""/operator/shipping-rates: what sending costs now and from which day, and a new table: looked at, then kept."""

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from wtforms import DateField, TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import Form, Needed
from marketplace.orders.dispatching.reading import Unreadable, decoded
from marketplace.orders.tariffs import keeping, reading

bp = Blueprint("shipping_rates", __name__, url_prefix="/operator/shipping-rates")
FILE: Final = "file"
LONGEST: Final = 20_000


class RatesForm(Form):
    valid_from = DateField(_l("Begins on"), [InputRequired(_l("Please write a day like this: 2026-10-09."))])
    table = TextAreaField(_l("Table"), [Needed(_l("Paste the rate table, or choose its file.")), Length(max=LONGEST)])


@bp.get("")
@requires("shipping_rate.keep")
def show_rates() -> ResponseReturnValue:
    return page(RatesForm(data={"valid_from": clock.today() + timedelta(days=1)}))


@bp.post("")
@requires("shipping_rate.keep")
def create_rates() -> ResponseReturnValue:
    """A look first; `action` send keeps it. Sent twice, it says the same."""
    form = RatesForm(request.form)
    sent = request.files.get(FILE)
    try:
        if sent is not None and sent.filename:
            form.table.data = decoded(sent.read(LONGEST * 4)).strip()
    except Unreadable:
        form.table.errors = [_("This cannot be read. At most 200 rows: zone, kilograms, yuan, days.")]
        return page(form, 422)
    if not form.validate():
        return page(form, 422)
    steps = reading.steps(str(form.table.data), keeping.zones(db.session()))
    if not steps or len(steps) > reading.MOST:
        form.table.errors = [_("This cannot be read. At most 200 rows: zone, kilograms, yuan, days.")]
        return page(form, 422)
    if any(step.wrong for step in steps):
        form.table.errors = [_("Some rows are wrong. The list below says which.")]
        return page(form, 422, steps=steps)
    day = form.valid_from.data or clock.today()
    if request.form.get("action") != "send":
        return page(form, steps=steps, less=keeping.no_longer_sent(db.session(), steps, day))
    try:
        in_transaction(keeping.keep, steps=steps, valid_from=day, actor=f"person:{g.person.id}")
    except keeping.TooEarly as refusal:
        form.valid_from.errors = [refusal.message]
        return page(form, refusal.status, steps=steps)
    flash(_("Kept. It holds from its first day."), "done")
    return redirect(url_for(".show_rates"), 303)


def page(form: RatesForm, status: int = 200, **shown: Any) -> ResponseReturnValue:
    session = db.session()
    known: dict[str, Any] = {"tables": keeping.tables(session), "zones": keeping.zones(session)}
    given: dict[str, Any] = {"steps": [], "less": []} | shown
    body = render_template("operator/shipping_rates.html", form=form, desk_current="shipping", **known, **given)
    return body, status, {"Cache-Control": "no-store"}
