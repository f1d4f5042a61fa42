"""/charity/disbursements: an organisation's officers have providers paid. A step sent twice is taken once."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from sqlalchemy import select

from crowdfund.campaigns import budgets, desk, disbursing, evidence, payments_out
from crowdfund.campaigns.disbursement_forms import EVIDENCE_WORDS, ApprovalForm, BankForm, BillForm, EvidenceForm, ReasonForm
from crowdfund.campaigns.faces import looking
from crowdfund.campaigns.models import Campaign, Organisation
from crowdfund.campaigns.repayments import queries as repaid
from crowdfund.campaigns.states import DisbursementState as D
from crowdfund.campaigns.views.ledger import file_answer
from listings.pictures import UnusablePicture
from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.core.formats import yuan
from marketplace.core.forms import Form
from marketplace.core.steps import take_step
from marketplace.payments.gateways import current_book

bp = Blueprint("disbursements", __name__, url_prefix="/charity/disbursements")
STATE_WORDS: Final = {
    D.REQUESTED: (_l("Waiting for approval"), "now"),
    D.APPROVED: (_l("Approved"), "give"),
    D.REJECTED: (_l("Rejected"), ""),
    D.PAYING: (_l("At the bank"), "info"),
    D.FAILED: (_l("The bank could not pay"), "urgent"),
    D.PAID: (_l("Paid, evidence missing"), "now"),
    D.EVIDENCED: (_l("Paid, with evidence"), "give"),
}


def mine() -> list[str]:
    """The organisations whose officer this person is."""
    roles = {"charity_officer", "charity_approver"}
    return sorted({scope for role, kind, scope in g.person.grants if role in roles and kind == "organisation"})


def is_at(disbursement: str, role: str) -> None:
    """Raises NotFound unless this person has that role at the organisation whose payment it is."""
    at = [scope for held, kind, scope in g.person.grants if held == role and kind == "organisation"]
    payments_out.get(db.session(), at, disbursement)


@bp.get("")
@requires("disbursement.follow")
def list_disbursements() -> ResponseReturnValue:
    session = db.session()
    work = payments_out.work(session, mine())
    choices = payments_out.choices(session, mine(), current_book()) if "charity_officer" in g.person.roles else []
    return page("charity/disbursements.html", work=work, choices=choices, repayments=repaid.waiting(session, mine()))


@bp.get("/new")
@requires("disbursement.request")
def show_new() -> ResponseReturnValue:
    """The form; what stops all of this campaign's money is said before anybody has typed a bill."""
    choice, session = chosen(), db.session()
    campaign = session.scalars(select(Campaign).where(Campaign.public_id == choice.public_id)).one()
    try:
        disbursing.refuse_held_up(session, campaign)
    except disbursing.HELD_UP as refusal:
        return bill_page(choice, None, held_up=refusal.message)
    return bill_page(choice, None)


def chosen() -> payments_out.Choice:
    """The campaign that the address names. Raises NotFound for one that is not theirs or does not spend."""
    wanted = request.args.get("campaign", "")
    at = [scope for role, kind, scope in g.person.grants if (role, kind) == ("charity_officer", "organisation")]
    found = payments_out.choices(db.session(), at, current_book())
    choice = next((each for each in found if each.public_id == wanted), None)
    if choice is None:
        raise NotFound(wanted)
    return choice


def bill_page(
    choice: payments_out.Choice, form: BillForm | None, status: int = 200, *, held_up: LazyString | str = ""
) -> ResponseReturnValue:
    form = form or BillForm(budget=budgets.of_campaign(db.session(), choice.public_id))
    return page("charity/bill.html", status, choice=choice, form=form, held_up=held_up)


