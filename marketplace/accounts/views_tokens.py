"""/account/tokens: keys that a person gives to programs, each shown once, and ended whenever they like."""

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.accounts import tokens
from marketplace.accounts.forms import TokenForm
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.tokens import DAYS, KINDS, MOST_DAYS_OF_STAFF, TokenScope
from marketplace.accounts.views_codes import private
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal

bp = Blueprint("tokens", __name__)


@bp.get("/account/tokens")
@requires("account.keep")
def show_tokens() -> ResponseReturnValue:
    rows = tokens.of_person(db.session(), g.person.id)
    return private(render_template("accounts/tokens.html", tokens=rows, kinds=KINDS, scope_of=TokenScope))


@bp.get("/account/tokens/new")
@requires("account.change")
def show_new_token() -> ResponseReturnValue:
    return form_page(TokenForm(data={"scopes": [TokenScope.READ], "days": str(DAYS[1])}))


@bp.post("/account/tokens")
@requires("account.change")
def create_token() -> ResponseReturnValue:
    """Show it, once. The same form sent again makes no second one, and shows none."""
    form = prepared(TokenForm(request.form))
    if not form.validate():
        return form_page(form, 422)
    made: list[tokens.Made] = []

    def make(session: Session) -> str:
        chosen: dict[str, Any] = {
            "scopes": [TokenScope(scope) for scope in form.scopes.data or ()],
            "days": int(form.days.data),
        }
        whose = {"person_id": g.person.id, "has_second_factor": g.person.has_second_factor}
        made[:] = [tokens.make(session, name=str(form.name.data), **whose, **chosen)]
        return made[0].public_id

    try:
        hit("token.make", g.person.public_id, limit=20, seconds=HOUR, is_watched=True)
        in_transaction(idempotency.once, make, idempotency=form.idempotency(f"person:{g.person.id}:token"))
    except Refusal as refusal:
        form.form_errors.append(refusal.message)
        return form_page(form, refusal.status)
    if not made:
        flash(
            _("This key was made already, and it is shown only once. If nobody copied it, end it and make another."), "note"
        )
        return redirect(url_for(".show_tokens"), 303)
    return private(render_template("accounts/made_token.html", token=made[0].token, name=form.name.data), 201)


@bp.post("/account/tokens/<token>/end")
@requires("account.keep")
def create_token_end(token: str) -> ResponseReturnValue:
    """Sent twice, it is ended once."""
    try:
        in_transaction(tokens.end, person_id=g.person.id, token=token)
        flash(_("The key is ended. It opens nothing any more."), "done")
    except NotFound:
        flash(_("This key is not there any more."), "note")
    return redirect(url_for(".show_tokens"), 303)


def prepared(form: TokenForm) -> TokenForm:
    form.offer(tokens.offered(g.person.roles), MOST_DAYS_OF_STAFF if g.person.is_staff else DAYS[-1])
    return form


def form_page(form: TokenForm, status: int = 200) -> ResponseReturnValue:
    return private(render_template("accounts/new_token.html", form=prepared(form)), status)
