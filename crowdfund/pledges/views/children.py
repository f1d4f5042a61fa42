"""/children: schools and leagues name a child, another person verifies, the children's officer keeps the case."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from crowdfund.pledges import children, desks, handover, telling, vault
from crowdfund.pledges.children import Officer
from crowdfund.pledges.forms import ClosingForm, ConsentForm, NominationForm, NothingForm, ReadingForm, ReasonForm, apart
from crowdfund.pledges.refusals import ChildKnown, NotYourCase
from crowdfund.pledges.states import CaseState
from crowdfund.pledges.vault import Identity, Reader
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, StaleState
from marketplace.core.forms import SelectChoice
from marketplace.core.steps import take_step
from marketplace.stations.models import County

bp = Blueprint("children", __name__, url_prefix="/children")
ALL: Final = frozenset({"nominator", "verifier", "children_officer"})


def officer(roles: frozenset[str] = ALL) -> Officer:
    """The person as an officer by these of their roles, and as far as those reach."""
    grants = [(role, kind, scope) for role, kind, scope in g.person.grants if role in roles]
    counties = frozenset(scope for _role, kind, scope in grants if kind == "county")
    reaches_all = any(kind == "programme" for _role, kind, _scope in grants)
    held = frozenset(role for role, _kind, _scope in grants)
    return Officer(g.person.id, f"person:{g.person.public_id}", held, counties, reaches_all)


@bp.get("")
@requires("child.list")
def show_cases() -> ResponseReturnValue:
    me = officer()
    overdue = desks.overdue(db.session(), me)
    return page("children/list.html", rows=desks.cases(db.session(), me), overdue=overdue)


@bp.get("/new")
@requires("child.nominate")
def show_nomination() -> ResponseReturnValue:
    return page("children/new.html", form=nomination(None))


def nomination(typed: Any) -> NominationForm:
    form, me = NominationForm(typed), officer(frozenset({"nominator"}))
    rows = db.session.query(County).order_by(County.code).all()
    form.county.choices = [
        SelectChoice(row.code, f"{row.prefecture_zh} {row.name_zh}") for row in rows if me.reaches(row.code)
    ]
    return form


@bp.post("")
@requires("child.nominate")
def create_nomination() -> ResponseReturnValue:
    form = nomination(request.form)
    if not form.validate():
        return page("children/new.html", form=form, status=422)
    born, since = form.birth_date.data, form.waiting_since.data
    assert isinstance(born, date) and isinstance(since, date)
    identity = Identity(
        name=str(form.name.data),
        identity_number=str(form.identity_number.data),
        birth_date=born,
        school=str(form.school.data),
        guardian=str(form.guardian.data),
        guardian_phone=str(form.guardian_phone.data),
    )
    told: dict[str, Any] = {"tier": int(form.tier.data), "need": str(form.need.data), "waiting_since": since}
    told["guardian_ending"] = str(form.guardian_ending.data)
    me, county = officer(frozenset({"nominator"})), str(form.county.data)
    try:
        case = in_transaction(children.nominate, officer=me, county=county, identity=identity, **told)
    except (ChildKnown, NotYourCase) as refusal:
        form.identity_number.errors = [refusal.message]
        return page("children/new.html", form=form, status=422)
    flash(_("Nominated. Who the child is lies in the vault now."), "done")
    return redirect(url_for(".show_case", case=case), 303)


@bp.get("/<case>")
@requires("child.list")
def show_case(case: str) -> ResponseReturnValue:
    return case_page(case)


def case_page(public_id: str, status: int = 200, **forms: Any) -> ResponseReturnValue:
    session, me = db.session(), officer()
    row = desks.case_row(session, me, public_id)
    given = desks.consents(session, row.case)
    shown: dict[str, Any] = {
        "consent_form": ConsentForm(),
        "reading_form": ReadingForm(),
        "pause_form": ReasonForm(),
        "closing_form": ClosingForm(),
        "is_destroyed": vault.is_destroyed(session, row.case),
        "has_watch": desks.has_waiting_device(session, row.case),
    } | forms
    apart(shown["closing_form"], "closing")
    shown.setdefault("identity", None)
    shown.setdefault("code", "")
    return page("children/case.html", status=status, row=row, consents=given, me=me, **shown)


@bp.post("/<case>/consents")
@requires("child.consent")
def create_consents(case: str) -> ResponseReturnValue:
    form = ConsentForm(request.form)
    if not form.validate():
        return case_page(case, 422, consent_form=form)
    given = {
        "purposes": list(form.purposes.data or ()),
        "guardian": str(form.guardian.data),
        "method": str(form.method.data),
    }
    me = officer(frozenset({"nominator", "children_officer"}))
    return done(children.give_consent, officer=me, case=case, **given)


@bp.post("/<case>/verification")
@requires("child.verify")
def create_verification(case: str) -> ResponseReturnValue:
    return done(children.verify, officer=officer(frozenset({"verifier"})), case=case)


@bp.post("/<case>/listing")
@requires("child.keep")
def create_listing(case: str) -> ResponseReturnValue:
    return done(children.list_case, officer=keeper(), case=case)


@bp.post("/<case>/pause")
@requires("child.keep")
def create_pause(case: str) -> ResponseReturnValue:
    form = ReasonForm(request.form)
    if not form.validate():
        return case_page(case, 422, pause_form=form)
    return done(children.pause, officer=keeper(), case=case, why=str(form.reason.data))


@bp.post("/<case>/closing")
@requires("child.keep")
def create_closing(case: str) -> ResponseReturnValue:
    """Moved away, known already, not eligible: off the list for good."""
    form = ClosingForm(request.form)
    if not form.validate():
        return case_page(case, 422, closing_form=form)
    there = CaseState(str(form.there.data))
    return done(children.close, officer=keeper(), case=case, there=there, why=str(form.reason.data))


@bp.get("/<case>/withdrawal")
@requires("child.keep")
def show_withdrawal(case: str) -> ResponseReturnValue:
    """Asks once more: what it destroys, nobody can bring back."""
    return page("children/withdrawal.html", row=desks.case_row(db.session(), keeper(), case))


@bp.post("/<case>/withdrawal")
@requires("child.keep")
def create_withdrawal(case: str) -> ResponseReturnValue:
    return done(children.withdraw, officer=keeper(), case=case)


@bp.post("/<case>/first-call")
@requires("child.keep")
def create_first_call(case: str) -> ResponseReturnValue:
    return done(handover.confirm_first_call, officer=keeper(), case=case)


@bp.post("/<case>/codes")
@requires("child.keep")
def create_code(case: str) -> ResponseReturnValue:
    """Shows the guardian's code this once, to be told by phone."""
    try:
        code = in_transaction(handover.issue_code, officer=keeper(), case=case)
    except (IllegalTransition, StaleState):
        flash(_("There is no watch for this child at the station."), "note")
        return redirect(url_for(".show_case", case=case), 303)
    return case_page(case, code=code)


@bp.post("/<case>/readings")
@requires("child.identify")
def create_reading(case: str) -> ResponseReturnValue:
    """Opens the vault, for this answer only, and leaves a trace for good."""
    form = ReadingForm(request.form)
    if not form.validate():
        return case_page(case, 422, reading_form=form)
    me = officer(vault.READERS)
    hit("child_vault", g.person.public_id, limit=30, seconds=HOUR, is_watched=True)
    identity = in_transaction(open_vault, me=me, case=case, why=str(form.why.data))
    return case_page(case, identity=identity)


def open_vault(session: Session, *, me: Officer, case: str, why: str) -> Identity:
    row = children.get_case(session, case, me)
    return vault.read(session, row, reader=Reader(me.actor, me.roles), why=why)


def keeper() -> Officer:
    return officer(frozenset({"children_officer"}))


def done(command: Callable[..., object], *, case: str, **arguments: Any) -> ResponseReturnValue:
    return take_step(command, url_for(".show_case", case=case), case=case, **arguments)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    known: dict[str, Any] = {"telling": telling, "nothing": NothingForm(), "reads": bool(g.person.roles & vault.READERS)}
    return render_template(template, **known | shown), status, {"Cache-Control": "no-store"}
