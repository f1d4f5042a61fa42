"""/charity/held-matches: an organisation's approvers and the province's finance decide on matches that wait."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import select
from wtforms import StringField
from wtforms.validators import Length

from crowdfund.campaigns import desk
from crowdfund.campaigns.matching import deciding, holding, reasons, waiting_queries
from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.states import HeldState as H
from crowdfund.campaigns.views.frame import APPROVER, OFFICER, reach
from crowdfund.campaigns.views.matching import WHYS
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, Refusal, StaleState
from marketplace.core.forms import Form, Needed
from marketplace.core.steps import told
from marketplace.payments.gateways import current_book

STATE_WORDS: Final = {
    H.HELD: (_l("Waits for a person"), "now"),
    H.PROPOSED: (_l("Waits for a second person"), "now"),
    H.RELEASED: (_l("Released"), "give"),
    H.DENIED: (_l("Not matched"), ""),
    H.LAPSED: (_l("Lapsed"), ""),
}
SAID: Final = WHYS | {holding.GIFT_WENT_BACK: _l("The gift went back")}

bp = Blueprint("held_matches", __name__, url_prefix="/charity/held-matches")


class DecisionForm(Form):
    """A reason, which is kept."""

    why = StringField(
        _l("Reason, kept on record"), [Needed(_l("Please give a reason. It is kept on record.")), Length(max=300)]
    )


@bp.get("")
@requires("held_match.follow")
def list_matches() -> ResponseReturnValue:
    session, theirs = db.session(), reach(OFFICER, APPROVER)
    both: dict[str, Any] = {
        "waiting": waiting_queries.waiting(session, theirs),
        "decided": waiting_queries.decided(session, theirs),
    }
    return page("charity/held_matches.html", **both)


@bp.get("/<held>")
@requires("held_match.follow")
def show_match(held: str) -> ResponseReturnValue:
    return match_page(held, DecisionForm())


def match_page(held: str, form: DecisionForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    shown = waiting_queries.get(session, held, reach(OFFICER, APPROVER))
    return page(
        "charity/held_match.html",
        status,
        shown=shown,
        tied=waiting_queries.tied(session, shown.row),
        traces=desk.traces_of(session, f"held_match:{held}"),
        form=form,
        is_decider=is_decider(shown.organisation),
        has_proposed=shown.row.proposer_id == g.person.id,
    )


def is_decider(organisation: str) -> bool:
    if g.station is None:
        return "finance_operator" in g.person.roles
    return organisation in (reach(APPROVER) or ())


@bp.post("/<held>/release")
@requires("held_match.decide")
def create_release(held: str) -> ResponseReturnValue:
    return decide(held, H.RELEASED)


@bp.post("/<held>/denial")
@requires("held_match.decide")
def create_denial(held: str) -> ResponseReturnValue:
    return decide(held, H.DENIED)


def decide(held: str, verdict: H) -> ResponseReturnValue:
    waiting_queries.get(db.session(), held, reach(APPROVER))
    form = DecisionForm(request.form)
    if not form.validate():
        return match_page(held, form, 422)
    try:
        reached = in_transaction(deciding.decide, held=held, verdict=verdict, person=g.person.id, why=str(form.why.data))
    except (StaleState, IllegalTransition) as refusal:
        flash(*told(refusal))
    except Refusal as refusal:
        form.why.errors = [str(refusal.message)]
        return match_page(held, form, refusal.status)
    else:
        flash(done(reached), "done")
    return redirect(url_for(".show_match", held=held), 303)


def done(reached: H) -> str:
    if reached is H.PROPOSED:
        return str(_("Written down. The sum is large: another person must decide the same."))
    if reached is H.HELD:
        return str(_("You see it otherwise than the first person. It waits for two people who agree."))
    return str(_("Released.") if reached is H.RELEASED else _("Done. The gift stays what it is, and is not matched."))


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    theirs = reach(OFFICER, APPROVER)
    at = select(Organisation.name_zh).where(Organisation.code.in_(theirs or ())).order_by(Organisation.code).limit(1)
    common = {"organisation_name": db.session.scalar(at) or "", "desk_current": "held", "today": clock.today()}
    words = {"state_words": STATE_WORDS, "whys": SAID, "in_words": reasons.in_words, "book": current_book()}
    body = render_template(template, **common, **words, is_province=theirs is None, **shown)
    return body, status, {"Cache-Control": "no-store"}
