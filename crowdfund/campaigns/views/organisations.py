"""/operator/organisations: which organisations may ask the public for money here, by the word of two people."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l

from crowdfund.campaigns.organisations import queries, registering
from crowdfund.campaigns.organisations.forms import OrganisationForm, RefusedForm
from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.steps import take_step

NO_STORE: Final = {"Cache-Control": "no-store"}
STATES: Final = {"written": _l("waits for a second person"), "confirmed": _l("confirmed"), "refused": _l("refused")}

bp = Blueprint("organisations", __name__, url_prefix="/operator/organisations")


@bp.get("")
@requires("organisation.read")
def list_organisations() -> ResponseReturnValue:
    return list_page({})


@bp.get("/new")
@requires("organisation.keep")
def show_new() -> ResponseReturnValue:
    """?code= one that is known: what the house goes by stands in the form."""
    return form_page(OrganisationForm(data=queries.known(db.session(), request.args.get("code", "")[:40])))


@bp.post("")
@requires("organisation.keep")
def create_entry() -> ResponseReturnValue:
    """Written down once, however often the form is sent."""
    form = OrganisationForm(request.form)
    form.known = queries.known(db.session(), str(form.code.data or "").lower()).get("credit_code", "")
    if not form.validate():
        return form_page(form, 422)
    key = form.idempotency(f"organisation:{g.person.id}")
    try:
        in_transaction(idempotency.once, registering.write, idempotency=key, facts=form.facts, person_id=g.person.id)
    except (registering.OtherCreditCode, registering.CreditCodeUsed) as refusal:
        form.credit_code.errors = [str(refusal.message)]
        return form_page(form, refusal.status)
    except (registering.WaitsAlready, idempotency.KeyReused) as refusal:
        form.form_errors.append(str(refusal.message))
        return form_page(form, refusal.status)
    flash(_("Written down. Nothing changes before another person has confirmed it."), "done")
    return redirect(url_for(".list_organisations"), 303)


@bp.post("/<entry>/confirmation")
@requires("organisation.keep")
def create_confirmation(entry: str) -> ResponseReturnValue:
    back = url_for(".list_organisations")
    return take_step(registering.confirm, back, done=_("Confirmed."), entry=entry, person_id=g.person.id)


@bp.post("/<entry>/refusal")
@requires("organisation.keep")
def create_refusal(entry: str) -> ResponseReturnValue:
    form = RefusedForm(request.form, prefix=f"{entry}-")
    if not form.validate():
        return list_page({entry: form}, 422)
    told: dict[str, Any] = {"entry": entry, "person_id": g.person.id, "why": str(form.why.data or "")}
    try:
        return take_step(registering.refuse, url_for(".list_organisations"), passes=(registering.NoReason,), **told)
    except registering.NoReason as refusal:
        form.why.errors = [str(refusal.message)]
        return list_page({entry: form}, refusal.status)


def list_page(given: dict[str, RefusedForm], status: int = 200) -> ResponseReturnValue:
    """`given`: forms that were refused, by the entry they are about."""
    session = db.session()
    entries = queries.entries(session)
    forms_of = {
        row.OrganisationEntry.public_id: RefusedForm(prefix=f"{row.OrganisationEntry.public_id}-") for row in entries
    }
    shown: dict[str, Any] = {"organisations": queries.organisations(session), "entries": entries, "words": STATES}
    return page("operator/organisations.html", status, **shown, forms_of=forms_of | given)


def form_page(form: OrganisationForm, status: int = 200) -> ResponseReturnValue:
    return page("operator/organisation_new.html", status, form=form)


def page(template: str, status: int, **shown: Any) -> ResponseReturnValue:
    may_keep = "operator" in g.person.roles
    told = {"desk_current": "organisations", "today": clock.today(), "may_keep": may_keep}
    return render_template(template, **told, **shown), status, NO_STORE
