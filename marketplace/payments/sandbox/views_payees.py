"""The page on which a payee tells the cashier who they are. Another house, with test money."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core.errors import NotFound
from marketplace.payments.gateways import Invalid
from marketplace.payments.sandbox.views import NO_STORE, cashier, same_site
from marketplace.payments.transfers.states import PayeeState

bp = Blueprint("sandbox_payees", __name__, url_prefix="/sandbox-cashier/payees")

OUTCOMES = {"verify": PayeeState.VERIFIED, "refuse": PayeeState.RESTRICTED}


@bp.get("/<payee>")
@requires("sandbox_payee.show")
def show_payee(payee: str) -> ResponseReturnValue:
    return page(payee, same_site(request.args.get("return", "/")))


@bp.post("/<payee>/decision")
@requires("sandbox_payee.decide")
def create_decision(payee: str) -> ResponseReturnValue:
    """verify, refuse; later: they come back another day."""
    found, back = find(payee), same_site(request.form.get("return", "/"))
    outcome, last4 = request.form.get("outcome", ""), request.form.get("last4", "").strip()
    if outcome not in {*OUTCOMES, "later"}:
        return page(payee, back, status=422)
    if outcome == "verify" and not (len(last4) == 4 and last4.isascii() and last4.isdigit()):
        return page(payee, back, wrong=_("Enter the last four digits."), last4=last4[:40], status=422)
    if outcome in OUTCOMES:
        cashier().say_who_they_are(payee, OUTCOMES[outcome], last4 if outcome == "verify" else found.last4)
    return redirect(back, 303)


@bp.post("/<payee>/payout")
@requires("sandbox_payee.decide")
def create_payout(payee: str) -> ResponseReturnValue:
    """Their whole balance goes to their bank."""
    find(payee)
    try:
        cashier().pay_payee_out(payee)
    except Invalid as error:
        raise NotFound(payee) from error
    return redirect(url_for(".show_payee", payee=payee), 303)


def page(payee: str, back: str, *, wrong: str = "", last4: str = "", status: int = 200) -> ResponseReturnValue:
    shown = {"payee": find(payee), "back": back, "wrong": wrong, "last4": last4}
    return render_template("payments/payee.html", **shown), status, NO_STORE


def find(payee: str) -> Any:
    try:
        return cashier().look_up_payee(payee)
    except Invalid as error:
        raise NotFound(payee) from error
