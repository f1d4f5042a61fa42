"""A directed campaign's list at the desk, the door for those with a code, and what everybody else is told."""

from typing import Any, Final

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import desk
from crowdfund.campaigns.invited import gate, inviting
from crowdfund.campaigns.invited.forms import CodeForm, InvitationForm
from crowdfund.campaigns.models import Campaign, Disbursement, Evidence
from crowdfund.campaigns.views.frame import OFFICER, organisations, page
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.steps import take_step

GATED: Final = frozenset({"campaigns", "news", "ledger", "reports", "teams", "sharing"})
OF_GIFTS: Final = frozenset({"gifts.show_form", "gifts.create_gift"})
FOR_NOBODY: Final = frozenset({"sharing.show_share", "sharing.show_poster", "sharing.show_picture", "sharing.show_embedded"})
BY_LINK: Final = frozenset({"teams.show_card"})  # a secret one
TRIES: Final = 20  # an hour: nobody finds a code of twelve digits by trying

bp = Blueprint("invitations", __name__)


def turn_away() -> ResponseReturnValue | None:
    """Before any page of a directed campaign: who is not on its list learns that it is not for them, and nothing more.

    Other campaigns' pages pay nothing for it: which are directed is remembered."""
    if request.blueprint not in GATED and request.endpoint not in OF_GIFTS:
        return None
    session = db.session()
    campaign = campaign_asked_for(session)
    if (
        not campaign
        or campaign not in gate.directed(session)
        or request.endpoint in BY_LINK
        or request.path.startswith("/charity")
    ):
        return None
    if request.endpoint in FOR_NOBODY:
        raise NotFound(campaign)
    if g.person and (gate.is_invited(session, campaign, g.person.id) or is_theirs(session, campaign)):
        return None
    return closed_page(campaign, CodeForm(), 403)


def campaign_asked_for(session: Session) -> str:
    """The public id in the address; "" where there is none."""
    named = request.view_args or {}
    if "proof" in named:
        wanted = select(Campaign.public_id).join(Disbursement, Disbursement.campaign_id == Campaign.id)
        wanted = wanted.join(Evidence, Evidence.disbursement_id == Disbursement.id)
        return session.scalar(wanted.where(Evidence.public_id == named["proof"])) or ""
    return str(named.get("campaign") or request.args.get("campaign", ""))


def is_theirs(session: Session, campaign: str) -> bool:
    """Officers see what they have made."""
    code = session.scalar(select(Campaign.organisation_code).where(Campaign.public_id == campaign))
    return code in organisations()


def closed_page(campaign: str, form: CodeForm, status: int) -> ResponseReturnValue:
    answer = make_response(render_template("campaigns/not_public.html", campaign=campaign, form=form), status)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@bp.post("/campaigns/<campaign>/invitation")
@requires("invitation.accept")
def create_acceptance(campaign: str) -> ResponseReturnValue:
    """A code is entered by whoever was handed it."""
    if campaign not in gate.directed(db.session()):
        raise NotFound(campaign)
    form = CodeForm(request.form)
    if not form.validate():
        return closed_page(campaign, form, 422)
    hit("campaign.code", g.person.public_id, limit=TRIES, seconds=HOUR)
    try:
        in_transaction(inviting.redeem, campaign=campaign, code=str(form.code.data), person_id=g.person.id)
    except inviting.WrongCode as refusal:
        form.code.errors = [str(refusal.message)]
        return closed_page(campaign, form, refusal.status)
    return redirect(url_for("campaigns.show_campaign", campaign=campaign), 303)


@bp.get("/charity/campaigns/<campaign>/list")
@requires("campaign.keep")
def show_list(campaign: str) -> ResponseReturnValue:
    return list_page(campaign, InvitationForm())


@bp.post("/charity/campaigns/<campaign>/list")
@requires("campaign.draft")
def create_invitation(campaign: str) -> ResponseReturnValue:
    own(campaign, OFFICER)
    form = InvitationForm(request.form)
    if not form.validate():
        return list_page(campaign, form, 422)
    told: dict[str, Any] = {"campaign": campaign, "person": g.person.id, "note": str(form.note.data or "")}
    told["idempotency"] = form.idempotency(f"invitation:{campaign}:{g.person.id}")
    try:
        in_transaction(idempotency.once, inviting.invite, address=str(form.address.data or ""), **told)
    except inviting.InvitedAlready as refusal:
        form.address.errors = [str(refusal.message)]
        return list_page(campaign, form, refusal.status)
    except (inviting.NotDirected, inviting.ListIsFull, idempotency.KeyReused) as refusal:
        form.form_errors.append(str(refusal.message))
        return list_page(campaign, form, refusal.status)
    return redirect(url_for(".show_list", campaign=campaign), 303)


@bp.post("/charity/campaigns/<campaign>/list/<invitation>/withdrawal")
@requires("campaign.draft")
def create_withdrawal(campaign: str, invitation: str) -> ResponseReturnValue:
    own(campaign, OFFICER)
    back = url_for(".show_list", campaign=campaign)
    return take_step(inviting.withdraw, back, campaign=campaign, invitation=invitation, person=g.person.id)


def own(campaign: str, *roles: str) -> Campaign:
    """Raises NotFound for another organisation's."""
    row, _organisation = desk.get(db.session(), campaign, organisations(*roles))
    return row


def list_page(campaign: str, form: InvitationForm, status: int = 200) -> ResponseReturnValue:
    row = own(campaign)
    shown: dict[str, Any] = {"row": row, "form": form, "people": inviting.on_the_list(db.session(), row.id)}
    shown["may_invite"] = row.organisation_code in organisations(OFFICER) and row.state in inviting.TAKES_PEOPLE
    return page("charity/list.html", "campaigns", status=status, **shown)
