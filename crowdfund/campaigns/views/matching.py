"""/charity/matching-funds: an organisation's officers draft, open and close matching funds; the province looks on."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import select

from crowdfund.campaigns import desk
from crowdfund.campaigns.lifecycle import NoReason
from crowdfund.campaigns.matching import funds, queries, sending_back, topping_up
from crowdfund.campaigns.matching.forms import FundForm, TopUpForm, WhyForm
from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.states import FundState as F
from crowdfund.campaigns.views.frame import APPROVER, OFFICER, reach
from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency, ids
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.steps import take_step
from marketplace.payments import refunds
from marketplace.payments.gateways import current_book
from marketplace.payments.operator import words

STATE_WORDS: Final = {
    F.DRAFT: (_l("Waiting for its money"), "now"),
    F.FUNDED: (_l("Paid in, not open yet"), "now"),
    F.ACTIVE: (_l("Matches gifts"), "give"),
    F.EXHAUSTED: (_l("Used up"), ""),
    F.CLOSED: (_l("Closed"), ""),
}
WHYS: Final = {
    funds.DRAFTED: _l("Written down"),
    funds.PAID_IN: _l("The sponsor's money is there"),
    funds.OPENED: _l("Opened"),
    funds.USED_UP: _l("The last of it was given"),
    funds.MONEY_BACK: _l("A gift went back, and its match is in the fund again"),
    funds.CALLED_OFF: _l("The campaign was called off"),
    funds.CAMPAIGN_OVER: _l("Its campaign is over"),
    topping_up.TOPPED_UP: _l("More was promised"),
    funds.BANK_TOOK_IT: _l("The sponsor's bank took the money back"),
}

bp = Blueprint("matching_funds", __name__, url_prefix="/charity/matching-funds")


@bp.get("")
@requires("matching_fund.follow")
def list_funds() -> ResponseReturnValue:
    session, theirs = db.session(), reach(OFFICER, APPROVER)
    may_draft = queries.choices(session, reach(OFFICER) or []) if theirs is not None else []
    return page("charity/matching_funds.html", work=queries.work(session, theirs), choices=may_draft)


@bp.get("/new")
@requires("matching_fund.keep")
def show_new() -> ResponseReturnValue:
    return form_page(chosen(), FundForm())


def chosen() -> queries.Choice:
    """The campaign that the address names. Raises NotFound for one that is not theirs or takes no gifts."""
    wanted = request.args.get("campaign", "")
    found = next((each for each in queries.choices(db.session(), reach(OFFICER) or []) if each.public_id == wanted), None)
    if found is None:
        raise NotFound(wanted)
    return found


def form_page(choice: queries.Choice, form: FundForm, status: int = 200) -> ResponseReturnValue:
    return page("charity/matching_fund_new.html", status, choice=choice, form=form)


@bp.post("/new")
@requires("matching_fund.keep")
def create_fund() -> ResponseReturnValue:
    choice, form = chosen(), FundForm(request.form)
    if not form.validate():
        return form_page(choice, form, 422)
    try:
        made = in_transaction(
            idempotency.once,
            funds.draft,
            idempotency=form.idempotency(f"matching_fund:{g.person.id}:{choice.public_id}"),
            campaign=choice.public_id,
            sponsor=str(form.sponsor.data),
            contact=str(form.contact.data),
            terms=form.terms,
            owner_id=g.person.id,
        )
    except funds.TakesNoFund as refusal:
        form.form_errors.append(refusal.message)
        return form_page(choice, form, refusal.status)
    except idempotency.KeyReused:
        form.idempotency_key.data = ids.public_id()
        form.form_errors.append(_("You already sent this form with different content. Press again to write down one more."))
        return form_page(choice, form, 409)
    flash(_("Written down. Send the sponsor the link to pay."), "done")
    return redirect(url_for(".show_fund", fund=made), 303)


@bp.get("/<fund>")
@requires("matching_fund.follow")
def show_fund(fund: str) -> ResponseReturnValue:
    return fund_page(fund, WhyForm())


def fund_page(fund: str, form: WhyForm, status: int = 200, more: TopUpForm | None = None) -> ResponseReturnValue:
    session, theirs = db.session(), reach(OFFICER, APPROVER)
    shown = queries.get(session, fund, theirs)
    has = {role for role in (OFFICER, APPROVER) if theirs and shown.organisation in (reach(role) or ())}
    return page(
        "charity/matching_fund.html",
        status,
        shown=shown,
        matches=queries.matches(session, shown.row),
        refunds=refunds.of(session, purpose="matching_fund", reference=fund),
        traces=desk.traces_of(session, f"matching_fund:{fund}"),
        form=form,
        more=more or TopUpForm(),
        continues=queries.continued(session, shown.row),
        is_officer=OFFICER in has,
        is_approver=APPROVER in has and shown.row.owner_id != g.person.id,
    )


@bp.post("/<fund>/activation")
@requires("matching_fund.activate")
def create_activation(fund: str) -> ResponseReturnValue:
    """Another person than drafted it."""
    queries.get(db.session(), fund, reach(APPROVER))
    form = WhyForm(request.form)
    if not form.validate():
        return fund_page(fund, form, 422)
    return take(fund, funds.activate, why=str(form.why.data or ""), passes=(funds.OwnFund,))


@bp.post("/<fund>/closing")
@requires("matching_fund.keep")
def create_closing(fund: str) -> ResponseReturnValue:
    queries.get(db.session(), fund, reach(OFFICER))
    form = WhyForm(request.form)
    if not form.validate():
        return fund_page(fund, form, 422)
    try:
        return take(fund, funds.close, why=str(form.why.data or ""), passes=(NoReason,))
    except NoReason as refusal:
        form.why.errors = [refusal.message]
        return fund_page(fund, form, refusal.status)


@bp.post("/<fund>/top-up")
@requires("matching_fund.keep")
def create_top_up(fund: str) -> ResponseReturnValue:
    """A fund of its own, with a link of its own for the sponsor."""
    queries.get(db.session(), fund, reach(OFFICER))
    more = TopUpForm(request.form)
    if not more.validate():
        return fund_page(fund, WhyForm(), 422, more)
    try:
        made = in_transaction(
            idempotency.once,
            topping_up.top_up,
            idempotency=more.idempotency(f"matching_fund.top_up:{g.person.id}:{fund}"),
            fund=fund,
            more=more.money,
            owner_id=g.person.id,
        )
    except (topping_up.CannotBeToppedUp, funds.TakesNoFund) as refusal:
        more.more.errors = [str(refusal.message)]
        return fund_page(fund, WhyForm(), refusal.status, more)
    except idempotency.KeyReused:
        more.idempotency_key.data = ids.public_id()
        more.more.errors = [_("You already sent this form with different content. Press again to write down one more.")]
        return fund_page(fund, WhyForm(), 409, more)
    flash(_("Written down. Send the sponsor the link to pay."), "done")
    return redirect(url_for(".show_fund", fund=made), 303)


@bp.post("/<fund>/refund")
@requires("matching_fund.keep")
def create_refund(fund: str) -> ResponseReturnValue:
    """What did not arrive at the sponsor's is sent once more."""
    queries.get(db.session(), fund, reach(OFFICER))
    return take(fund, sending_back.send_once_more)


def take(fund: str, step: Any, **given: Any) -> ResponseReturnValue:
    return take_step(step, url_for(".show_fund", fund=fund), fund=fund, person=g.person.id, **given)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    theirs = reach(OFFICER, APPROVER)
    at = select(Organisation.name_zh).where(Organisation.code.in_(theirs or ())).order_by(Organisation.code).limit(1)
    common = {"organisation_name": db.session.scalar(at) or "", "desk_current": "matching", "today": clock.today()}
    told = {"state_words": STATE_WORDS, "whys": WHYS, "refund_words": words.REFUNDS, "book": current_book()}
    body = render_template(template, **common, **told, is_province=theirs is None, **shown)
    return body, status, {"Cache-Control": "no-store"}
