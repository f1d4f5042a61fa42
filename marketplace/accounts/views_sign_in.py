"""Coming in: with a code or a password, then, for staff, with a second factor."""

from typing import Any

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts import codes, resuming, second_factor, sign_in, visitors
from marketplace.accounts.forms import AddressForm, CodeForm, PasswordForm, SecondFactorForm
from marketplace.accounts.letters import letters
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, address as where_from, hit
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings

bp = Blueprint("sign_in", __name__)


@bp.get("/sign-in")
@requires("session.open")
def show_sign_in(resume: str = "") -> ResponseReturnValue:
    form = AddressForm(request.args)
    form.resume.data = resume
    return private(render_template("accounts/sign_in.html", form=form))


@bp.post("/sign-in/codes")
@requires("session.open")
def create_code() -> ResponseReturnValue:
    """Send a code. The answer is the same whether or not an account has this address."""
    form = AddressForm(request.form)
    if not form.validate():
        return private(render_template("accounts/sign_in.html", form=form)), 422
    address = str(form.address.data)
    hit("code.minute", address, limit=1, seconds=45)
    hit("code", address, limit=6, seconds=HOUR)
    hit("code.from", where_from(), limit=200, seconds=HOUR)
    code = in_transaction(codes.send, address=address, purpose=sign_in.CODE)
    return code_page(CodeForm(data={**form.data, "code": code}))


@bp.post("/sign-in")
@requires("session.open")
def create_session() -> ResponseReturnValue:
    form = CodeForm(request.form)
    if not form.validate():
        return code_page(form), 422
    address, digits = str(form.address.data), str(form.digits.data)
    hit("code.try", address, limit=30, seconds=HOUR)
    hit("code.try.from", where_from(), limit=600, seconds=HOUR)
    given = {"code": str(form.code.data), "address": address, "digits": digits}
    entry = in_transaction(sign_in.with_code, **given, **browser())
    if entry is None:
        form.digits.errors = [codes.WrongCode.message]
        return code_page(form), codes.WrongCode.status
    if entry.is_new:
        flash(_("Welcome! This is your new account."), "done")
    return enter(entry.token, form)


@bp.get("/sign-in/password")
@requires("session.open")
def show_password() -> ResponseReturnValue:
    return private(render_template("accounts/password.html", form=PasswordForm(request.args)))


@bp.post("/sign-in/password")
@requires("session.open")
def create_session_by_password() -> ResponseReturnValue:
    form = PasswordForm(request.form)
    if not form.validate():
        return private(render_template("accounts/password.html", form=form)), 422
    address = str(form.address.data)
    hit("password", address, limit=10, seconds=HOUR // 4)
    hit("password.from", where_from(), limit=300, seconds=HOUR)
    person = sign_in.whose_password(db.session(), address, str(form.password.data))
    if person is None:
        form.password.errors = [_("Address and password do not belong together.")]
        return private(render_template("accounts/password.html", form=form)), 422
    return enter(in_transaction(sign_in.begin, person_id=person, **browser()), form)


def enter(token: str, form: AddressForm) -> ResponseReturnValue:
    """Signed in: a fresh cookie, and on to where they wanted."""
    visitor = visitors.find(token)
    assert visitor is not None
    visitors.enter(visitor)
    onward = resuming.path_of_ours(str(form.next.data or ""), resuming.home_of(visitor.roles))
    resume = str(form.resume.data or "")
    if visitor.is_staff:
        return second_factor_page(SecondFactorForm(data={"next": onward, "resume": resume}))
    answer = make_response(resuming.go_on(resume, onward))
    answer.delete_cookie("cart")
    return private(answer)


@bp.get("/sign-in/second-factor")
@requires("session.open")
def show_second_factor(resume: str = "") -> ResponseReturnValue:
    if g.person is None:
        return redirect("/sign-in")
    form = SecondFactorForm(request.args)
    form.resume.data = resume
    return second_factor_page(form)


@bp.post("/sign-in/second-factor")
@requires("session.open")
def create_second_factor() -> ResponseReturnValue:
    if g.person is None:
        return redirect("/sign-in", 303)
    form = SecondFactorForm(request.form)
    if not form.validate():
        return second_factor_page(form), 422
    hit("second-factor", g.person.public_id, limit=10, seconds=HOUR // 4)
    if not in_transaction(second_factor.is_right, person_id=g.person.id, digits=str(form.digits.data)):
        form.digits.errors = [second_factor.WrongSecondFactor.message]
        return second_factor_page(form), 422
    visitor = visitors.find(in_transaction(sign_in.rotate, token=g.person.token))
    assert visitor is not None
    visitors.enter(visitor)
    onward = resuming.path_of_ours(str(form.next.data or ""), resuming.home_of(visitor.roles))
    return private(make_response(resuming.go_on(str(form.resume.data or ""), onward)))


@bp.post("/sign-out")
@requires("session.close")
def create_sign_out() -> ResponseReturnValue:
    in_transaction(sign_in.end, person_id=g.person.id, session_id=g.person.session_id)
    visitors.leave()
    flash(_("Signed out."), "done")
    return redirect("/", 303)


def code_page(form: CodeForm) -> str:
    """In a demonstration the page itself shows what would have been sent."""
    shown = letters().text_of(db.session(), f"code:{form.code.data}") if settings().is_demo else None
    return render_template("accounts/code.html", form=form, sent=shown)


def second_factor_page(form: SecondFactorForm) -> str:
    is_enrolled = second_factor.secret_of(db.session(), g.person.id) is not None
    shown = second_factor.usable_code(db.session(), g.person.id) if settings().is_demo else None
    return render_template("accounts/second_factor.html", form=form, shown=shown, is_enrolled=is_enrolled)


def browser() -> dict[str, Any]:
    return {"device": request.user_agent.string[:200], "cart": request.cookies.get("cart")}


def private(answer: Any) -> Response:
    response = make_response(answer)
    response.headers["Cache-Control"] = "no-store"
    return response
