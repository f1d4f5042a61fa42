"""/operator/disputes: what banks took back or ask about, and our answer."""

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import IllegalTransition, NotFound, StaleState
from marketplace.payments.disputes import answering, queries
from marketplace.payments.disputes.answering import NoSuchPaper, Paper
from marketplace.payments.disputes.states import ANSWERABLE
from marketplace.payments.gateways import GatewayError
from marketplace.payments.operator import export, words
from marketplace.payments.operator.forms import AnswerForm
from marketplace.payments.operator.queries import all_disputes, page_of_disputes
from marketplace.payments.operator.views import NO_STORE, actor, exported, found, page

bp = Blueprint("operator_disputes", __name__, url_prefix="/operator")


@bp.get("/disputes")
@requires("payment.look_into")
def list_disputes() -> ResponseReturnValue:
    return found("operator/disputes.html", words.DISPUTES, page_of_disputes)


@bp.post("/disputes.csv")
@requires("payment.look_into")
def export_disputes() -> ResponseReturnValue:
    return exported("disputes", words.DISPUTES, export.DISPUTES, all_disputes)


@bp.get("/disputes/<dispute>")
@requires("payment.look_into")
def show_dispute(dispute: str) -> ResponseReturnValue:
    return dispute_page(dispute, AnswerForm())


def dispute_page(dispute: str, form: AnswerForm, status: int = 200) -> ResponseReturnValue:
    life = queries.life(db.session(), dispute)
    return page("operator/dispute.html", status, life=life, form=form, is_open=life.dispute.state in ANSWERABLE)


@bp.post("/disputes/<dispute>/evidence")
@requires("payment.correct")
def create_evidence(dispute: str) -> ResponseReturnValue:
    form = AnswerForm(request.form)
    is_right = form.validate()
    try:
        file = sent_paper(request.files.get("paper"))
    except NoSuchPaper as refusal:
        form.paper.errors = [refusal.message]
        is_right, file = False, None
    if not is_right:
        return dispute_page(dispute, form, 422)
    try:
        answering.answer(dispute=dispute, words=str(form.words.data), file=file, actor=actor())
    except NotFound:
        raise
    except (IllegalTransition, StaleState):
        flash(_("This step was already taken or is no longer possible. Here is the current state."), "note")
    except GatewayError:
        form.form_errors.append(_("The payment provider did not take it yet. Please send it once more."))
        return dispute_page(dispute, form, 503)
    else:
        flash(_("Your answer is with the bank. It decides."), "done")
    return redirect(url_for(".show_dispute", dispute=dispute), 303)


def sent_paper(file: FileStorage | None) -> Paper | None:
    """Raises NoSuchPaper."""
    if file is None or not file.filename:
        return None
    return answering.paper(file.filename, file.stream.read(answering.LARGEST + 1))


@bp.get("/disputes/evidence/<evidence>")
@requires("payment.look_into")
def show_paper(evidence: str) -> ResponseReturnValue:
    """To be saved, never shown in our pages: it came from outside."""
    found = queries.paper(db.session(), evidence)
    ending = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}[found.file_type]
    headers = {"Content-Disposition": f"attachment; filename=evidence-{evidence}.{ending}", **NO_STORE}
    return Response(found.content, content_type=found.file_type, headers=headers)
