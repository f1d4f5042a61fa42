"""/institutions: canteens and their like as their members see them: apply, read and pay statements, let others act."""

from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from marketplace.core.steps import take_step
from marketplace.orders.batches import typesetting
from marketplace.orders.desk import WORDS
from marketplace.orders.institutions import forms, keeping, papers, paying_bills, queries, words
from marketplace.orders.institutions.models import Institution
from marketplace.orders.institutions.ordering import of_member
from marketplace.orders.institutions.payments import PURPOSE
from marketplace.payments import attempts
from marketplace.payments.by_bank import queries as transfers
from marketplace.payments.gateways import GatewayError
from marketplace.payments.states import OPEN, AttemptState

NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("institutions", __name__, url_prefix="/institutions")


@bp.get("")
@requires("institution.use")
def list_institutions() -> ResponseReturnValue:
    return page("index.html", institutions=queries.of_person(db.session(), g.person.id))


@bp.get("/new")
@requires("institution.use")
def show_application() -> ResponseReturnValue:
    return page("new.html", form=forms.ApplicationForm(data={"contact": g.person.name}))


@bp.post("")
@requires("institution.use")
def create_application() -> ResponseReturnValue:
    form = forms.ApplicationForm(request.form)
    if not form.validate():
        return page("new.html", 422, form=form)
    facts = {name: str(value) for name, value in form.data.items() if name != "idempotency_key"}
    given: dict[str, Any] = {"idempotency": form.idempotency(f"person:{g.person.id}"), "person_id": g.person.id}
    try:
        hit("institution", g.person.public_id, limit=20, seconds=HOUR)
        number = in_transaction(idempotency.once, keeping.apply, **given, facts=facts)
    except keeping.KnownAlready as refusal:
        form.credit_code.errors = [refusal.message]
        return page("new.html", refusal.status, form=form)
    flash(_("Thank you. The province looks at it and answers you here."), "done")
    return redirect(url_for(".show_institution", institution=number), 303)


@bp.get("/<institution>")
@requires("institution.use")
def show_institution(institution: str) -> ResponseReturnValue:
    return institution_page(mine(institution), forms.MemberForm())


def institution_page(row: Institution, form: forms.MemberForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    shown: dict[str, Any] = {"parcels": queries.parcels_under_way(session, row.id), "form": form}
    shown |= {"statements": queries.statements_of(session, row.id), "members": queries.members(session, row.id)}
    role = queries.role_of(session, row.id, g.person.id)
    return page("show.html", status, institution=row, is_payer=role == keeping.PAYER, parcel_words=WORDS, **shown)


@bp.post("/<institution>/members")
@requires("institution.use")
def create_member(institution: str) -> ResponseReturnValue:
    row, form = mine(institution), forms.MemberForm(request.form)
    if not form.validate():
        return institution_page(row, form, 422)
    hit("institution.member", institution, limit=30, seconds=HOUR)
    given = {"institution": institution, "person_id": g.person.id, "role": str(form.role.data)}
    back = url_for(".show_institution", institution=institution)
    try:
        return take_step(keeping.add_member, back, passes=(keeping.NobodyThere,), **given, address=str(form.address.data))
    except keeping.NobodyThere as refusal:
        form.address.errors = [refusal.message]
        return institution_page(row, form, refusal.status)


@bp.post("/<institution>/members/<member>/removal")
@requires("institution.use")
def create_removal(institution: str, member: str) -> ResponseReturnValue:
    back = url_for(".show_institution", institution=institution)
    if member == g.person.public_id:
        back = url_for(".list_institutions")
    given = {"institution": institution, "member": member, "person_id": g.person.id}
    return take_step(keeping.remove_member, back, **given)


@bp.get("/<institution>/statements/<statement>")
@requires("institution.use")
def show_statement(institution: str, statement: str) -> ResponseReturnValue:
    row, session = mine(institution), db.session()
    found = queries.statement_of(session, row.id, statement)
    current = attempts.current(session, purpose=PURPOSE, reference=statement)
    told: dict[str, Any] = {"statement": found, "lines": queries.lines_of_statement(session, found.id)}
    told["transfers"] = transfers.waiting_for(session, purpose=PURPOSE, reference=statement)
    told["is_waiting"] = current is not None and current.state in OPEN and "returned" in request.args
    role = queries.role_of(session, row.id, g.person.id)
    return page("statement.html", institution=row, is_payer=role == keeping.PAYER, **told)


@bp.get("/<institution>/statements/<statement>.csv")
@requires("institution.use")
def show_csv(institution: str, statement: str) -> ResponseReturnValue:
    row = mine(institution)
    content = papers.as_csv(db.session(), row, queries.statement_of(db.session(), row.id, statement))
    return file_answer(content, f"{statement}.csv", "text/csv")


@bp.get("/<institution>/statements/<statement>.pdf")
@requires("institution.use")
def show_pdf(institution: str, statement: str) -> ResponseReturnValue:
    row = mine(institution)
    paper = papers.as_paper(db.session(), row, queries.statement_of(db.session(), row.id, statement))
    db.session.rollback()  # nobody's place in the pool is kept while the page is set
    return file_answer(typesetting.make(paper), f"{statement}.pdf", "application/pdf")


def file_answer(content: bytes, name: str, kind: str) -> ResponseReturnValue:
    told = {"Content-Disposition": f'attachment; filename="{name}"', **NO_STORE}
    return Response(content, 200, told, mimetype=kind)


@bp.post("/<institution>/statements/<statement>/payment")
@requires("institution.use")
def create_payment(institution: str, statement: str) -> ResponseReturnValue:
    """On to the cashier. An attempt over another sum, from before a credit, is withdrawn first."""
    row = mine(institution)
    found = queries.statement_of(db.session(), row.id, statement)
    back = url_for(".show_statement", institution=institution, statement=statement)
    current = attempts.current(db.session(), purpose=PURPOSE, reference=statement)
    due_fen = found.due_fen
    given = {"institution": institution, "statement": statement, "person_id": g.person.id}
    try:
        if current is not None and current.state in OPEN and current.fen != due_fen:
            attempts.cancel(current.public_id)
        elif current is not None and current.state is AttemptState.REQUIRES_ACTION:
            return redirect(current.redirect_url, 303)
        attempt = in_transaction(paying_bills.start, **given)
        returned = f"{settings().base_url.rstrip('/')}{back}?returned=1"
        return redirect(attempts.submit(attempt, return_url=returned, description=statement), 303)
    except attempts.AlreadyPaying as taken:
        return redirect(taken.redirect_url or back, 303)
    except (GatewayError, paying_bills.NothingToPay) as refusal:
        flash(refusal.message, "failed")
    return redirect(back, 303)


def mine(institution: str) -> Institution:
    return of_member(db.session(), institution, g.person.id)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    body = render_template(f"institutions/{template}", words=words, roles=forms.ROLES, reasons=forms.REASONS, **shown)
    return body, status, NO_STORE
