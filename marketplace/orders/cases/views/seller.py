"""/seller/cases: what was reported about a seller's goods, how often, and the province where they disagree with a refund."""

from typing import Any

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.forms import tidy
from marketplace.core.steps import take_step
from marketplace.orders.cases import appealing, quality, queries, telling
from marketplace.orders.cases.finding import Reach
from marketplace.orders.cases.forms import AppealForm
from marketplace.orders.cases.states import Party
from marketplace.orders.cases.views import pages

bp = Blueprint("seller_cases", __name__, url_prefix="/seller/cases")


@bp.get("")
@requires("case.follow")
def list_cases() -> ResponseReturnValue:
    session = db.session()
    found = queries.page(session, reach(), tidy(request.args.get("before", "")))
    how_good = quality.of_owner(session, "seller", g.person.public_id)
    return render_template("cases/seller_list.html", found=found, telling=telling, quality=how_good), 200, pages.NO_STORE


@bp.get("/<case>")
@requires("case.follow")
def show_case(case: str) -> ResponseReturnValue:
    return case_page(case, AppealForm())


def case_page(case: str, form: AppealForm, status: int = 200) -> ResponseReturnValue:
    return render_template("cases/seller.html", form=form, **pages.told(case, reach(), Party.SELLER)), status, pages.NO_STORE


@bp.post("/<case>/appeal")
@requires("case.follow")
def create_appeal(case: str) -> ResponseReturnValue:
    form = AppealForm(request.form)
    if not form.validate():
        return case_page(case, form, 422)
    given: dict[str, Any] = {"case": case, "reach": reach(), "party": Party.SELLER, "actor": f"person:{g.person.id}"}
    back = url_for(".show_case", case=case)
    return take_step(appealing.ask, back, done=pages.asked(), words=str(form.words.data), **given)


@bp.get("/<case>/pictures/<picture>-<width>.webp")
@requires("case.follow")
def show_picture(case: str, picture: str, width: str) -> ResponseReturnValue:
    return pages.picture_answer(case, picture, width, reach())


def reach() -> Reach:
    return Reach(seller=g.person.public_id)
