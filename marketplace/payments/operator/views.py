"""/operator/payments, /operator/refunds: looked through by GET, acted on and taken away by POST, and audited."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.accounts.permissions import requires
from marketplace.core import audit, clock
from marketplace.core.db import db, in_transaction
from marketplace.core.forms import tidy
from marketplace.core.paging import Page
from marketplace.payments import absent
from marketplace.payments.gateways import GatewayError, current_book
from marketplace.payments.operator import export, following, queries, words
from marketplace.payments.operator.forms import FilterForm, WhyForm
from marketplace.payments.operator.queries import Asked
from marketplace.payments.operator.words import Words

NO_STORE: Final = {"Cache-Control": "no-store"}
ACTS: Final = frozenset({"operator", "finance_operator"})
NOTHING: Final = Page[Any]([], "")
UNKEPT: Final = frozenset({"number", "text"})

bp = Blueprint("operator_payments", __name__, url_prefix="/operator")


@bp.get("/payments")
@requires("payment.look_into")
def list_payments() -> ResponseReturnValue:
    return found("operator/payments.html", words.ATTEMPTS, queries.page_of_attempts)


@bp.post("/payments.csv")
@requires("payment.look_into")
def export_payments() -> ResponseReturnValue:
    return exported("payments", words.ATTEMPTS, export.ATTEMPTS, queries.all_attempts)


@bp.get("/payments/<attempt>")
@requires("payment.look_into")
def show_payment(attempt: str) -> ResponseReturnValue:
    followed = following.follow(db.session(), attempt, of=tidy(request.args.get("of", "")))
    return page("operator/payment.html", followed=followed, form=WhyForm(), of="")


@bp.get("/refunds")
@requires("payment.look_into")
def list_refunds() -> ResponseReturnValue:
    return found("operator/refunds.html", words.REFUNDS, queries.page_of_refunds)


@bp.post("/refunds.csv")
@requires("payment.look_into")
def export_refunds() -> ResponseReturnValue:
    return exported("refunds", words.REFUNDS, export.REFUNDS, queries.all_refunds)


def found(template: str, states: Mapping[str, Words], read: Callable[[Session, Asked], Page[Any]]) -> ResponseReturnValue:
    form = FilterForm(request.args, states=states)
    if not form.validate():
        return page(template, 422, form=form, found=NOTHING)
    return page(template, form=form, found=read(db.session(), asked(form)))


def asked(form: FilterForm) -> Asked:
    names = ("number", "state", "purpose", "since", "until")
    given = {name: form.data[name] for name in names if form.data[name]}
    return Asked(**given, least=form.least_fen, most=form.most_fen, before=tidy(request.args.get("before", "")))


def exported(
    name: str, states: Mapping[str, Words], columns: tuple[str, ...], read: Callable[[Session, Asked], Iterator[Any]]
) -> ResponseReturnValue:
    form = FilterForm(request.args, states=states)
    if not form.validate():
        return page(f"operator/{name}.html", 422, form=form, found=NOTHING)
    return taken_away(name, form.typed, export.lines(columns, read(db.session(), asked(form))))


def taken_away(name: str, typed: Mapping[str, str], lines: Iterator[bytes]) -> Response:
    """All that a filter finds, as a file, while it is read; who took it is kept, and what of, but no numbers or words."""
    wanted = " ".join(f"{key}={value}" for key, value in sorted(typed.items()) if key not in UNKEPT)
    in_transaction(audit.record, actor=actor(), action=f"{name}.exported", subject=name, why=wanted)
    disposition = f"attachment; filename={name}-{clock.today():%Y%m%d}.csv"
    headers = {**NO_STORE, "Content-Disposition": disposition}
    return Response(stream_with_context(lines), content_type="text/csv; charset=utf-8", headers=headers)


@bp.post("/refunds/<refund>/absence")
@requires("payment.correct")
def create_absence(refund: str) -> ResponseReturnValue:
    """The provider never heard of it: a person lets it go, so that it can be decided on again."""
    session = db.session()
    attempt = following.attempt_of_refund(session, refund)
    form = WhyForm(request.form)
    if not form.validate():
        return page("operator/payment.html", 422, followed=following.follow(session, attempt), form=form, of=refund)
    try:
        absent.let_go(refund=refund, actor=actor(), why=str(form.why.data))
    except GatewayError as refusal:
        flash(refusal.message, "failed")
    except absent.StillBeingSent as refusal:
        flash(refusal.message, "note")
    else:
        flash(_("Done."), "done")
    return redirect(url_for(".show_payment", attempt=attempt), 303)


def actor() -> str:
    return f"person:{g.person.public_id}"


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    """`may_act`: auditors look and touch nothing."""
    common = {"words": words, "is_stuck": absent.is_stuck, "book": current_book(), "may_act": bool(g.person.roles & ACTS)}
    return render_template(template, **common, **shown), status, NO_STORE
