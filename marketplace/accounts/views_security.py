"""/account/sessions and /account/second-factor: where a person is signed in, and how staff prove who they are."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from marketplace.accounts import devices, resuming, second_factor, sign_in, visitors
from marketplace.accounts.forms import EnrolmentForm
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.views_codes import private, wait
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import TooMany

bp = Blueprint("security", __name__)


@bp.get("/account/sessions")
@requires("account.keep")
def show_sessions() -> ResponseReturnValue:
    rows = sign_in.sessions_of(db.session(), g.person.id)
    sessions = [(row, devices.described(row.device)) for row in rows]
    return render_template("accounts/sessions.html", sessions=sessions)


@bp.post("/account/sessions/<session_id>/end")
@requires("account.keep")
def create_session_end(session_id: str) -> ResponseReturnValue:
    in_transaction(sign_in.end, person_id=g.person.id, session_id=session_id)
    if session_id == g.person.session_id:
        visitors.leave()
        return redirect("/", 303)
    flash(_("That device is signed out."), "done")
    return redirect(url_for(".show_sessions"), 303)


@bp.post("/account/other-sessions/end")
@requires("account.keep")
def create_other_sessions_end() -> ResponseReturnValue:
    in_transaction(sign_in.end_others, person_id=g.person.id, but=g.person.session_id)
    flash(_("All other devices are signed out."), "done")
    return redirect(url_for(".show_sessions"), 303)


@bp.get("/account/second-factor")
@requires("account.keep")
def show_enrolment() -> ResponseReturnValue:
    if not may_enrol():
        return prove_first()
    return enrolment_page(EnrolmentForm(data={"secret": second_factor.new_secret(), "next": request.args.get("next", "")}))


@bp.post("/account/second-factor")
@requires("account.keep")
def create_enrolment() -> ResponseReturnValue:
    """Set it up; whoever has just shown its code has given the second factor of this session as well."""
    if not may_enrol():
        return prove_first()
    form = EnrolmentForm(request.form)
    if not form.validate():
        return enrolment_page(form, 422)
    given = {"secret": str(form.secret.data), "digits": str(form.digits.data)}
    try:
        hit("second-factor", g.person.public_id, limit=10, seconds=HOUR // 4, is_watched=True)
        codes = in_transaction(second_factor.enrol, person_id=g.person.id, **given)
    except TooMany as refusal:
        form.digits.errors = [wait(refusal)]
        return enrolment_page(form, refusal.status, refusal)
    except second_factor.WrongSecondFactor as refusal:
        form.digits.errors = [refusal.message]
        return enrolment_page(form, refusal.status)
    visitors.rotate()
    onward = resuming.path_of_ours(str(form.next.data or ""), url_for("accounts.show_account"))
    return private(render_template("accounts/recovery_codes.html", codes=codes, onward=onward), 201)


def may_enrol() -> bool:
    """The first one freely; another only with the one there is."""
    return g.person.has_second_factor or second_factor.secret_of(db.session(), g.person.id) is None


def prove_first() -> ResponseReturnValue:
    return redirect(url_for("sign_in.show_second_factor", next=url_for(".show_enrolment")), 303)


def enrolment_page(form: EnrolmentForm, status: int = 200, refusal: TooMany | None = None) -> ResponseReturnValue:
    """The QR code stands in the page itself: an address with a secret in it would end in somebody's log."""
    import segno  # needed on this page only

    secret = str(form.secret.data) if second_factor.is_secret(str(form.secret.data)) else second_factor.new_secret()
    form.secret.data = secret
    drawn = segno.make(second_factor.provisioning_uri(secret, g.person.name or "pavilion"), error="m")
    picture = Markup(drawn.svg_inline(scale=5, border=4))
    is_again = second_factor.secret_of(db.session(), g.person.id) is not None
    page = render_template("accounts/enrolment.html", form=form, picture=picture, is_again=is_again)
    return private(page, status, refusal)
