"""/station/sellers/new: the station's head lets somebody sell whom the station has seen."""

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings import enrolling
from listings.forms import EnrolmentForm
from listings.views.frame import page
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import in_transaction

bp = Blueprint("enrolments", __name__, url_prefix="/station/sellers")
ASKED = ("person", "phone", "kind", "name", "village", "story")
REFUSED = (enrolling.AlreadySells, enrolling.OwnNumber, enrolling.ClosedAccount)


@bp.get("/new")
@requires("seller.enrol")
def show_form() -> ResponseReturnValue:
    return page("station/seller_new.html", form=EnrolmentForm())


@bp.post("")
@requires("seller.enrol")
def create_seller() -> ResponseReturnValue:
    form = EnrolmentForm(request.form)
    if not form.validate():
        return page("station/seller_new.html", 422, form=form)
    given = {name: str(form[name].data or "") for name in ASKED} | {"station": g.station, "by": g.person.id}
    try:
        once = form.idempotency(f"person:{g.person.id}:enrolment")
        in_transaction(idempotency.once, enrolling.enrol, idempotency=once, **given)
    except REFUSED as refusal:
        form.phone.errors = [str(refusal.message)]
        return page("station/seller_new.html", refusal.status, form=form)
    flash(_("%(name)s sells with you now. They sign in with their mobile number.", name=given["name"]), "done")
    return redirect("/station/sellers", 303)
