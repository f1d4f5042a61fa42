"""/operator/organisations/<code>/officers: who acts for an organisation here, by the word of two people of the province."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l

from crowdfund.campaigns.organisations import officer_queries, officers
from crowdfund.campaigns.organisations.forms import RefusedForm
from crowdfund.campaigns.organisations.officer_forms import ROLES, OfficerForm, RemovalForm
from crowdfund.campaigns.organisations.registering import NoReason
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal
from marketplace.core.steps import take_step

NO_STORE: Final = {"Cache-Control": "no-store"}
STATES: Final = {"written": _l("waits for a second person"), "confirmed": _l("confirmed"), "refused": _l("refused")}

bp = Blueprint("organisation_officers", __name__, url_prefix="/operator/organisations")


@bp.get("/<organisation>/officers")
@requires("organisation.read")
def list_officers(organisation: str) -> ResponseReturnValue:
    return page(organisation, OfficerForm(), {})


@bp.post("/<organisation>/officers")
@requires("organisation.keep")
def create_officer(organisation: str) -> ResponseReturnValue:
    """Written down once, however often the form is sent."""
    form = OfficerForm(request.form)
    if not form.validate():
        return page(organisation, form, {}, 422)
    told = {"organisation": organisation, "address": str(form.address.data), "role": str(form.role.data)}
    key = form.idempotency(f"officer:{g.person.id}")
    try:
        in_transaction(idempotency.once, officers.name_officer, idempotency=key, person_id=g.person.id, **told)
    except (officers.NoAccount, officers.Themselves) as refusal:
        form.address.errors = [str(refusal.message)]
        return page(organisation, form, {}, refusal.status)
    except officers.HasRole as refusal:
        form.role.errors = [str(refusal.message)]
        return page(organisation, form, {}, refusal.status)
    except (officers.WaitsAlready, idempotency.KeyReused) as refusal:
        form.form_errors.append(str(refusal.message))
        return page(organisation, form, {}, refusal.status)
    flash(_("Written down. Nothing changes before another person has confirmed it."), "done")
    return redirect(url_for(".list_officers", organisation=organisation), 303)


@bp.post("/<organisation>/officers/<officer>/<role>/removal")
@requires("organisation.keep")
def create_removal(organisation: str, officer: str, role: str) -> ResponseReturnValue:
    name = f"{officer}-{role}"
    form = RemovalForm(request.form, prefix=f"{name}-")
    return reasoned(organisation, name, form, officers.take_officer_back, officer=officer, role=role)


@bp.post("/<organisation>/officers/<change>/confirmation")
@requires("organisation.keep")
def create_confirmation(organisation: str, change: str) -> ResponseReturnValue:
    back = url_for(".list_officers", organisation=organisation)
    return take_step(
        officers.confirm, back, done=_("Confirmed."), organisation=organisation, change=change, person_id=g.person.id
    )


@bp.post("/<organisation>/officers/<change>/refusal")
@requires("organisation.keep")
def create_refusal(organisation: str, change: str) -> ResponseReturnValue:
    form = RefusedForm(request.form, prefix=f"{change}-")
    return reasoned(organisation, change, form, officers.refuse, change=change)


def reasoned(organisation: str, name: str, form: Any, command: Callable[..., object], **told: str) -> ResponseReturnValue:
    """A step that keeps its reason; what is wrong with it is said by the field."""
    if not form.validate():
        return page(organisation, OfficerForm(), {name: form}, 422)
    told |= {"organisation": organisation, "why": str(form.why.data or "")}
    back = url_for(".list_officers", organisation=organisation)
    refused: tuple[type[Refusal], ...] = (NoReason,)
    try:
        return take_step(command, back, passes=refused, person_id=g.person.id, **told)
    except NoReason as refusal:
        form.why.errors = [str(refusal.message)]
        return page(organisation, OfficerForm(), {name: form}, refusal.status)


def page(organisation: str, form: OfficerForm, given: dict[str, Any], status: int = 200) -> ResponseReturnValue:
    """`given`: forms that were refused, by what they are about."""
    session = db.session()
    row = officers.of_organisation(session, organisation)
    known = officer_queries.officers(session, organisation)
    changes = officer_queries.changes(session, organisation)
    forms_of: dict[str, Any] = {
        f"{each.public_id}-{each.role}": RemovalForm(prefix=f"{each.public_id}-{each.role}-") for each in known
    }
    forms_of |= {each[0].public_id: RefusedForm(prefix=f"{each[0].public_id}-") for each in changes}
    shown: dict[str, Any] = {"organisation": row, "officers": known, "changes": changes, "form": form}
    shown |= {"forms_of": forms_of | given, "roles": ROLES, "words": STATES, "may_keep": "operator" in g.person.roles}
    return render_template("operator/officers.html", desk_current="organisations", **shown), status, NO_STORE
