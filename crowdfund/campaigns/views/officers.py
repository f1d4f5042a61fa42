"""/charity: the desk of an organisation's officers. One makes a campaign, another reviews it; reasons are kept."""

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.campaigns import desk, drafting, going_back, lifecycle, moderation, telling
from crowdfund.campaigns.campaign_forms import CampaignForm, FilingForm, ReasonForm
from crowdfund.campaigns.criteria.publishing import limits_of
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.news import queries as news_queries
from crowdfund.campaigns.requirements import NotReady
from crowdfund.campaigns.states import CampaignState as C
from crowdfund.campaigns.teams import joining, queries as team_queries
from crowdfund.campaigns.views.frame import APPROVER, OFFICER, organisations, page
from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, Refusal, StaleState
from marketplace.payments.gateways import current_book

STEPS: Final[dict[str, tuple[Callable[..., None], str, bool]]] = {  # address -> command, whose, whether a reason is kept
    "submission": (lifecycle.submit, OFFICER, False),
    "approval": (lifecycle.approve, APPROVER, True),
    "objection": (lifecycle.ask_for_work, APPROVER, True),
    "opening": (lifecycle.open_to_all, OFFICER, False),
    "pause": (lifecycle.pause, OFFICER, True),
    "resumption": (lifecycle.resume, OFFICER, False),
    "ending": (lifecycle.end, OFFICER, True),
    "cancellation": (lifecycle.cancel, OFFICER, True),
    "closing": (lifecycle.close, APPROVER, True),
}
POSSIBLE: Final = {
    C.DRAFT: ("submission",),
    C.NEEDS_WORK: ("submission",),
    C.SUBMITTED: ("approval", "objection"),
    C.APPROVED: ("opening",),
    C.LIVE: ("pause", "ending", "cancellation"),
    C.PAUSED: ("resumption", "cancellation"),
    C.REPORTED: ("closing",),
}

bp = Blueprint("charity", __name__, url_prefix="/charity")


@bp.get("")
@requires("campaign.keep")
def show_desk() -> ResponseReturnValue:
    session = db.session()
    theirs = organisations()
    told: dict[str, Any] = {"messages": moderation.waiting(session, theirs), "teams": team_queries.waiting(session, theirs)}
    told["comments"] = news_queries.waiting(session, theirs)
    told |= {"campaigns": desk.campaigns(session, theirs), "may_begin": bool(organisations(OFFICER))}
    return page("charity/home.html", "campaigns", **told)


@bp.get("/campaigns/new")
@requires("campaign.draft")
def show_draft() -> ResponseReturnValue:
    return form_page(CampaignForm(data={"starts_on": clock.today()}).of(offered()), None)


@bp.post("/campaigns")
@requires("campaign.draft")
def create_campaign() -> ResponseReturnValue:
    form = CampaignForm(request.form).with_stations(desk.stations(db.session())).of(offered())
    if not form.validate():
        return form_page(form, None, 422)
    made = in_transaction(
        idempotency.once,
        drafting.create,
        idempotency=form.idempotency(f"campaign:{g.person.id}"),
        organisation=form.organisation.data if form.organisation else organisations(OFFICER)[0],
        owner=g.person.id,
        facts=form.facts,
        budget=form.budget_lines,
    )
    return redirect(url_for(".show_campaign", campaign=made), 303)


@bp.get("/campaigns/<campaign>/text")
@requires("campaign.draft")
def show_text(campaign: str) -> ResponseReturnValue:
    row, _organisation = desk.get(db.session(), campaign, organisations(OFFICER))
    lines = drafting.budget_of(db.session(), row.id)
    shown = {
        "goal": plain(row.goal_fen),
        "unit": plain(row.unit_fen) if row.unit_fen else "",
        "budget": "\n".join(f"{line.name_zh} {plain(line.fen)}" for line in lines),
        "milestones": "\n".join(row.milestones_zh),
    }
    return form_page(CampaignForm(obj=row, data=shown).of([]), row)


@bp.post("/campaigns/<campaign>/text")
@requires("campaign.draft")
def create_text(campaign: str) -> ResponseReturnValue:
    row, _organisation = desk.get(db.session(), campaign, organisations(OFFICER))
    form = CampaignForm(request.form).with_stations(desk.stations(db.session())).of([])
    if not form.validate():
        return form_page(form, row, 422)
    changes = {"campaign": campaign, "person": g.person.id, "facts": form.facts, "budget": form.budget_lines}
    try:
        in_transaction(drafting.change, **changes)
    except drafting.Locked as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_campaign", campaign=campaign), 303)


@bp.get("/campaigns/<campaign>")
@requires("campaign.keep")
def show_campaign(campaign: str) -> ResponseReturnValue:
    return campaign_page(campaign, FilingForm(), ReasonForm())


