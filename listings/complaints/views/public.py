"""/listings/<code>/complaint: anybody points goods out to the province."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, session as cookie, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings.complaints import complaining
from listings.complaints.forms import ComplaintForm, GuestComplaintForm
from listings.customer_reviews.queries import get_reviewed
from listings.states import FOR_SALE
from marketplace.accounts import rate_limits
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.languages import chosen

AN_HOUR: Final = 10  # of one person, or of one address that a village may share
REMEMBERED: Final = "pointed_out"  # in a stranger's cookie: complaints by the code of their goods
MOST_REMEMBERED: Final = 20

bp = Blueprint("complaints", __name__)


@bp.get("/listings/<code>/complaint")
@requires("complaint.make")
def show_form(code: str) -> ResponseReturnValue:
    return complaint_page(code, form_for())


@bp.post("/listings/<code>/complaint")
@requires("complaint.make")
def create_complaint(code: str) -> ResponseReturnValue:
    form = form_for(request.form)
    if not form.validate():
        return complaint_page(code, form, 422)
    person = g.person.id if g.person else None
    address = str(form.contact.data or "") if isinstance(form, GuestComplaintForm) else ""
    given: dict[str, Any] = {"code": code, "fault": form.chosen, "words": str(form.words.data), "language": chosen()}
    given |= {"reporter_id": person, "address": address, "remembered": "" if person else remembered(code)}
    try:
        whose = f"person:{person}" if person else rate_limits.address()
        hit("complaint.make", whose, limit=AN_HOUR, seconds=HOUR)
        key = form.idempotency(f"complaint:{code}:{whose}")
        made = in_transaction(idempotency.once, complaining.complain, idempotency=key, **given)
    except NotFound:
        raise
    except Refusal as refusal:
        form.form_errors.append(refusal.message)
        return complaint_page(code, form, refusal.status, refusal.headers)
    if person is None:
        remember(code, made)
    flash(_("The province has it now, and looks at these goods."), "done")
    return redirect(url_for(".show_form", code=code), 303)


def form_for(typed: Any = None) -> ComplaintForm:
    return ComplaintForm(typed) if g.person else GuestComplaintForm(typed)


def complaint_page(
    code: str, form: ComplaintForm, status: int = 200, headers: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    listing = get_reviewed(db.session(), code, FOR_SALE)
    is_waiting = status == 200 and has_pointed_out(code)
    body = render_template("complaints/new.html", listing=listing, form=form, is_waiting=is_waiting)
    return body, status, {"Cache-Control": "no-store", **(headers or {})}


def has_pointed_out(code: str) -> bool:
    """Whether this visitor's word about these goods waits already."""
    if g.person:
        return complaining.is_waiting(db.session(), code, complaining.who(g.person.id, ""))
    return complaining.is_open(db.session(), code, remembered(code))


def remembered(code: str) -> str:
    """The complaint about these goods that this browser knows of, or the empty string."""
    return str(cookie.get(REMEMBERED, {}).get(code, ""))


def remember(code: str, complaint: str) -> None:
    known = {**cookie.get(REMEMBERED, {}), code: complaint}
    cookie[REMEMBERED] = dict(list(known.items())[-MOST_REMEMBERED:])
