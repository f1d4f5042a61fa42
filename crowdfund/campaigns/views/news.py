"""Updates of a campaign and comments to it: everybody reads them, officers write the ones and read the others first."""

from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.campaigns import desk, queries
from crowdfund.campaigns.giving import Giver
from crowdfund.campaigns.news import queries as news_queries, telling as news
from crowdfund.campaigns.news.forms import MOST_PICTURES, CommentForm, UpdateForm
from crowdfund.campaigns.views.frame import NO_STORE, OFFICER, organisations, page
from crowdfund.campaigns.views.public import shared
from listings import pictures
from listings.picture_sizes import WIDTHS
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency, page_cache
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.forms import tidy
from marketplace.core.steps import take_step

A_DAY: Final = 24 * 3600
LONGEST_REASON: Final = 300

bp = Blueprint("news", __name__)


@bp.get("/campaigns/<campaign>/updates")
@requires("campaign.browse")
def show_updates(campaign: str) -> ResponseReturnValue:
    page_cache.tags("stations", f"campaign:{campaign}")
    session = db.session()
    card, _facts, organisation = queries.find(session, campaign)
    told = {"card": card, "organisation": organisation, "updates": news_queries.updates(session, campaign)}
    comments = news_queries.comments(session, campaign)
    return render_template("campaigns/updates.html", **told, comments=comments, **shared(card.kind))


@bp.get("/campaigns/<campaign>/updates/pictures/<picture>-<width>.webp")
@requires("campaign.browse")
def show_picture(campaign: str, picture: str, width: str) -> ResponseReturnValue:
    if width not in {str(known) for known in WIDTHS}:
        raise NotFound(width)
    path = news_queries.picture_file(db.session(), campaign, picture, int(width))
    try:
        answer = Response(path.read_bytes(), mimetype="image/webp")
    except FileNotFoundError as error:
        raise NotFound(picture) from error
    answer.set_etag(f"{picture}-{width}")
    answer.cache_control.public, answer.cache_control.max_age = True, A_DAY
    return answer.make_conditional(request)


@bp.get("/campaigns/<campaign>/comments/new")
@requires("comment.write")
def show_comment(campaign: str) -> ResponseReturnValue:
    return comment_page(campaign, CommentForm())


@bp.post("/campaigns/<campaign>/comments")
@requires("comment.write")
def create_comment(campaign: str) -> ResponseReturnValue:
    form = CommentForm(request.form)
    if not form.validate():
        return comment_page(campaign, form, 422)
    shown_as = Giver(name=g.person.name, anonymity=str(form.anonymity.data)).shown_as
    told = {"campaign": campaign, "person_id": g.person.id, "shown_as": shown_as, "words": str(form.words.data)}
    key = form.idempotency(f"comment:{campaign}:{g.person.id}")
    try:
        in_transaction(idempotency.once, news.say, idempotency=key, **told)
    except (news.TooManyComments, idempotency.KeyReused) as refusal:
        form.form_errors.append(str(refusal.message))
        return comment_page(campaign, form, refusal.status)
    flash(_("Thank you. It appears once an officer has read it."), "done")
    return redirect(url_for(".show_updates", campaign=campaign), 303)


def comment_page(campaign: str, form: CommentForm, status: int = 200) -> ResponseReturnValue:
    card, _facts, _organisation = queries.find(db.session(), campaign)
    return render_template("campaigns/comment_new.html", card=card, form=form, **shared(card.kind)), status, NO_STORE


@bp.get("/charity/campaigns/<campaign>/updates/new")
@requires("campaign.draft")
def show_update(campaign: str) -> ResponseReturnValue:
    return update_page(campaign, UpdateForm())


@bp.post("/charity/campaigns/<campaign>/updates")
@requires("campaign.draft")
def create_update(campaign: str) -> ResponseReturnValue:
    """Pictures that came are kept, whatever else is wrong with the form."""
    desk.get(db.session(), campaign, organisations(OFFICER))
    db.session.rollback()
    form = UpdateForm(request.form)
    wrong = take_pictures(form)
    if not form.validate() or wrong:
        return update_page(campaign, form, 422, wrong)
    told: dict[str, Any] = {"campaign": campaign, "organisations": organisations(OFFICER), "author": g.person.id}
    told |= {"words": (str(form.title.data), str(form.words.data)), "pictures": form.pictures}
    key = form.idempotency(f"update:{campaign}:{g.person.id}")
    try:
        in_transaction(idempotency.once, news.tell, idempotency=key, **told)
    except (news.NotPublic, idempotency.KeyReused) as refusal:
        form.form_errors.append(str(refusal.message))
        return update_page(campaign, form, refusal.status)
    return redirect(url_for(".show_updates", campaign=campaign), 303)


def take_pictures(form: UpdateForm) -> tuple[str, ...]:
    """Re-encode what was sent, in a process of its own; what is wrong with it."""
    made: list[dict[str, Any]] = []
    wrong: tuple[str, ...] = ()
    sent_ones = [sent for sent in request.files.getlist("pictures") if sent.filename]
    room = MOST_PICTURES - len(form.pictures)
    if len(sent_ones) > room:
        wrong = (_("At most %(num)s pictures fit into one update. Those that came first are kept.", num=MOST_PICTURES),)
    for sent in sent_ones[:room]:
        raw = sent.read()
        try:
            made += [pictures.reencode(raw)] if raw else []
        except pictures.UnusablePicture as refusal:
            wrong = (*wrong, str(refusal.message))
    form.keep(made)
    return wrong


def update_page(campaign: str, form: UpdateForm, status: int = 200, wrong: tuple[str, ...] = ()) -> ResponseReturnValue:
    row, _organisation = desk.get(db.session(), campaign, organisations(OFFICER))
    told = {"row": row, "form": form, "wrong": wrong, "most": MOST_PICTURES}
    return page("charity/update_new.html", "campaigns", status=status, **told)


@bp.post("/charity/campaigns/<campaign>/updates/pictures/<picture>/removal")
@requires("campaign.keep")
def create_removal(campaign: str, picture: str) -> ResponseReturnValue:
    """Whoever of the organisation sees first that it should not be shown takes it back."""
    back = f"{url_for('charity.show_campaign', campaign=campaign)}#pictures"
    reason = str(tidy(request.form.get("reason", "")))[:LONGEST_REASON]
    told: dict[str, Any] = {"organisations": organisations(), "person_id": g.person.id, "reason": reason}
    return take_step(news.take_back, back, picture=picture, **told)


@bp.post("/charity/comments/<comment>/<decision>")
@requires("campaign.keep")
def create_decision(comment: str, decision: str) -> ResponseReturnValue:
    if decision not in {"shown", "kept-back"}:
        raise NotFound(decision)
    told: dict[str, Any] = {"comment": comment, "organisations": organisations(), "is_shown": decision == "shown"}
    in_transaction(news.decide, **told, person_id=g.person.id)
    return redirect(url_for("charity.show_desk"), 303)
