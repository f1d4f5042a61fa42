"""/operator/disputes: what banks took back or ask about, and our answer."""

from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import IllegalTransition, NotFound, StaleState
from marketplace.payments.disputes import answering, queries
from marketplace.payments.disputes.answering import NoSuchPaper, Paper
from marketplace.payments.disputes.states import ANSWERABLE
from marketplace.payments.gateways import GatewayError, current_book
from marketplace.payments.operator import words
from marketplace.payments.operator.forms import AnswerForm
from marketplace.payments.operator.views import ACTS, NO_STORE, actor

LONGEST = 18  # digits
bp = Blueprint("operator_disputes", __name__, url_prefix="/operator/disputes")


@bp.get("")
@requires("payment.look_into")
def list_disputes() -> ResponseReturnValue:
    state = request.args.get("state", "")
    rows, further = queries.page(
        db.session(), state=state if state in words.DISPUTES else "", before=request.args.get("before", None, small)
    )
    return page("operator/disputes.html", rows=rows, further=further, state=state)


@bp.get("/<dispute>")
@requires("payment.look_into")
def show_dispute(dispute: str) -> ResponseReturnValue:
    return dispute_page(dispute, AnswerForm())


def dispute_page(dispute: str, form: AnswerForm, status: int = 200) -> ResponseReturnValue:
    life = queries.life(db.session(), dispute)
    return page("operator/dispute.html", status, life=life, form=form, is_open=life.dispute.state in ANSWERABLE)


@bp.post("/<dispute>/evidence")
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


def small(text: str) -> int:
    """A row's number from an address. Raises ValueError for what no row can have."""
    if len(text) > LONGEST:
        raise ValueError(text)
    return int(text)


def sent_paper(file: FileStorage | None) -> Paper | None:
    """Raises NoSuchPaper."""
    if file is None or not file.filename:
        return None
    return answering.paper(file.filename, file.stream.read(answering.LARGEST + 1))


@bp.get("/evidence/<evidence>")
@requires("payment.look_into")
def show_paper(evidence: str) -> ResponseReturnValue:
    """To be saved, never shown in our pages: it came from outside."""
    found = queries.paper(db.session(), evidence)
    ending = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}[found.file_type]
    headers = {"Content-Disposition": f"attachment; filename=evidence-{evidence}.{ending}", **NO_STORE}
    return Response(found.content, content_type=found.file_type, headers=headers)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    common = {"words": words, "book": current_book(), "may_act": bool(g.person.roles & ACTS)}
    return render_template(template, **common, **shown), status, NO_STORE
