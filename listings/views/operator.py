"""/operator/listings: the province finds goods, takes them off sale with a reason, and lifts that again."""

from typing import Any

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from listings import differences, of_province, revising
from listings.complaints import deciding, queries as complaints, words
from listings.complaints.forms import DecisionForm
from listings.forms import FindGoodsForm
from listings.states import ListingState
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.steps import take_step

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
    return listing_page(code)


@bp.post("/<code>/suspension")
@requires("listing.suspend")
def create_suspension(code: str) -> ResponseReturnValue:
    form = DecisionForm(request.form)
    return decide(code, form, deciding.suspend, {"judgement": form})


@bp.post("/<code>/clearance")
@requires("listing.suspend")
def create_clearance(code: str) -> ResponseReturnValue:
    form = DecisionForm(request.form)
    return decide(code, form, deciding.reinstate, {"judgement": form}, seen=str(form.seen.data or ""))


def decide(
    code: str, form: DecisionForm, command: Any, refused: dict[str, DecisionForm], **given: Any
) -> ResponseReturnValue:
    """The province's word about goods, with its reason; back to their page."""
    if not form.validate():
        return listing_page(code, 422, **refused)
    given |= {"code": code, "person_id": g.person.id, "reason": str(form.reason.data)}
    return take_step(command, url_for("operator_listings.show_listing", code=code), **given)


def listing_page(code: str, status: int = 200, **forms: DecisionForm) -> ResponseReturnValue:
    """`forms`: what was refused, by name, with what was typed; each asks the same of another decision."""
    session = db.session()
    listing, decided = of_province.judged(session, code)
    shown: dict[str, Any] = {"listing": listing, "decided": decided, "words": words}
    shown["may_be_judged"] = listing.state in of_province.JUDGED
    shown |= {"complaints": complaints.open_about(session, listing.id), "most": complaints.MOST}
    shown |= {"decided_complaints": complaints.decided_about(session, listing.id)}
    look, edit = complaints.second_look(session, listing.id), None
    if listing.state is ListingState.SUSPENDED:
        edit = revising.waiting(session, listing.id)
    shown |= {"look": look, "edit": edit, "differences": differences.of(edit.before, edit.after) if edit else []}
    blank = {
        "judgement": DecisionForm(seen=deciding.mark(edit)),
        "dismissal": DecisionForm(seen=shown["complaints"][-1].public_id if shown["complaints"] else ""),
        "declining": DecisionForm(seen=look.public_id if look else ""),
    }
    for name, form in (blank := {**blank, **forms}).items():
        form.reason.id = f"{name}-reason"  # several on one page
    return render_template("operator/listing.html", **shown, **blank), status, NO_STORE
