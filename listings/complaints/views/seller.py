"""/seller/listings/<code>/suspension: why goods are off sale, what was mended, and asking the province to look again."""

from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings import differences, revising
from listings.complaints import deciding
from listings.complaints.forms import SecondLookForm
from listings.complaints.states import LookState
from listings.views.frame import get_own, page
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.steps import take_step

bp = Blueprint("seller_suspensions", __name__, url_prefix="/seller/listings")


@bp.get("/<code>/suspension")
@requires("listing.keep")
def show_suspension(code: str) -> ResponseReturnValue:
    return suspension_page(code, SecondLookForm())


def suspension_page(code: str, form: SecondLookForm, status: int = 200) -> ResponseReturnValue:
    session, listing = db.session(), get_own(code)
    why, look = deciding.get_suspended(session, listing)
    edit = revising.waiting(session, listing.id)
    shown: dict[str, Any] = {"why": why, "look": look, "waits": bool(look and look.state is LookState.ASKED), "form": form}
    shown |= {"edit": edit, "differences": differences.of(edit.before, edit.after) if edit else []}
    return page("complaints/suspension.html", status, listing=listing, **shown)


@bp.post("/<code>/second-look")
@requires("listing.keep")
def create_second_look(code: str) -> ResponseReturnValue:
    form, listing = SecondLookForm(request.form), get_own(code)
    if not form.validate():
        return suspension_page(code, form, 422)
    try:
        in_transaction(deciding.ask_again, code=listing.code, person_id=g.person.id, words=str(form.words.data))
        flash(_("The province has your word now. Its answer comes as a message."), "done")
    except NotFound:
        raise
    except deciding.NotSuspended as refusal:
        flash(refusal.message, "note")
        return redirect("/seller", 303)
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".show_suspension", code=code), 303)


@bp.post("/<code>/suspended-removal")
@requires("listing.keep")
def create_removal(code: str) -> ResponseReturnValue:
    return take_step(deciding.take_away, "/seller", code=code, person_id=g.person.id)
