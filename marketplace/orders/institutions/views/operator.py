"""/operator/institutions: the province admits institutions, sets what they may owe, and notes the invoices it sent."""

from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings.views.sending import picture_answer
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.forms import Form
from marketplace.core.settings import settings
from marketplace.core.steps import take_step
from marketplace.orders.institutions import (
    appealing,
    bank_transfers,
    check_queries,
    checking,
    forms,
    invoicing,
    keeping,
    queries,
    words,
)
from marketplace.orders.institutions.check_queries import Reach
from marketplace.orders.institutions.states import INSTITUTION, PAYABLE, InstitutionState
from marketplace.payments.by_bank import recording

DECISIONS = {
    "admission": (InstitutionState.ACTIVE, forms.DecisionForm),
    "refusal": (InstitutionState.REFUSED, forms.ReasonForm),
    "pause": (InstitutionState.PAUSED, forms.ReasonForm),
    "closing": (InstitutionState.CLOSED, forms.ReasonForm),
}

JUDGEMENTS: Final = {"grant": True, "uphold": False}
TRANSFER: Final = "transfer"

bp = Blueprint("operator_institutions", __name__, url_prefix="/operator/institutions")


@bp.get("")
@requires("institution.read")
def list_institutions() -> ResponseReturnValue:
    return page(
        "list.html", institutions=queries.everybody(db.session()), asked=check_queries.asked_of_the_province(db.session())
    )


@bp.get("/<institution>")
@requires("institution.read")
def show_institution(institution: str) -> ResponseReturnValue:
    return institution_page(institution, {})


