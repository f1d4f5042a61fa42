"""Giving together, and cards: a team's page and link, and what the honoured person opens."""

from typing import Final

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.campaigns import queries, telling
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.honours import dedicating
from crowdfund.campaigns.teams import joining, queries as team_queries
from crowdfund.campaigns.teams.forms import TeamForm
from crowdfund.campaigns.views.public import shared
from crowdfund.campaigns.views.sharing import drawn
from listings.screening import holds_contact
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency, page_cache
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from marketplace.core.steps import take_step

NO_STORE: Final = {"Cache-Control": "no-store"}

bp = Blueprint("teams", __name__)


@bp.get("/campaigns/<campaign>/teams/<team>")
@requires("campaign.browse")
def show_team(campaign: str, team: str) -> ResponseReturnValue:
    page_cache.tags("stations", f"campaign:{campaign}")
    session = db.session()
    shown = team_queries.find(session, campaign, team)
    card, _facts, organisation = queries.find(session, campaign)
    address = f"{settings().base_url.rstrip('/')}{shown.url}"
    told = {"team": shown, "card": card, "organisation": organisation, "members": team_queries.members(session, team)}
    is_own = g.person is not None and g.person.id == shown.leader_id
    told |= {"address": address, "code": drawn(address), "is_own": is_own, "chips": telling.chips(None)}
    return render_template("campaigns/team.html", **told, **shared(card.kind))


@bp.get("/campaigns/<campaign>/teams/new")
@requires("team.open")
def show_new(campaign: str) -> ResponseReturnValue:
    return form_page(campaign, TeamForm())


@bp.post("/campaigns/<campaign>/teams")
@requires("team.open")
def create_team(campaign: str) -> ResponseReturnValue:
    form = TeamForm(request.form)
    if not form.validate():
        return form_page(campaign, form, 422)
    shown_as = Giver(name=g.person.name, anonymity=str(form.anonymity.data)).shown_as
    if holds_contact(shown_as):  # an account's name may be anything
        form.anonymity.errors = [_("Your account's name holds a number, an address or an account. Choose another way.")]
        return form_page(campaign, form, 422)
    told = {"leader_id": g.person.id, "shown_as": shown_as, "name": str(form.name.data), "words": str(form.words.data or "")}
    key = form.idempotency(f"team:{campaign}:{g.person.id}")
    try:
        team = in_transaction(idempotency.once, joining.open_team, idempotency=key, campaign=campaign, **told)
    except idempotency.KeyReused as refusal:
        form.form_errors.append(str(refusal.message))
        return form_page(campaign, form, refusal.status)
    except (joining.NotRunning, joining.TooManyTeams) as refusal:
        form.form_errors.append(str(refusal.message))
        return form_page(campaign, form, refusal.status)
    return redirect(url_for(".show_team", campaign=campaign, team=team), 303)


def form_page(campaign: str, form: TeamForm, status: int = 200) -> ResponseReturnValue:
    card, _facts, _organisation = queries.find(db.session(), campaign)
    return render_template("campaigns/team_new.html", card=card, form=form, **shared(card.kind)), status, NO_STORE


@bp.post("/campaigns/<campaign>/teams/<team>/closing")
@requires("team.open")
def create_closing(campaign: str, team: str) -> ResponseReturnValue:
    back = url_for(".show_team", campaign=campaign, team=team)
    done = _("Closed. What was given stays.")
    return take_step(joining.close, back, done=done, team=team, person_id=g.person.id)


@bp.get("/campaigns/<campaign>/cards/<token>")
@requires("gift.follow")
def show_card(campaign: str, token: str) -> ResponseReturnValue:
    """For the honoured person: who gave as far as the ledger says it, and nothing of the sum."""
    card = dedicating.find(db.session(), campaign, token)
    return render_template("campaigns/card.html", card=card, **shared(card.kind)), 200, NO_STORE