@bp.post("/new")
@requires("disbursement.request")
def create_disbursement() -> ResponseReturnValue:
    choice = chosen()
    form = BillForm(request.form, budget=budgets.of_campaign(db.session(), choice.public_id))
    if not form.validate():
        return bill_page(choice, form, 422)
    given = form.data
    words = {name: given[name] for name in ("purpose", "provider", "provider_credit_code", "invoice_number")}
    try:
        made = in_transaction(
            idempotency.once,
            disbursing.request,
            idempotency=form.idempotency(f"disbursement:{g.person.id}:{choice.public_id}"),
            campaign=choice.public_id,
            budget_line=int(given["budget_line"]),
            bill=disbursing.Bill(amount=form.money, lines=form.bill_lines, **words),
            requester_id=g.person.id,
        )
    except disbursing.NotEnough as refusal:
        form.amount.errors = [_("%(sum)s is still available.", sum=yuan(refusal.free_fen))]
        return bill_page(choice, form, 422)
    except disbursing.InvoiceUsed as refusal:
        form.invoice_number.errors = [refusal.message]
        return bill_page(choice, form, 422)
    except disbursing.HELD_UP as refusal:
        form.form_errors.append(refusal.message)
        return bill_page(choice, form, 409)
    flash(_("Requested. Another person approves it."), "done")
    return redirect(url_for(".show_disbursement", disbursement=made), 303)


@bp.get("/<disbursement>")
@requires("disbursement.follow")
def show_disbursement(disbursement: str) -> ResponseReturnValue:
    return disbursement_page(disbursement, {})


def disbursement_page(disbursement: str, forms: dict[str, Form], status: int = 200, of: str = "") -> ResponseReturnValue:
    """`forms`: the one that was refused, with what was typed; `of`: the file that it was about."""
    session = db.session()
    shown = payments_out.get(session, mine(), disbursement)
    files = payments_out.evidence_of(session, disbursement, reader=g.person.id)
    blank: dict[str, Form] = {
        "approval": ApprovalForm(is_beyond=True),
        "rejection": ReasonForm(),
        "payment": BankForm(),
        "failure": ReasonForm(prefix="failure-"),
        "evidence": EvidenceForm(),
        "overruling": ReasonForm(prefix="overruling-"),
        "removal": ReasonForm(prefix="removal-"),
    }
    steps = desk.steps_of(session, f"disbursement:{disbursement}")
    told: dict[str, Any] = {"shown": shown, "files": files, "forms_by_step": blank | forms, "of": of, "steps": steps}
    told["asked"] = budgets.asked_of(session, shown.row, shown.campaign)
    told["repayments"] = repaid.of_payment(session, shown.row.id, everything=True)
    return page("charity/disbursement.html", status, **told)


@bp.post("/<disbursement>/approval")
@requires("disbursement.approve")
def create_approval(disbursement: str) -> ResponseReturnValue:
    is_at(disbursement, "charity_approver")
    session = db.session()
    shown = payments_out.get(session, mine(), disbursement)
    beyond_fen = budgets.asked_of(session, shown.row, shown.campaign).beyond_fen(shown.row.fen)
    form = ApprovalForm(request.form, is_beyond=shown.row.state is D.REQUESTED and beyond_fen > 0)
    if not form.validate():
        return disbursement_page(disbursement, {"approval": form}, 422)
    why = str(form.why_beyond.data or "")
    return take(disbursement, disbursing.approve, approver_id=g.person.id, why_beyond=why)


@bp.post("/<disbursement>/rejection")
@requires("disbursement.approve")
def create_rejection(disbursement: str) -> ResponseReturnValue:
    is_at(disbursement, "charity_approver")
    form = ReasonForm(request.form)
    if not form.validate():
        return disbursement_page(disbursement, {"rejection": form}, 422)
    return take(disbursement, disbursing.reject, approver_id=g.person.id, reason=str(form.reason.data))


@bp.post("/<disbursement>/transfer")
@requires("disbursement.request")
def create_transfer(disbursement: str) -> ResponseReturnValue:
    """The bank was told to pay."""
    is_at(disbursement, "charity_officer")
    return take(disbursement, disbursing.send, officer_id=g.person.id)


@bp.post("/<disbursement>/payment")
@requires("disbursement.request")
def create_payment(disbursement: str) -> ResponseReturnValue:
    """The bank has paid."""
    is_at(disbursement, "charity_officer")
    form = BankForm(request.form)
    if not form.validate():
        return disbursement_page(disbursement, {"payment": form}, 422)
    return take(disbursement, disbursing.confirm, officer_id=g.person.id, bank_reference=str(form.bank_reference.data))


@bp.post("/<disbursement>/failure")
@requires("disbursement.request")
def create_failure(disbursement: str) -> ResponseReturnValue:
    is_at(disbursement, "charity_officer")
    form = ReasonForm(request.form, prefix="failure-")
    if not form.validate():
        return disbursement_page(disbursement, {"failure": form}, 422)
    return take(disbursement, disbursing.fail, officer_id=g.person.id, reason=str(form.reason.data))


