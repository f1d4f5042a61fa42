"""Coming in: with a code or a password, then, for staff, with a second factor."""

from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts import codes, desks, people, resuming, second_factor, sign_in, visitors
from marketplace.accounts.forms import AddressForm, CodeForm, PasswordForm, SecondFactorForm
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit, is_beyond
from marketplace.accounts.views_codes import private, send_code, shown_in_demonstration, wait
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import TooMany
from marketplace.core.settings import settings

bp = Blueprint("sign_in", __name__)


@bp.get("/sign-in")
@requires("session.open")
def show_sign_in(resume: str = "") -> ResponseReturnValue:
    """Who is signed in already goes on, unless they come to be `another`."""
    if g.person and not resume and "another" not in request.args:
        return redirect(onward(request.args.get("next")))
    form = AddressForm(request.args)
    form.resume.data = resume
    return address_page(form)


@bp.get("/sign-in/codes")
@requires("session.open")
def show_codes() -> ResponseReturnValue:
    """Where a reader ends who changes the language of the page that asks for the code."""
    return redirect(url_for(".show_sign_in"))


@bp.post("/sign-in/codes")
@requires("session.open")
def create_code() -> ResponseReturnValue:
    """Send a code. The answer is the same whether or not an account has this address."""
    form, earlier = AddressForm(request.form), request.form.get("code", "")
    if not form.validate():
        return address_page(form, 422)
    try:
        code = send_code(str(form.address.data), sign_in.CODE)
    except TooMany as refusal:
        if not earlier:
            form.address.errors = [wait(refusal)]
            return address_page(form, refusal.status, refusal)
        again = CodeForm(data={**form.data, "code": earlier})  # which is still good
        again.digits.errors = [wait(refusal)]
        return code_page(again, refusal.status, refusal)
    return code_page(CodeForm(data={**form.data, "code": code}))


@bp.post("/sign-in")
@requires("session.open")
def create_session() -> ResponseReturnValue:
    form = CodeForm(request.form)
    if not form.validate():
        return code_page(form, 422)
    address, digits = str(form.address.data), str(form.digits.data)
    try:
        hit("code.try.from", where_from(), limit=600, seconds=HOUR)
    except TooMany as refusal:
        form.digits.errors = [wait(refusal)]
        return code_page(form, refusal.status, refusal)
    given = {"code": str(form.code.data), "address": address, "digits": digits}
    is_tired = is_beyond("code.try", account_key(address), limit=30, seconds=HOUR)
    entry = None if is_tired else in_transaction(sign_in.with_code, **given, **browser())
    if entry is None:
        form.digits.errors = [codes.WrongCode.message]
        return code_page(form, codes.WrongCode.status)
    answer = enter(entry.token, form)
    if entry.is_new:
        flash(_("Welcome! This is your new account."), "done")
    return answer


@bp.get("/sign-in/password")
@requires("session.open")
def show_password() -> ResponseReturnValue:
    return password_page(PasswordForm(request.args))


