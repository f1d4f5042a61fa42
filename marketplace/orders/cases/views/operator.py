"""/operator/cases: the cases about which the province was asked; auditors read, operators decide."""

from typing import Any, Final

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.forms import tidy
from marketplace.core.steps import take_step
from marketplace.orders.cases import appealing, queries, telling
from marketplace.orders.cases.finding import EVERYWHERE, OwnPurchase, is_own as is_own_purchase
from marketplace.orders.cases.forms import JudgementForm
from marketplace.orders.cases.views import pages
from marketplace.payments.gateways import current_book

JUDGES: Final = frozenset({"operator", "finance_operator"})

bp = Blueprint("operator_cases", __name__, url_prefix="/operator/cases")


@bp.get("")
@requires("case.read")
def list_cases() -> ResponseReturnValue:
    before = tidy(request.args.get("before", ""))
    found = queries.page(db.session(), EVERYWHERE, before, asked_only=True)
    return (
        render_template("cases/operator_list.html", found=found, telling=telling, book=current_book()),
        200,
        pages.NO_STORE,
    )


@bp.get("/<case>")
@requires("case.read")
def show_case(case: str) -> ResponseReturnValue:
    return case_page(case, JudgementForm())


def case_page(case: str, form: JudgementForm, status: int = 200) -> ResponseReturnValue:
    shown: dict[str, Any] = pages.told(case, EVERYWHERE, None)
    may_act = bool(g.person.roles & JUDGES) and shown["shown"].is_with_the_province
    is_own = may_act and is_own_purchase(db.session(), shown["shown"].order, f"person:{g.person.id}")
    told = {"may_act": may_act and not is_own, "own_purchase": OwnPurchase.message if is_own else ""}
    return render_template("cases/operator.html", form=form, **told, **shown), status, pages.NO_STORE


@bp.post("/<case>/judgement")
@requires("case.judge")
def create_judgement(case: str) -> ResponseReturnValue:
    form = JudgementForm(request.form)
    if not form.validate():
        return case_page(case, form, 422)
    given: dict[str, Any] = {"case": case, "why": str(form.why.data), "actor": f"person:{g.person.id}"}
    back = url_for(".show_case", case=case)
    if form.bearer is None:
        return take_step(appealing.leave, back, **given)
    return take_step(appealing.grant, back, bearer=form.bearer, **given)


@bp.get("/<case>/pictures/<picture>-<width>.webp")
@requires("case.read")
def show_picture(case: str, picture: str, width: str) -> ResponseReturnValue:
    return pages.picture_answer(case, picture, width, EVERYWHERE)
