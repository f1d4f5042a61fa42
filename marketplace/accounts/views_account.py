"""/account: a person's own page, their name, how they are reached, their password, and where they work."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.accounts import codes, contact, desks, passwords, people, sign_in, visitors
from marketplace.accounts.forms import AddressForm, CodeForm, NameForm, NewPasswordForm
from marketplace.accounts.letters import letters
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.views_codes import private, send_code, shown_in_demonstration, wait
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, TooMany

bp = Blueprint("accounts", __name__)
NEWEST, EARLIER = 5, 20  # messages: on the page itself, and on each further back


@bp.get("/account")
@requires("account.keep")
def show_account() -> ResponseReturnValue:
    """`before`: messages earlier than this one, so that whatever was told can be read again."""
    session = db.session()
    person = session.get_one(Person, g.person.id)
    asked = request.args.get("before", "")
    before = asked if asked.isalnum() else ""
    shown = EARLIER if before else NEWEST
    told = letters().of_person(session, person.id, limit=shown + 1, before=before)
    return render_template(
        "accounts/account.html",
        reached_by=[masked for masked in (contact.masked(person.phone), contact.masked(person.email)) if masked],
        has_password=person.password_hash is not None,
        desks=desks.desks_of(session, g.person),
        told=told[:shown],
        told_before=told[shown - 1].public_id if len(told) > shown else "",
    )


@bp.get("/account/desks")
@requires("account.keep")
def show_desks() -> ResponseReturnValue:
    return render_template("accounts/desks.html", desks=desks.desks_of(db.session(), g.person))


@bp.post("/account/station")
@requires("account.keep")
def create_station() -> ResponseReturnValue:
    """Work at this one of the person's stations from now on, in this browser."""
    if not visitors.choose_station(request.form.get("station", "")):
        raise NotFound("station")
    return redirect("/station", 303)


@bp.get("/account/name")
@requires("account.keep")
def show_name() -> ResponseReturnValue:
    return render_template("accounts/name.html", form=NameForm(data={"name": g.person.name}))


@bp.post("/account/name")
@requires("account.keep")
def create_name() -> ResponseReturnValue:
    form = NameForm(request.form)
    if not form.validate():
        return render_template("accounts/name.html", form=form), 422
    in_transaction(rename, person_id=g.person.id, name=str(form.name.data))
    return saved(_("Saved."))


def rename(session: Session, *, person_id: int, name: str) -> None:
    session.get_one(Person, person_id).name = name


@bp.get("/account/contact")
@requires("account.change")
def show_contact() -> ResponseReturnValue:
    return contact_page(AddressForm())


@bp.post("/account/contact")
@requires("account.change")
def create_contact_code() -> ResponseReturnValue:
    """Send a code to the new phone number or e-mail; whose it is now is told only to who can read it there."""
    form, earlier = AddressForm(request.form), request.form.get("code", "")
    if not form.validate():
        return contact_page(form, 422)
    try:
        code = send_code(str(form.address.data), contact.purpose_of(g.person.public_id))
    except TooMany as refusal:
        if not earlier:
            form.address.errors = [wait(refusal)]
            return contact_page(form, refusal.status, refusal)
        again = CodeForm(data={**form.data, "code": earlier})
        again.digits.errors = [wait(refusal)]
        return contact_code_page(again, refusal.status, refusal)
    return contact_code_page(CodeForm(data={**form.data, "code": code}))


@bp.get("/account/contact/confirmation")
@requires("account.change")
def show_contact_confirmation() -> ResponseReturnValue:
    """Where a reader ends who changes the language of the page that asks for the code."""
    return redirect(url_for(".show_contact"))


@bp.post("/account/contact/confirmation")
@requires("account.change")
def create_contact() -> ResponseReturnValue:
    form = CodeForm(request.form)
    if not form.validate():
        return contact_code_page(form, 422)
    given = {"code": str(form.code.data), "address": str(form.address.data), "digits": str(form.digits.data)}
    try:
        is_changed = in_transaction(contact.change, person_id=g.person.id, **given)
    except people.AddressTaken as refusal:
        form.address.errors = [refusal.message]
        return contact_page(form, refusal.status)
    if not is_changed:
        form.digits.errors = [codes.WrongCode.message]
        return contact_code_page(form, codes.WrongCode.status)
    return saved(_("We will reach you there from now on."))


def contact_page(form: AddressForm, status: int = 200, refusal: TooMany | None = None) -> ResponseReturnValue:
    person = db.session.get_one(Person, g.person.id)
    known = {"phone": contact.masked(person.phone), "email": contact.masked(person.email)}
    return private(render_template("accounts/contact.html", form=form, **known), status, refusal)


def contact_code_page(form: CodeForm, status: int = 200, refusal: TooMany | None = None) -> ResponseReturnValue:
    sent = shown_in_demonstration(str(form.code.data))
    return private(render_template("accounts/contact_code.html", form=form, sent=sent), status, refusal)


@bp.get("/account/password")
@requires("account.change")
def show_password() -> ResponseReturnValue:
    return password_page(NewPasswordForm())


@bp.post("/account/password")
@requires("account.change")
def create_password() -> ResponseReturnValue:
    """Set or change it; whoever has one must know it. Every other session ends."""
    form = NewPasswordForm(request.form)
    if not form.validate():
        return password_page(form, 422)
    try:
        hit("password.change", g.person.public_id, limit=10, seconds=HOUR, is_watched=True)
    except TooMany as refusal:
        form.password.errors = [wait(refusal)]
        return password_page(form, refusal.status, refusal)
    person = db.session.get_one(Person, g.person.id)
    if person.password_hash and not passwords.is_right(str(form.current_password.data or ""), person.password_hash):
        form.current_password.errors = [_("This is not your current password.")]
        return password_page(form, 422)
    try:
        passwords.refuse_weak(str(form.password.data), person.name, person.email or "", person.phone or "")
    except passwords.WeakPassword as refusal:
        form.password.errors = [refusal.message]
        return password_page(form, refusal.status)
    hashed = passwords.hash_password(str(form.password.data))
    in_transaction(sign_in.set_password, person_id=g.person.id, password_hash=hashed, but=g.person.session_id)
    return saved(_("Your new password is set. All other devices were signed out."))


def password_page(form: NewPasswordForm, status: int = 200, refusal: TooMany | None = None) -> ResponseReturnValue:
    has_one = db.session.get_one(Person, g.person.id).password_hash is not None
    form.current_password.flags.required = has_one
    return private(render_template("accounts/new_password.html", form=form, has_one=has_one), status, refusal)


def saved(words: str) -> ResponseReturnValue:
    flash(words, "done")
    return redirect(url_for("accounts.show_account"), 303)
