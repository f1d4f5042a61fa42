"""/operator/bank-transfers: what institutions paid at the bank, what goes back to them there; each by two people."""

from typing import Any, Final

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.steps import take_step
from marketplace.orders.institutions import bank_transfers, forms, words
from marketplace.orders.institutions.queries import whose_statements
from marketplace.payments.by_bank import queries, recording

STEPS: Final = {"confirmation": bank_transfers.confirm, "withdrawal": recording.withdraw}

bp = Blueprint("bank_transfers", __name__, url_prefix="/operator/bank-transfers")


@bp.get("")
@requires("bank_transfer.read")
def list_transfers() -> ResponseReturnValue:
    return list_page({})


def list_page(given: dict[str, forms.SentForm], status: int = 200) -> ResponseReturnValue:
    """`given`: forms that were refused, by refund."""
    session = db.session()
    waiting, transfers = queries.refunds_to_send(session), queries.listed(session)
    shown: dict[str, Any] = {"transfers": transfers, "refunds": waiting, "desk_current": "institutions"}
    paid = [*(row.reference for row in waiting), *(row.paid_for for row in transfers)]
    shown["institutions"] = whose_statements(session, paid)
    shown["forms_of"] = {row.public_id: given.get(row.public_id) or sent_form(row.public_id) for row in waiting}
    shown["may_keep"] = "finance_operator" in g.person.roles
    body = render_template("institutions/bank_transfers.html", words=words, **shown)
    return body, status, {"Cache-Control": "no-store"}


def sent_form(refund: str, sent: Any = None) -> forms.SentForm:
    return forms.SentForm(sent, prefix=f"{refund}-")


@bp.post("/refunds/<refund>")
@requires("bank_transfer.keep")
def create_sent(refund: str) -> ResponseReturnValue:
    form = sent_form(refund, request.form)
    if not form.validate():
        return list_page({refund: form}, 422)
    given: dict[str, Any] = {"refund": refund, "person_id": g.person.id, **form.told}
    here = url_for(".list_transfers")
    done = _("Written down. Another person confirms it.")
    try:
        return take_step(recording.record_refund, here, done=done, passes=(recording.KnownAlready,), **given)
    except recording.KnownAlready as refusal:
        form.number.errors = [refusal.message]
        return list_page({refund: form}, refusal.status)


@bp.post("/<transfer>/<step>")
@requires("bank_transfer.keep")
def create_step(transfer: str, step: str) -> ResponseReturnValue:
    if step not in STEPS:
        raise NotFound(step)
    given: dict[str, Any] = {"transfer": transfer, "person_id": g.person.id}
    return take_step(STEPS[step], url_for(".list_transfers"), **given)
