"""/operator/listings: the province finds goods, takes them off sale with a reason, and lifts that again."""

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings import of_province, reviewing
from listings.forms import FindGoodsForm, ReasonForm
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal

NO_STORE = {"Cache-Control": "no-store"}

bp = Blueprint("operator_listings", __name__, url_prefix="/operator/listings")


@bp.get("")
@requires("listing.suspend")
def list_listings() -> ResponseReturnValue:
    form, session = FindGoodsForm(request.args), db.session()
    is_valid = form.validate()
    typed = str(form.q.data or "") if is_valid else ""
    shown: dict[str, Any] = {"form": form, "typed": typed, "most": of_province.AT_MOST}
    shown |= {"found": of_province.matching(session, typed) if typed else (), "suspended": of_province.suspended(session)}
    return render_template("operator/listings.html", **shown), 200 if is_valid else 422, NO_STORE


@bp.get("/<code>")
@requires("listing.suspend")
def show_listing(code: str) -> ResponseReturnValue:
    return listing_page(code, ReasonForm())


@bp.post("/<code>/suspension")
@requires("listing.suspend")
def create_suspension(code: str) -> ResponseReturnValue:
    return decide(code, reviewing.suspend)


@bp.post("/<code>/clearance")
@requires("listing.suspend")
def create_clearance(code: str) -> ResponseReturnValue:
    return decide(code, reviewing.clear)


def decide(code: str, command: Any) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return listing_page(code, form, 422)
    try:
        in_transaction(command, code=code, actor=f"person:{g.person.id}", reason=str(form.reason.data))
        flash(_("Done."), "done")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".show_listing", code=code), 303)


def listing_page(code: str, form: ReasonForm, status: int = 200) -> ResponseReturnValue:
    listing, decided = of_province.judged(db.session(), code)
    shown: dict[str, Any] = {"listing": listing, "decided": decided, "form": form}
    shown["may_be_judged"] = listing.state in of_province.JUDGED
    return render_template("operator/listing.html", **shown), status, NO_STORE