def institution_page(institution: str, given: dict[str, Form], status: int = 200) -> ResponseReturnValue:
    """`given`: forms that were refused, with what was typed."""
    session = db.session()
    row = queries.one(session, institution)
    known = {"limit_yuan": row.limit_fen // 100, "statement_day": row.statement_day, "days_to_pay": row.days_to_pay}
    shown = {name: given.get(name) or form(prefix=f"{name}-") for name, (_to, form) in DECISIONS.items()}
    statements = queries.statements_of(session, row.id)
    invoices = {each.public_id: given.get(each.public_id) or invoice_form(each.public_id, each) for each in statements}
    return page(
        "operator.html",
        status,
        institution=row,
        forms_of=shown,
        offered=[name for name, (to, _form) in DECISIONS.items() if to in INSTITUTION[row.state]],
        terms=given.get("terms") or forms.TermsForm(data=known),
        statements=statements,
        invoices=invoices,
        transfers={each.public_id: transfer_form(given, each.public_id) for each in statements if each.state in PAYABLE},
        members=queries.members(session, row.id),
        claims=check_queries.claims(session, Reach(institution=row.id)),
        kinds=forms.KINDS,
        may_decide="operator" in g.person.roles,
        may_set_terms="finance_operator" in g.person.roles,
    )


@bp.get("/<institution>/checks/<check>")
@requires("institution.read")
def show_check(institution: str, check: str) -> ResponseReturnValue:
    """What it did not accept, and what its station has answered."""
    return check_page(institution, check, forms.JudgementForm())


@bp.post("/<institution>/checks/<check>/judgement")
@requires("institution.decide")
def create_judgement(institution: str, check: str) -> ResponseReturnValue:
    """The province's answer to an institution that asked."""
    row, form = queries.one(db.session(), institution), forms.JudgementForm(request.form)
    check_queries.claim(db.session(), Reach(institution=row.id, check=check))
    grants = JUDGEMENTS.get(request.form.get("action", ""))
    if grants is None or not form.validate():
        form.validate()
        return check_page(institution, check, form, 422)
    given: dict[str, Any] = {"institution": row.id, "check": check, "grants": grants, "why": str(form.why.data)}
    back = url_for(".show_check", institution=institution, check=check)
    return take_step(appealing.decide, back, **given, person_id=g.person.id)


def check_page(institution: str, check: str, form: forms.JudgementForm, status: int = 200) -> ResponseReturnValue:
    row = queries.one(db.session(), institution)
    claim = check_queries.claim(db.session(), Reach(institution=row.id, check=check))
    may_judge = "operator" in g.person.roles and claim.is_with_the_province
    is_own = may_judge and keeping.has_part(db.session(), row.id, g.person.id)
    told = {"institution": row, "check": claim, "reasons": forms.REASONS, "may_judge": may_judge, "is_own": is_own}
    return page("operator_check.html", status, form=form, stake_fen=checking.at_stake(db.session(), check), **told)


@bp.get("/<institution>/checks/<check>/pictures/<picture>-<width>.webp")
@requires("institution.read")
def show_picture(institution: str, check: str, picture: str, width: str) -> Response:
    reach = Reach(institution=queries.one(db.session(), institution).id, check=check)
    return picture_answer(settings().private_media_folder, check_queries.picture(db.session(), picture, reach).digest, width)


def transfer_form(given: dict[str, Form], statement: str) -> Form:
    name = f"{TRANSFER}-{statement}"
    return given.get(name) or forms.TransferForm(prefix=f"{name}-")


def invoice_form(statement: str, row: Any = None) -> forms.InvoiceForm:
    data = {"number": row.invoice_number, "invoiced_on": row.invoiced_on} if row is not None else None
    return forms.InvoiceForm(data=data, prefix=f"{statement}-")


@bp.post("/<institution>/terms")
@requires("institution.limit")
def create_terms(institution: str) -> ResponseReturnValue:
    form = forms.TermsForm(request.form)
    if not form.validate():
        return institution_page(institution, {"terms": form}, 422)
    back = url_for(".show_institution", institution=institution)
    given: dict[str, Any] = {"institution": institution, "person_id": g.person.id, **form.terms}
    return take_step(keeping.set_terms, back, **given)


@bp.post("/<institution>/statements/<statement>/invoice")
@requires("institution.limit")
def create_invoice(institution: str, statement: str) -> ResponseReturnValue:
    form = forms.InvoiceForm(request.form, prefix=f"{statement}-")
    if not form.validate():
        return institution_page(institution, {statement: form}, 422)
    given: dict[str, Any] = {"institution": institution, "statement": statement, "actor": f"person:{g.person.id}"}
    given |= {"number": str(form.number.data), "invoiced_on": form.invoiced_on.data}
    return take_step(invoicing.note, url_for(".show_institution", institution=institution), **given)


@bp.post("/<institution>/statements/<statement>/transfer")
@requires("bank_transfer.keep")
def create_transfer(institution: str, statement: str) -> ResponseReturnValue:
    name = f"{TRANSFER}-{statement}"
    form = forms.TransferForm(request.form, prefix=f"{name}-")
    if not form.validate():
        return institution_page(institution, {name: form}, 422)
    given: dict[str, Any] = {"institution": institution, "statement": statement, "person_id": g.person.id}
    given |= {"fen": form.sum.fen or 0, **form.told}
    back, done = url_for(".show_institution", institution=institution), _("Written down. Another person confirms it.")
    wrong = (bank_transfers.OtherSum, recording.KnownAlready)
    try:
        return take_step(bank_transfers.record, back, done=done, passes=wrong, **given)
    except wrong as refusal:
        (form.sum if isinstance(refusal, bank_transfers.OtherSum) else form.number).errors = [refusal.message]
        return institution_page(institution, {name: form}, refusal.status)


@bp.post("/<institution>/decisions/<decision>")
@requires("institution.decide")
def create_decision(institution: str, decision: str) -> ResponseReturnValue:
    known = DECISIONS.get(decision)
    if known is None:
        raise NotFound(decision)
    to, kind = known
    form = kind(request.form, prefix=f"{decision}-")
    if not form.validate():
        return institution_page(institution, {decision: form}, 422)
    given: dict[str, Any] = {"institution": institution, "to": to, "person_id": g.person.id}
    back = url_for(".show_institution", institution=institution)
    return take_step(keeping.decide, back, **given, why=str(form.data["why"] or ""))


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    body = render_template(f"institutions/{template}", desk_current="institutions", words=words, **shown)
    return body, status, {"Cache-Control": "no-store"}
