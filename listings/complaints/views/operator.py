"""/operator/complaints: goods that somebody pointed out, and those whose sellers ask for a second look."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from listings.complaints import deciding, queries
from listings.complaints.forms import DecisionForm
from listings.views.operator import NO_STORE, decide
from marketplace.accounts.permissions import requires
from marketplace.core.db import db

bp = Blueprint("operator_complaints", __name__, url_prefix="/operator")


@bp.get("/complaints")
@requires("listing.suspend")
def list_complaints() -> ResponseReturnValue:
    rows = queries.waiting(db.session())
    return render_template("complaints/operator_list.html", rows=rows, most=queries.MOST), 200, NO_STORE


@bp.post("/listings/<code>/dismissal")
@requires("listing.suspend")
def create_dismissal(code: str) -> ResponseReturnValue:
    form = DecisionForm(request.form)
    return decide(code, form, deciding.dismiss, {"dismissal": form}, seen=str(form.seen.data or ""))


@bp.post("/listings/<code>/second-look/refusal")
@requires("listing.suspend")
def create_look_refusal(code: str) -> ResponseReturnValue:
    form = DecisionForm(request.form)
    return decide(code, form, deciding.decline, {"declining": form}, look=str(form.seen.data or ""))
