"""/seller/presales: a seller drafts what is sold ahead, hands it in, tells news, and says when the harvest is in."""

from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from crowdfund.presales import delivering, drafting, queries, surveying, telling, updating
from crowdfund.presales.forms import PresaleForm, TierForm, UpdateForm
from crowdfund.presales.models import Presale
from crowdfund.presales.queries import Shown
from crowdfund.presales.states import PresaleState as P
from listings.models import Listing, Variant
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import Refusal, UnfitField
from marketplace.core.formats import in_language
from marketplace.core.forms import SelectChoice

NO_STORE: Final = {"Cache-Control": "no-store"}


bp = Blueprint("seller_presales", __name__, url_prefix="/seller/presales")


@bp.get("")
@requires("presale.keep")
def list_presales() -> ResponseReturnValue:
    return page("presales/seller/index.html", cards=queries.of_seller(db.session(), g.person.id))


@bp.get("/new")
@requires("presale.keep")
def show_new() -> ResponseReturnValue:
    return terms_page(PresaleForm())


@bp.post("")
@requires("presale.keep")
def create_presale() -> ResponseReturnValue:
    form = with_goods(PresaleForm(request.form))
    if not form.validate():
        return terms_page(form, status=422)
    try:
        asked = form.idempotency(f"presale:{g.person.id}")
        given = {"listing": str(form.listing.data), "terms": form.terms, "seller": g.person.id}
        made = in_transaction(idempotency.once, drafting.draft, idempotency=asked, **given)
    except UnfitField as refusal:
        form[refusal.field].errors = [refusal.message]
        return terms_page(form, status=refusal.status)
    except idempotency.KeyReused as refusal:
        flash(refusal.message, "failed")
        return redirect(url_for(".list_presales"), 303)
    return redirect(url_for(".show_presale", presale=made), 303)


@bp.get("/<presale>")
@requires("presale.keep")
def show_presale(presale: str) -> ResponseReturnValue:
    return presale_page(own(presale))


@bp.get("/<presale>/terms")
@requires("presale.keep")
def show_terms(presale: str) -> ResponseReturnValue:
    shown = own(presale)
    row = shown.row
    names = ("title_zh", "title_en", "story_zh", "plan_zh", "yield_kg", "closes_on", "harvest_on", "grace_days")
    data = {name: getattr(row, name) for name in (*names, "start_percent")}
    data |= {"goal": str(row.goal_fen // 100), "area": shown.area, "listing": shown.listing}
    return terms_page(PresaleForm(data=data), shown)


@bp.post("/<presale>/terms")
@requires("presale.keep")
def create_terms(presale: str) -> ResponseReturnValue:
    shown = own(presale)
    form = with_goods(PresaleForm(request.form))
    form.listing.data = shown.listing  # what it is of stays
    if not form.validate():
        return terms_page(form, shown, 422)
    try:
        in_transaction(drafting.rewrite, presale=presale, terms=form.terms, seller=g.person.id)
        flash(_("Saved."), "done")
    except UnfitField as refusal:
        form[refusal.field].errors = [refusal.message]
        return terms_page(form, shown, refusal.status)
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".show_presale", presale=presale), 303)


@bp.post("/<presale>/tiers")
@requires("presale.keep")
def create_tier(presale: str) -> ResponseReturnValue:
    shown = own(presale)
    form = with_packs(TierForm(request.form), shown)
    if not form.validate():
        return presale_page(shown, tier_form=form, status=422)
    try:
        asked = form.idempotency(f"presale_tier:{presale}")
        given = {"presale": presale, "tier": form.tier, "seller": g.person.id}
        in_transaction(idempotency.once, drafting.add_tier, idempotency=asked, **given)
    except UnfitField as refusal:
        form[refusal.field].errors = [refusal.message]
        return presale_page(shown, tier_form=form, status=refusal.status)
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".show_presale", presale=presale), 303)


@bp.post("/<presale>/tiers/<tier>/removal")
@requires("presale.keep")
def create_removal(presale: str, tier: str) -> ResponseReturnValue:
    return done(presale, _("The tier is removed."), drafting.remove_tier, tier=tier)


@bp.post("/<presale>/submission")
@requires("presale.keep")
def create_submission(presale: str) -> ResponseReturnValue:
    return done(presale, _("Handed in. The station looks at it next."), drafting.submit)


@bp.post("/<presale>/harvest")
@requires("presale.keep")
def create_harvest(presale: str) -> ResponseReturnValue:
    return done(presale, _("The station gets the orders now."), delivering.begin)


@bp.post("/<presale>/updates")
@requires("presale.keep")
def create_update(presale: str) -> ResponseReturnValue:
    shown = own(presale)
    form = UpdateForm(request.form)
    if not form.validate():
        return presale_page(shown, update_form=form, status=422)
    asked = form.idempotency(f"presale_update:{presale}")
    given = {"presale": presale, "text": str(form.text.data), "seller": g.person.id}
    try:
        in_transaction(idempotency.once, updating.tell, idempotency=asked, **given)
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".show_presale", presale=presale), 303)


def done(presale: str, words: str, command: object, **given: str) -> ResponseReturnValue:
    """A press that needs nothing entered; a refusal is said on the page."""
    own(presale)
    try:
        in_transaction(command, presale=presale, seller=g.person.id, **given)  # type: ignore[arg-type]
        flash(words, "done")
    except Refusal as refusal:
        flash(refusal.message, "note")
    return redirect(url_for(".show_presale", presale=presale), 303)


def own(presale: str) -> Shown:
    """Raises NotFound for another's."""
    return queries.find(db.session(), presale, Presale.seller_id == g.person.id)


def presale_page(
    shown: Shown, *, tier_form: TierForm | None = None, update_form: UpdateForm | None = None, status: int = 200
) -> ResponseReturnValue:
    told = {
        "shown": shown,
        "card": shown.card,
        "row": shown.row,
        "tier_form": with_packs(tier_form or TierForm(), shown) if shown.row.state is P.DRAFT else None,
        "update_form": (update_form or UpdateForm()) if shown.row.state in updating.SPOKEN_OF else None,
        "unanswered": surveying.unanswered(db.session(), shown.row.id),
        "most_tiers": drafting.MOST_TIERS,
    }
    return page("presales/seller/show.html", status, **told)


def terms_page(form: PresaleForm, shown: Shown | None = None, status: int = 200) -> ResponseReturnValue:
    return page("presales/seller/terms.html", status, form=with_goods(form), shown=shown)


def with_goods(form: PresaleForm) -> PresaleForm:
    wanted = select(Listing.code, Listing.title_zh, Listing.title_en)
    wanted = wanted.where(Listing.seller_id == g.person.id, Listing.state.in_(drafting.SELLS)).order_by(Listing.id)
    found = db.session.execute(wanted.limit(300))
    form.listing.choices = [SelectChoice(row.code, in_language(row.title_zh, row.title_en)) for row in found]
    return form


def with_packs(form: TierForm, shown: Shown) -> TierForm:
    wanted = select(Variant.code, Variant.unit_zh, Variant.unit_en).where(Variant.listing_id == shown.row.listing_id)
    found = db.session.execute(wanted.where(Variant.is_offered).order_by(Variant.position))
    form.variant.choices = [SelectChoice(row.code, in_language(row.unit_zh, row.unit_en)) for row in found]
    return form


def page(template: str, status: int = 200, **shown: object) -> ResponseReturnValue:
    return render_template(template, desk_current="presales", states=telling.STATES, **shown), status, NO_STORE
