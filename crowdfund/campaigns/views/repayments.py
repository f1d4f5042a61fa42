"""/charity/…/repayments: what a provider paid back is entered by one person and let in by another, as its correction is."""

from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crowdfund.campaigns import evidence, payments_out
from crowdfund.campaigns.disbursement_forms import ReasonForm
from crowdfund.campaigns.repayments import correcting, forms, paying_back, queries
from crowdfund.campaigns.views.disbursements import is_at, mine, page
from crowdfund.campaigns.views.ledger import file_answer
from listings.pictures import UnusablePicture
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.settings import settings
from marketplace.core.steps import take_step

bp = Blueprint("repayments", __name__, url_prefix="/charity")


@bp.get("/disbursements/<disbursement>/repayments/new")
@requires("disbursement.request")
def show_new(disbursement: str) -> ResponseReturnValue:
    is_at(disbursement, "charity_officer")
    return form_page(disbursement, None)


def form_page(disbursement: str, form: forms.RepaymentForm | None, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    shown = payments_out.get(session, mine(), disbursement)
    if shown.row.state not in paying_back.PAID:
        raise NotFound(disbursement)
    form = form or forms.of_invoice(session.execute(paying_back.left_by_line(shown.row.id)).all())
    return page("charity/repayment_new.html", status, shown=shown, form=form)


@bp.post("/disbursements/<disbursement>/repayments/new")
@requires("disbursement.request")
def create_repayment(disbursement: str) -> ResponseReturnValue:
    is_at(disbursement, "charity_officer")
    session = db.session()
    payment = payments_out.get(session, mine(), disbursement).row.id
    form = forms.of_invoice(session.execute(paying_back.left_by_line(payment)).all(), request.form)
    sent = request.files.get("file")
    raw = sent.read(evidence.LARGEST + 1) if sent else b""
    is_valid = form.validate()
    if not raw:
        form.file.errors = [_("Choose a file first.")]
    if not is_valid or not raw:
        return form_page(disbursement, form, 422)
    try:
        made = in_transaction(
            idempotency.once,
            paying_back.enter,
            idempotency=form.idempotency(f"repayment:{g.person.id}:{disbursement}"),
            disbursement=disbursement,
            credit=credit_of(form),
            paper=evidence.keep(raw),
            officer_id=g.person.id,
        )
    except (Refusal, UnusablePicture) as refusal:
        return refused(disbursement, form, refusal)
    flash(_("Entered. Nothing has moved yet: another person confirms it."), "done")
    return redirect(url_for(".show_repayment", repayment=made), 303)


def credit_of(form: forms.RepaymentForm) -> paying_back.Credit:
    reference, received_on = str(form.bank_reference.data), form.received_on.data
    if received_on is None:
        raise ValueError("a day is needed")  # of a valid form there is one
    return paying_back.Credit(form.lines, reference, received_on, str(form.why.data))


def refused(disbursement: str, form: forms.RepaymentForm, refusal: Refusal) -> ResponseReturnValue:
    """Said by the field that it is about."""
    if isinstance(refusal, NotFound):
        raise refusal
    errors = [str(refusal.message)]
    if isinstance(refusal, paying_back.TooMuchBack):
        form.line_fields[refusal.line].errors = errors
    elif isinstance(refusal, paying_back.CreditUsed):
        form.bank_reference.errors = errors
    elif isinstance(refusal, paying_back.BeforePayment):
        form.received_on.errors = errors
    elif isinstance(refusal, evidence.UnusableFile | UnusablePicture):
        form.file.errors = errors
    elif isinstance(refusal, paying_back.NothingBack) and form.shown_lines:
        form.shown_lines[0].errors = errors
    else:
        form.form_errors.append(errors[0])
    return form_page(disbursement, form, refusal.status)


@bp.get("/repayments/<repayment>")
@requires("disbursement.follow")
def show_repayment(repayment: str) -> ResponseReturnValue:
    return repayment_page(repayment, ReasonForm())


def repayment_page(
    repayment: str, form: ReasonForm, status: int = 200, correction: forms.CorrectionForm | None = None
) -> ResponseReturnValue:
    session = db.session()
    shown = queries.get(session, mine(), repayment)
    told: dict[str, Any] = {"shown": shown, "form": form, "correction": correction or forms.CorrectionForm()}
    corrections = queries.corrections_of(session, shown.row.id)
    return page("charity/repayment.html", status, corrections=corrections, **told)


@bp.get("/repayments/<repayment>/paper")
@requires("disbursement.follow")
def show_paper(repayment: str) -> ResponseReturnValue:
    """The bank's paper, for the organisation's own officers."""
    row = queries.get(db.session(), mine(), repayment).row
    return file_answer(settings().media_folder.resolve() / row.file_name, repayment)


@bp.post("/repayments/<repayment>/approval")
@requires("disbursement.approve")
def create_approval(repayment: str) -> ResponseReturnValue:
    return take(repayment, paying_back.approve)


@bp.post("/repayments/<repayment>/refusal")
@requires("disbursement.approve")
def create_refusal(repayment: str) -> ResponseReturnValue:
    return refuse(repayment, paying_back.refuse)


def refuse(repayment: str, step: Any) -> ResponseReturnValue:
    """With a reason."""
    decides_on(repayment)
    form = ReasonForm(request.form)
    if not form.validate():
        return repayment_page(repayment, form, 422)
    return take(repayment, step, reason=str(form.reason.data))


def decides_on(repayment: str) -> None:
    """Raises NotFound unless this person approves payments of that organisation."""
    at = [scope for role, kind, scope in g.person.grants if (role, kind) == ("charity_approver", "organisation")]
    queries.get(db.session(), at, repayment)


@bp.post("/repayments/<repayment>/corrections")
@requires("disbursement.request")
def create_correction(repayment: str) -> ResponseReturnValue:
    at = [scope for role, kind, scope in g.person.grants if (role, kind) == ("charity_officer", "organisation")]
    queries.get(db.session(), at, repayment)
    form = forms.CorrectionForm(request.form)
    if not form.validate():
        return repayment_page(repayment, ReasonForm(), 422, form)
    return take_step(
        ask_once,
        url_for(".show_repayment", repayment=repayment),
        done=_("Entered. Nothing has moved yet: another person confirms it."),
        idempotency=form.idempotency(f"correction:{g.person.id}:{repayment}"),
        repayment=repayment,
        why=str(form.why.data),
        officer_id=g.person.id,
    )


def ask_once(session: Session, **given: Any) -> None:
    idempotency.once(session, correcting.enter, **given)


@bp.post("/repayments/<repayment>/correction/approval")
@requires("disbursement.approve")
def create_correction_approval(repayment: str) -> ResponseReturnValue:
    return take(repayment, correcting.approve)


@bp.post("/repayments/<repayment>/correction/refusal")
@requires("disbursement.approve")
def create_correction_refusal(repayment: str) -> ResponseReturnValue:
    return refuse(repayment, correcting.refuse)


def take(repayment: str, step: Any, **given: Any) -> ResponseReturnValue:
    decides_on(repayment)
    back = url_for(".show_repayment", repayment=repayment)
    return take_step(step, back, passes=(paying_back.SamePerson,), repayment=repayment, approver_id=g.person.id, **given)
