"""/seller/invoices, /station/invoices: what buyers want invoices for, with what was paid for it, and the issuer's answer."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.forms import Form
from marketplace.core.records import record
from marketplace.orders.invoices import issuing, queries
from marketplace.orders.invoices.forms import IssueForm, ReasonForm
from marketplace.orders.invoices.states import Issuer
from marketplace.stations.models import Station

bp = Blueprint("issued_invoices", __name__)
NO_STORE: Final = {"Cache-Control": "no-store"}


@record
class Desk:
    """Whose invoices, and the frame in which they are shown."""

    issuer: tuple[Issuer, str]
    base: str
    frame: dict[str, Any]


def seller() -> Desk:
    return Desk((Issuer.SELLER, g.person.public_id), "seller/base.html", {"desk_current": "invoices"})


def station() -> Desk:
    found = db.session.get_one(Station, g.station)
    frame = {"station": found, "desk_current": "invoices", "waiting": 0, "today": clock.today()}
    return Desk((Issuer.STATION, g.station), "station/base.html", frame)


@bp.get("/seller/invoices")
@requires("invoice.issue_own")
def list_of_seller() -> ResponseReturnValue:
    return page(seller(), "seller")


@bp.get("/station/invoices")
@requires("invoice.issue")
def list_of_station() -> ResponseReturnValue:
    return page(station(), "station")


@bp.post("/seller/invoices/<invoice>/<answer>")
@requires("invoice.issue_own")
def create_answer_of_seller(invoice: str, answer: str) -> ResponseReturnValue:
    return take(seller(), "seller", invoice, answer)


@bp.post("/station/invoices/<invoice>/<answer>")
@requires("invoice.issue")
def create_answer_of_station(invoice: str, answer: str) -> ResponseReturnValue:
    return take(station(), "station", invoice, answer)


ANSWERS: Final[dict[str, tuple[Callable[..., None], type[Form], str]]] = {
    "issue": (issuing.issue, IssueForm, "number"),
    "refusal": (issuing.decline, ReasonForm, "reason"),
    "annulment": (issuing.void, ReasonForm, "reason"),
}


def take(desk: Desk, side: str, invoice: str, answer: str) -> ResponseReturnValue:
    """Raises NotFound for what is no answer, and for others' invoices."""
    if answer not in ANSWERS:
        raise NotFound(answer)
    command, kind, name = ANSWERS[answer]
    form = kind(request.form)
    if not form.validate():
        return page(desk, side, refused=(invoice, answer, form), status=422)
    given = {name: str(form[name].data), "invoice": invoice, "issuer": desk.issuer, "actor": f"person:{g.person.id}"}
    try:
        in_transaction(command, **given)
    except (issuing.NothingWasPaid, issuing.NotPaidYet) as refusal:
        form[name].errors = [refusal.message]
        return page(desk, side, refused=(invoice, answer, form), status=refusal.status)
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
        return redirect(url_for(f".list_of_{side}"), 303)
    flash(_("Kept. The buyer is told."), "done")
    return redirect(url_for(f".list_of_{side}"), 303)


def page(desk: Desk, side: str, refused: tuple[str, str, Form] | None = None, status: int = 200) -> ResponseReturnValue:
    shown = queries.of_issuer(db.session(), desk.issuer)
    if refused and refused[0] not in {each.public_id for each in shown}:
        raise NotFound(refused[0])
    forms = {"issue": IssueForm(), "reason": ReasonForm()}
    given = {"invoices": shown, "side": side, "refused": refused, "empty": forms}
    return render_template("invoices/desk.html", base=desk.base, **given, **desk.frame), status, NO_STORE