@bp.post("/sign-in/password")
@requires("session.open")
def create_session_by_password() -> ResponseReturnValue:
    form = PasswordForm(request.form)
    if "password" not in request.form:  # from the other page, with what was typed there
        return password_page(form)
    if not form.validate():
        return password_page(form, 422)
    address = str(form.address.data)
    try:
        hit("password.from", where_from(), limit=300, seconds=HOUR)
        hit("password", people.address_fingerprint(address), limit=10, seconds=HOUR // 4, is_watched=True)
    except TooMany as refusal:
        form.password.errors = [wait(refusal)]
        return password_page(form, refusal.status, refusal)
    is_tired = is_beyond("password.account", account_key(address), limit=10, seconds=HOUR // 4)
    person = sign_in.whose_password(db.session(), address, str(form.password.data))
    if person is None or is_tired:
        form.password.errors = [_("Address and password do not match.")]
        return password_page(form, 422)
    return enter(in_transaction(sign_in.begin, person_id=person, **browser()), form)


def account_key(address: str) -> str:
    """What guesses are counted by: the account, so that its phone and its e-mail are not two chances.

    Beyond that limit a guess is simply wrong: another answer would tell which phone belongs to which e-mail."""
    return people.public_id_of(db.session(), address) or people.address_fingerprint(address)


def enter(token: str, form: AddressForm) -> Response:
    """Signed in: a fresh cookie, and on to where they wanted; staff by way of the second factor."""
    visitor = visitors.find(token)
    assert visitor is not None
    visitors.enter(visitor)
    resume, asked = str(form.resume.data or ""), str(form.next.data or "")
    if visitor.is_staff and resume:
        answer = second_factor_page(SecondFactorForm(data={"next": asked, "resume": resume}))
    elif visitor.is_staff:
        answer = private(redirect(url_for(".show_second_factor", next=asked or None), 303))
    else:
        answer = private(resuming.go_on(resume, onward(asked)))
    answer.delete_cookie("cart")  # what was in it is the person's now
    return answer


@bp.get("/sign-in/second-factor")
@requires("session.open")
def show_second_factor(resume: str = "") -> ResponseReturnValue:
    if g.person is None:
        return redirect(url_for(".show_sign_in"))
    if g.person.has_second_factor and not resume:
        return redirect(onward(request.args.get("next")))
    form = SecondFactorForm(request.args)
    form.resume.data = resume
    return second_factor_page(form)


@bp.post("/sign-in/second-factor")
@requires("session.open")
def create_second_factor() -> ResponseReturnValue:
    if g.person is None:
        return redirect(url_for(".show_sign_in"), 303)
    form = SecondFactorForm(request.form)
    if not form.validate():
        return second_factor_page(form, 422)
    try:
        hit("second-factor", g.person.public_id, limit=10, seconds=HOUR // 4, is_watched=True)
    except TooMany as refusal:
        form.digits.errors = [wait(refusal)]
        return second_factor_page(form, refusal.status, refusal)
    if not in_transaction(second_factor.is_right, person_id=g.person.id, digits=str(form.digits.data)):
        form.digits.errors = [second_factor.WrongSecondFactor.message]
        return second_factor_page(form, 422)
    visitors.rotate()
    return private(resuming.go_on(str(form.resume.data or ""), onward(form.next.data)))


@bp.post("/sign-out")
@requires("session.close")
def create_sign_out() -> ResponseReturnValue:
    in_transaction(sign_in.end, person_id=g.person.id, session_id=g.person.session_id)
    visitors.leave()
    flash(_("Signed out."), "done")
    return redirect("/", 303)


def onward(asked: str | None) -> str:
    """The page that was asked for, if it is one of ours; else where this person's work begins."""
    return resuming.path_of_ours(asked or "", "") or desks.first_page(db.session(), g.person)


def address_page(form: AddressForm, status: int = 200, refusal: TooMany | None = None) -> Response:
    return private(render_template("accounts/sign_in.html", form=form), status, refusal)


def password_page(form: PasswordForm, status: int = 200, refusal: TooMany | None = None) -> Response:
    return private(render_template("accounts/password.html", form=form), status, refusal)


def code_page(form: CodeForm, status: int = 200, refusal: TooMany | None = None) -> Response:
    sent = shown_in_demonstration(str(form.code.data))
    return private(render_template("accounts/code.html", form=form, sent=sent), status, refusal)


def second_factor_page(form: SecondFactorForm, status: int = 200, refusal: TooMany | None = None) -> Response:
    is_enrolled = second_factor.secret_of(db.session(), g.person.id) is not None
    shown = second_factor.usable_code(db.session(), g.person.id) if settings().is_demo else None
    page = render_template(
        "accounts/second_factor.html", form=form, shown=shown, is_enrolled=is_enrolled, is_demo=settings().is_demo
    )
    return private(page, status, refusal)


def browser() -> dict[str, Any]:
    return {"device": request.user_agent.string[:200], "cart": request.cookies.get("cart")}