@bp.post("/campaigns/<campaign>/filing")
@requires("campaign.draft")
def create_filing(campaign: str) -> ResponseReturnValue:
    desk.get(db.session(), campaign, organisations(OFFICER))
    form = FilingForm(request.form)
    if not form.validate():
        return campaign_page(campaign, form, ReasonForm(), status=422)
    filed: dict[str, Any] = {"number": str(form.number.data), "filed_on": form.filed_on.data}
    try:
        in_transaction(drafting.file, campaign=campaign, person=g.person.id, **filed)
    except drafting.Locked as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_campaign", campaign=campaign), 303)


@bp.post("/campaigns/<campaign>/<step>")
@requires("campaign.keep")
def create_step(campaign: str, step: str) -> ResponseReturnValue:
    """A step sent twice is taken once; what is missing is named by its field, and what was typed stays."""
    if step not in STEPS:
        raise NotFound(step)
    command, role, has_reason = STEPS[step]
    desk.get(db.session(), campaign, organisations(role))
    form = ReasonForm(request.form)
    if not form.validate():
        return campaign_page(campaign, FilingForm(), form, status=422)
    told = {"campaign": campaign, "person": g.person.id} | ({"why": str(form.why.data or "")} if has_reason else {})
    try:
        in_transaction(command, **told)
    except NotReady as refusal:
        return campaign_page(campaign, FilingForm(), form, status=refusal.status, missing=refusal.missing)
    except (StaleState, IllegalTransition):
        flash(_("This step was already taken or is no longer possible. Here is the current state."), "note")
    except lifecycle.NoReason as refusal:
        form.why.errors = [refusal.message]
        return campaign_page(campaign, FilingForm(), form, status=refusal.status)
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_campaign", campaign=campaign), 303)


@bp.post("/messages/<gift>/<decision>")
@requires("campaign.keep")
def create_decision(gift: str, decision: str) -> ResponseReturnValue:
    if decision not in {"shown", "kept-back"}:
        raise NotFound(decision)
    decided = {"gift": gift, "organisations": organisations(), "is_shown": decision == "shown", "person": g.person.id}
    in_transaction(moderation.decide, **decided)
    return redirect(url_for(".show_desk"), 303)


@bp.post("/teams/<team>/<decision>")
@requires("campaign.keep")
def create_team_decision(team: str, decision: str) -> ResponseReturnValue:
    if decision not in {"shown", "kept-back", "hidden"}:
        raise NotFound(decision)
    in_transaction(joining.decide, team=team, organisations=organisations(), decision=decision, person_id=g.person.id)
    return redirect(url_for(".show_desk"), 303)


def campaign_page(
    campaign: str, filing: FilingForm, reason: ReasonForm, status: int = 200, **more: Any
) -> ResponseReturnValue:
    session = db.session()
    row, organisation = desk.get(session, campaign, organisations())
    people = desk.names(session, [row.owner_id, row.reviewer_id])
    theirs = {step for step in POSSIBLE.get(row.state, ()) if row.organisation_code in organisations(STEPS[step][1])}
    is_own = row.owner_id == g.person.id or lifecycle.has_written(session, campaign, g.person.id)
    if is_own:
        theirs -= {"approval", "objection"}
    is_officer = row.organisation_code in organisations(OFFICER)
    return page(
        "charity/campaign.html",
        "campaigns",
        status=status,
        row=row,
        organisation=organisation,
        budget=drafting.budget_of(session, row.id),
        owner=people.get(row.owner_id, ""),
        reviewer=people.get(row.reviewer_id or 0, ""),
        is_own=is_own,
        steps=theirs,
        may_tell=is_officer,
        pictures=news_queries.shown_pictures(session, campaign),
        may_change=is_officer and row.state in drafting.OPEN_TO_CHANGE,
        may_file=is_officer and row.state in drafting.OPEN_TO_FILING,
        limits=limits_of(session, row.id),
        back=going_back.of(session, row.id, book=current_book()) if row.state is C.CANCELLED else None,
        filing=filing,
        reason=reason,
        missing=more.get("missing", {}),
        traces=desk.traces(session, campaign),
        channel_words=telling.CHANNELS,
        past_goal_words=telling.PAST_GOAL,
        deed_words=telling.DEEDS,
    )


def offered() -> list[tuple[str, str]]:
    """The organisations that the visitor may draft for, by name."""
    return desk.named(db.session(), organisations(OFFICER))


def form_page(form: CampaignForm, row: Campaign | None, status: int = 200) -> ResponseReturnValue:
    form.with_stations(desk.stations(db.session()))
    return page("charity/text.html", "campaigns", status=status, form=form, row=row)


def plain(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
