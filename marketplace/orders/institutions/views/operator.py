"""/operator/institutions: the province admits institutions, sets what they may owe, and notes the invoices it sent."""

from typing import Any

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.forms import Form
from marketplace.core.steps import take_step
from marketplace.orders.institutions import forms, invoicing, keeping, queries, words
from marketplace.orders.institutions.states import INSTITUTION, InstitutionState

DECISIONS = {
    "admission": (InstitutionState.ACTIVE, forms.DecisionForm),
    "refusal": (InstitutionState.REFUSED, forms.ReasonForm),
    "pause": (InstitutionState.PAUSED, forms.ReasonForm),
    "closing": (InstitutionState.CLOSED, forms.ReasonForm),
}

bp = Blueprint("operator_institutions", __name__, url_prefix="/operator/institutions")


@bp.get("")
@requires("institution.read")
def list_institutions() -> ResponseReturnValue:
    return page("list.html", institutions=queries.everybody(db.session()))


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
        members=queries.members(session, row.id),
        kinds=forms.KINDS,
        may_decide="operator" in g.person.roles,
        may_set_terms="finance_operator" in g.person.roles,
    )


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
