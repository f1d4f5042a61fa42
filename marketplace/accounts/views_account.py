"""/account: a person's own name, password, sessions and second factor."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from marketplace.accounts import addresses, passwords, second_factor, sign_in, visitors
from marketplace.accounts.forms import EnrolmentForm, NameForm, NewPasswordForm
from marketplace.accounts.letters import letters
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core.db import db, in_transaction

bp = Blueprint("accounts", __name__)


@bp.get("/account")
@requires("account.keep")
def show_account() -> ResponseReturnValue:
    return account_page(NameForm(data={"name": g.person.name}), NewPasswordForm())


def account_page(name: NameForm, password: NewPasswordForm) -> str:
    session = db.session()
    person = session.get_one(Person, g.person.id)
    return render_template(
        "accounts/account.html",
        person=person,
        name_form=name,
        password_form=password,
        sessions=sign_in.sessions_of(session, person.id),
        addresses=addresses.of_person(session, person.id),
        told=letters().of_person(session, person.id),
    )


@bp.post("/account/name")
@requires("account.keep")
def create_name() -> ResponseReturnValue:
    form = NameForm(request.form)
    if not form.validate():
        return account_page(form, NewPasswordForm()), 422
    in_transaction(rename, person_id=g.person.id, name=str(form.name.data))
    flash(_("Saved."), "done")
    return redirect(url_for(".show_account"), 303)


def rename(session: Session, *, person_id: int, name: str) -> None:
    session.get_one(Person, person_id).name = name


@bp.post("/account/password")
@requires("account.keep")
def create_password() -> ResponseReturnValue:
    """Set or change it; whoever has one must know it. Every other session ends."""
    form = NewPasswordForm(request.form)
    name = NameForm(data={"name": g.person.name})
    if not form.validate():
        return account_page(name, form), 422
    hit("password.change", g.person.public_id, limit=10, seconds=HOUR)
    person = db.session.get_one(Person, g.person.id)
    if person.password_hash and not passwords.is_right(str(form.current.data or ""), person.password_hash):
        form.current.errors = [_("This is not your current password.")]
        return account_page(name, form), 422
    try:
        passwords.refuse_weak(str(form.password.data), person.name, person.email or "", person.phone or "")
    except passwords.WeakPassword as refusal:
        form.password.errors = [refusal.message]
        return account_page(name, form), refusal.status
    hashed = passwords.hash_password(str(form.password.data))
    in_transaction(sign_in.set_password, person_id=g.person.id, password_hash=hashed, but=g.person.session_id)
    flash(_("The new password holds. Every other device was signed out."), "done")
    return redirect(url_for(".show_account"), 303)


@bp.post("/account/sessions/<session_id>/end")
@requires("account.keep")
def create_session_end(session_id: str) -> ResponseReturnValue:
    in_transaction(sign_in.end, person_id=g.person.id, session_id=session_id)
    if session_id == g.person.session_id:
        visitors.leave()
        return redirect("/", 303)
    flash(_("That device is signed out."), "done")
    return redirect(url_for(".show_account"), 303)


@bp.post("/account/other-sessions/end")
@requires("account.keep")
def create_other_sessions_end() -> ResponseReturnValue:
    in_transaction(sign_in.end_others, person_id=g.person.id, but=g.person.session_id)
    flash(_("Every other device is signed out."), "done")
    return redirect(url_for(".show_account"), 303)


@bp.post("/account/addresses/<address>/removal")
@requires("account.keep")
def create_address_removal(address: str) -> ResponseReturnValue:
    in_transaction(addresses.remove, person_id=g.person.id, address=address)
    flash(_("The address is removed."), "done")
    return redirect(url_for(".show_account"), 303)


@bp.get("/account/second-factor")
@requires("account.keep")
def show_enrolment() -> ResponseReturnValue:
    if not may_enrol():
        return redirect(url_for("sign_in.show_second_factor", next=request.path))
    return enrolment_page(EnrolmentForm(data={"secret": second_factor.new_secret()}))


@bp.post("/account/second-factor")
@requires("account.keep")
def create_enrolment() -> ResponseReturnValue:
    if not may_enrol():
        return redirect(url_for("sign_in.show_second_factor", next=request.path), 303)
    form = EnrolmentForm(request.form)
    secret = str(form.secret.data)
    if not form.validate():
        return enrolment_page(form), 422
    try:
        codes = in_transaction(second_factor.enrol, person_id=g.person.id, secret=secret, digits=str(form.digits.data))
    except second_factor.WrongSecondFactor as refusal:
        form.digits.errors = [refusal.message]
        return enrolment_page(form), refusal.status
    return render_template("accounts/recovery_codes.html", codes=codes), 201, {"Cache-Control": "no-store"}


def may_enrol() -> bool:
    """The first one freely; another only with the one there is."""
    return g.person.has_second_factor or second_factor.secret_of(db.session(), g.person.id) is None


def enrolment_page(form: EnrolmentForm) -> str:
    """The QR code stands in the page itself: an address with a secret in it would end in somebody's log."""
    import segno  # needed on this page only

    secret = str(form.secret.data) if second_factor.is_secret(str(form.secret.data)) else second_factor.new_secret()
    form.secret.data = secret
    drawn = segno.make(second_factor.provisioning_uri(secret, g.person.name or "pavilion"), error="m")
    picture = Markup(drawn.svg_inline(scale=5, border=4))
    return render_template("accounts/enrolment.html", form=form, picture=picture)