@bp.post("/<disbursement>/evidence")
@requires("disbursement.request")
def create_evidence(disbursement: str) -> ResponseReturnValue:
    is_at(disbursement, "charity_officer")
    form = EvidenceForm(request.form)
    sent = request.files.get("file")
    is_valid = form.validate()
    raw = sent.read(evidence.LARGEST + 1) if sent else b""
    if not raw:
        form.form_errors.append(_("Choose a file first."))
    if not is_valid or not raw:
        return disbursement_page(disbursement, {"evidence": form}, 422)
    try:
        kept = evidence.keep(raw)
        given: dict[str, Any] = {name: form.data[name] for name in ("kind", "words", "is_public")}
        in_transaction(evidence.add, disbursement=disbursement, officer_id=g.person.id, kept=kept, **given)
    except (evidence.UnusableFile, evidence.TooManyFiles, UnusablePicture, StaleState) as refusal:
        form.form_errors.append(refusal.message)
        return disbursement_page(disbursement, {"evidence": form}, refusal.status)
    flash(_("Saved. Its hash is public from now on."), "done")
    return redirect(url_for(".show_disbursement", disbursement=disbursement), 303)


@bp.post("/<disbursement>/completion")
@requires("disbursement.request")
def create_completion(disbursement: str) -> ResponseReturnValue:
    """All evidence is there."""
    is_at(disbursement, "charity_officer")
    return take(disbursement, disbursing.complete, officer_id=g.person.id)


@bp.get("/<disbursement>/evidence/<proof>")
@requires("disbursement.follow")
def show_evidence(disbursement: str, proof: str) -> ResponseReturnValue:
    payments_out.get(db.session(), mine(), disbursement)
    if proof not in {each.public_id for each in payments_out.evidence_of(db.session(), disbursement)}:
        raise NotFound(proof)
    return file_answer(evidence.path_of(db.session(), proof, everything=True), proof)


@bp.post("/<disbursement>/evidence/<proof>/overruling")
@requires("disbursement.approve")
def create_overruling(disbursement: str, proof: str) -> ResponseReturnValue:
    """A second person says that a picture may be shown."""
    is_at(disbursement, "charity_approver")
    return take_file_step(disbursement, proof, "overruling", looking.overrule)


@bp.post("/<disbursement>/evidence/<proof>/removal")
@requires("disbursement.follow")
def create_removal(disbursement: str, proof: str) -> ResponseReturnValue:
    """What should not have been shown is taken back, by whoever of the organisation sees it first."""
    payments_out.get(db.session(), mine(), disbursement)
    return take_file_step(disbursement, proof, "removal", looking.take_back)


def take_file_step(disbursement: str, proof: str, name: str, step: Callable[..., None]) -> ResponseReturnValue:
    if proof not in {each.public_id for each in payments_out.evidence_of(db.session(), disbursement)}:
        raise NotFound(proof)
    form = ReasonForm(request.form, prefix=f"{name}-")
    if not form.validate():
        return disbursement_page(disbursement, {name: form}, 422, proof)
    back = url_for(".show_disbursement", disbursement=disbursement)
    return take_step(step, back, evidence=proof, person_id=g.person.id, reason=str(form.reason.data))


def take(disbursement: str, step: Callable[..., None], **given: Any) -> ResponseReturnValue:
    """One step; the page shows how it stands."""
    back = url_for(".show_disbursement", disbursement=disbursement)
    passes = (disbursing.SamePerson, disbursing.NotEnough)
    try:
        return take_step(step, back, passes=passes, disbursement=disbursement, **given)
    except disbursing.NotEnough as refusal:
        flash(_("%(sum)s is still available.", sum=yuan(refusal.free_fen)), "failed")
        return redirect(back, 303)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    at = select(Organisation.name_zh).where(Organisation.code.in_(mine())).order_by(Organisation.code).limit(1)
    common = {"organisation_name": db.session.scalar(at) or "", "desk_current": "disbursements", "today": clock.today()}
    words = {"state_words": STATE_WORDS, "evidence_words": EVIDENCE_WORDS, "book": current_book()}
    return render_template(template, **(common | words | shown)), status, {"Cache-Control": "no-store"}
