"""A campaign's published limits, set in its draft; and whom a payment reached, which cannot go beyond them."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, ngettext
from sqlalchemy import select

from crowdfund.campaigns import desk, drafting, payments_out
from crowdfund.campaigns.criteria import publishing, reaching
from crowdfund.campaigns.criteria.forms import CriteriaForm, ReachedForm
from crowdfund.campaigns.models import Campaign, Organisation
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.core.steps import take_step

NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("criteria", __name__, url_prefix="/charity")


def theirs() -> list[str]:
    """The organisations whose officer this person is."""
    return sorted({scope for role, kind, scope in g.person.grants if (role, kind) == ("charity_officer", "organisation")})


def of_desk() -> dict[str, Any]:
    name = select(Organisation.name_zh).where(Organisation.code.in_(theirs())).order_by(Organisation.code).limit(1)
    return {"organisation_name": db.session.scalar(name) or "", "today": clock.today()}


@bp.get("/campaigns/<campaign>/criteria")
@requires("campaign.draft")
def show_criteria(campaign: str) -> ResponseReturnValue:
    row, _organisation = desk.get(db.session(), campaign, theirs())
    limits = publishing.limits_of(db.session(), row.id)
    known = publishing.counties(db.session())
    said: dict[str, Any] = {}
    if limits:
        names = {code: name for name, code in known.items()}
        said = {"counties": "、".join(names[code] for code, _name in limits.counties), "most": str(limits.most)}
        said["each"] = f"{limits.each_fen / 100:.2f}"
    return criteria_page(row, CriteriaForm(data=said, known=known))


def criteria_page(row: Campaign, form: CriteriaForm, status: int = 200) -> ResponseReturnValue:
    is_open = row.state in drafting.OPEN_TO_CHANGE
    shown = {"row": row, "form": form, "is_open": is_open, "desk_current": "campaigns"} | of_desk()
    return render_template("charity/criteria.html", **shown), status, NO_STORE


@bp.post("/campaigns/<campaign>/criteria")
@requires("campaign.draft")
def create_criteria(campaign: str) -> ResponseReturnValue:
    row, _organisation = desk.get(db.session(), campaign, theirs())
    form = CriteriaForm(request.form, known=publishing.counties(db.session()))
    if not form.validate():
        return criteria_page(row, form, 422)
    try:
        in_transaction(publishing.set_limits, campaign=campaign, person=g.person.id, **form.limits)
    except drafting.Locked as refusal:
        form.form_errors.append(refusal.message)
        return criteria_page(row, form, 409)
    flash(_("Kept. They are published with the campaign and hold from then on."), "done")
    return redirect(url_for("charity.show_campaign", campaign=campaign), 303)


@bp.get("/disbursements/<disbursement>/beneficiaries")
@requires("disbursement.request")
def list_beneficiaries(disbursement: str) -> ResponseReturnValue:
    return list_page(disbursement, ReachedForm(known=publishing.counties(db.session())))


def list_page(disbursement: str, form: ReachedForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    shown = payments_out.get(session, theirs(), disbursement)
    told = {
        "shown": shown,
        "form": form,
        "limits": publishing.limits_of(session, shown.row.campaign_id),
        "listed": reaching.of_payment(session, shown.row.id),
        "may_be_listed": reaching.may_be_listed(session, shown.row),
        "desk_current": "disbursements",
        **of_desk(),
    }
    return render_template("charity/beneficiaries.html", **told), status, NO_STORE


@bp.post("/disbursements/<disbursement>/beneficiaries")
@requires("disbursement.request")
def create_beneficiaries(disbursement: str) -> ResponseReturnValue:
    payments_out.get(db.session(), theirs(), disbursement)
    form = ReachedForm(request.form, known=publishing.counties(db.session()))
    if not form.validate():
        return list_page(disbursement, form, 422)
    try:
        number = in_transaction(reaching.add, disbursement=disbursement, officer_id=g.person.id, reached=form.list)
    except (reaching.OutsideCriteria, StaleState) as refusal:
        form.reached.errors = [refusal.message]
        return list_page(disbursement, form, refusal.status)
    flash(ngettext("%(num)s beneficiary listed.", "%(num)s beneficiaries listed.", number), "done")
    return redirect(url_for(".list_beneficiaries", disbursement=disbursement), 303)


@bp.post("/disbursements/<disbursement>/beneficiaries/<beneficiary>/removal")
@requires("disbursement.request")
def create_removal(disbursement: str, beneficiary: str) -> ResponseReturnValue:
    payments_out.get(db.session(), theirs(), disbursement)
    back = url_for(".list_beneficiaries", disbursement=disbursement)
    told = {"disbursement": disbursement, "officer_id": g.person.id, "beneficiary": beneficiary}
    return take_step(reaching.remove, back, **told)
