"""/seller/promotions, /operator/promotions: what runs, a new one, and the steps of one."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, lazy_gettext as _l

from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.records import record
from marketplace.orders.promotions import ending, making, queries, telling
from marketplace.orders.promotions.forms import PromotionForm, ProvincePromotionForm, SentBackForm, as_typed
from marketplace.orders.promotions.states import PromotionState

bp = Blueprint("promotions", __name__)
NO_STORE: Final = {"Cache-Control": "no-store"}


@record
class Desk:
    """Whose promotions: a seller's own, or (None) everybody's on the province's desk; and the frame they are shown in."""

    side: str
    seller: str | None
    base: str
    form: type[PromotionForm]


def of_seller() -> Desk:
    return Desk("seller", g.person.public_id, "seller/base.html", PromotionForm)


def of_province() -> Desk:
    return Desk("operator", None, "operator/base.html", ProvincePromotionForm)


@bp.get("/seller/promotions")
@requires("promotion.keep_own")
def list_of_seller() -> ResponseReturnValue:
    return list_page(of_seller())


@bp.get("/operator/promotions")
@requires("promotion.read")
def list_of_operator() -> ResponseReturnValue:
    return list_page(of_province())


@bp.get("/seller/promotions/new")
@requires("promotion.keep_own")
def show_new_of_seller() -> ResponseReturnValue:
    return new_page(of_seller())


@bp.get("/operator/promotions/new")
@requires("promotion.keep")
def show_new_of_operator() -> ResponseReturnValue:
    return new_page(of_province())


@bp.post("/seller/promotions")
@requires("promotion.keep_own")
def create_of_seller() -> ResponseReturnValue:
    return create(of_seller())


@bp.post("/operator/promotions")
@requires("promotion.keep")
def create_of_operator() -> ResponseReturnValue:
    return create(of_province())


@bp.get("/seller/promotions/<promotion>")
@requires("promotion.keep_own")
def show_of_seller(promotion: str) -> ResponseReturnValue:
    return show(of_seller(), promotion)


@bp.get("/operator/promotions/<promotion>")
@requires("promotion.read")
def show_of_operator(promotion: str) -> ResponseReturnValue:
    return show(of_province(), promotion)


@bp.get("/seller/promotions/<promotion>/terms")
@requires("promotion.keep_own")
def show_terms_of_seller(promotion: str) -> ResponseReturnValue:
    return terms_page(of_seller(), promotion)


@bp.get("/operator/promotions/<promotion>/terms")
@requires("promotion.keep")
def show_terms_of_operator(promotion: str) -> ResponseReturnValue:
    return terms_page(of_province(), promotion)


@bp.post("/seller/promotions/<promotion>/terms")
@requires("promotion.keep_own")
def create_terms_of_seller(promotion: str) -> ResponseReturnValue:
    return change(of_seller(), promotion)


@bp.post("/operator/promotions/<promotion>/terms")
@requires("promotion.keep")
def create_terms_of_operator(promotion: str) -> ResponseReturnValue:
    return change(of_province(), promotion)


@bp.post("/seller/promotions/<promotion>/<step>")
@requires("promotion.keep_own")
def create_step_of_seller(promotion: str, step: str) -> ResponseReturnValue:
    return take(of_seller(), promotion, step)


@bp.post("/operator/promotions/<promotion>/<step>")
@requires("promotion.keep")
def create_step_of_operator(promotion: str, step: str) -> ResponseReturnValue:
    return take(of_province(), promotion, step)


def list_page(desk: Desk) -> ResponseReturnValue:
    return page(desk, "promotions/list.html", rows=queries.listed(db.session(), desk.seller))


def new_page(desk: Desk, form: PromotionForm | None = None, status: int = 200) -> ResponseReturnValue:
    today = clock.today()
    form = form or desk.form(data={"first_day": today, "last_day": today + timedelta(days=13), "uses_each": 1})
    return page(desk, "promotions/new.html", status, form=form, row=None)


def create(desk: Desk) -> ResponseReturnValue:
    form = desk.form(request.form)
    if not form.validate():
        return new_page(desk, form, 422)
    given = {"terms": form.terms, "person_id": g.person.id, "seller": desk.seller}
    try:
        key = form.idempotency(f"promotion:{g.person.id}")
        made = in_transaction(idempotency.once, making.make, idempotency=key, **given)
    except (making.CodeIsTaken, making.NotThere) as refusal:
        return new_page(desk, form.refused(refusal), refusal.status)
    return redirect(url_for(f".show_of_{desk.side}", promotion=made), 303)


def terms_page(desk: Desk, promotion: str, form: PromotionForm | None = None, status: int = 200) -> ResponseReturnValue:
    """A draft to write anew; from anything else it leads back to what it is."""
    row = queries.one(db.session(), promotion, desk.seller or "")
    if row.state is not PromotionState.DRAFT:
        flash(making.NoDraft.message, "failed")
        return redirect(url_for(f".show_of_{desk.side}", promotion=promotion), 303)
    return page(desk, "promotions/new.html", status, form=form or as_typed(desk.form, row), row=row)


def change(desk: Desk, promotion: str) -> ResponseReturnValue:
    form = desk.form(request.form)
    if not form.validate():
        return terms_page(desk, promotion, form, 422)
    here = redirect(url_for(f".show_of_{desk.side}", promotion=promotion), 303)
    try:
        in_transaction(making.change, promotion=promotion, terms=form.terms, person_id=g.person.id, seller=desk.seller)
    except (making.CodeIsTaken, making.NotThere) as refusal:
        return terms_page(desk, promotion, form.refused(refusal), refusal.status)
    except making.NoDraft as refusal:
        flash(refusal.message, "failed")
        return here
    flash(_l("Done."), "done")
    return here


def show(desk: Desk, promotion: str, form: SentBackForm | None = None, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    row = queries.one(session, promotion, desk.seller)
    shown = {"row": row, "orders": queries.spent(session, row.id), "steps": queries.steps(session, promotion)}
    is_theirs = desk.seller is not None or ("operator" in g.person.roles and not row.seller_public_id)
    return page(desk, "promotions/show.html", status, form=form or SentBackForm(), is_theirs=is_theirs, **shown)


Step = tuple[Callable[..., None], LazyString]
OWN: Final[dict[str, Step]] = {
    "submission": (ending.submit, _l("Done.")),
    "pause": (ending.pause, _l("Paused. Orders that have it keep it.")),
    "resumption": (ending.resume, _l("It runs again.")),
    "end": (ending.stop, _l("It is over. Orders that have it keep it.")),
}


def take(desk: Desk, promotion: str, step: str) -> ResponseReturnValue:
    """Raises NotFound for what is no step, and for others' promotions."""
    here = redirect(url_for(f".show_of_{desk.side}", promotion=promotion), 303)
    if step == "return" and desk.seller is None:
        form = SentBackForm(request.form)
        if not form.validate():
            return show(desk, promotion, form, 422)
        command, said = partial(ending.send_back, why=str(form.why.data)), _l("It is back with whoever made it.")
    elif step == "approval" and desk.seller is None:
        command, said = partial(ending.approve), _l("It runs from its first day on.")
    elif step in OWN:
        command, said = partial(OWN[step][0], seller=desk.seller), OWN[step][1]
    else:
        raise NotFound(step)
    try:
        in_transaction(command, promotion=promotion, person_id=g.person.id)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
        return here
    flash(said, "done")
    return here


def page(desk: Desk, template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    frame = {"base": desk.base, "side": desk.side, "desk_current": "promotions", "telling": telling}
    return render_template(template, **frame, **shown), status, NO_STORE
