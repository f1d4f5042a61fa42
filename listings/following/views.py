"""/account/favourites: packs a person keeps in mind and what they are told of them. /favourites/<token>: no more of that."""

from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, session as cookie, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext as _

from listings.following import goods, keeping, queries, telling
from listings.following.forms import AlertsForm, FavouriteForm
from listings.following.queries import Kept
from marketplace.accounts import resuming
from marketplace.accounts.permissions import requires
from marketplace.accounts.views_codes import private
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.forms import tidy

REMOVED: Final = "favourite_removed"
AS_BEFORE: Final = "favourite_before"  # how it was kept, until it is brought back or another one is removed

bp = Blueprint("following", __name__)


@bp.get("/account/favourites")
@requires("favourite.keep")
def show_favourites() -> ResponseReturnValue:
    removed = cookie.pop(REMOVED, None)  # offered once: a page that is loaded again says it no more
    favourites = queries.of_person(db.session(), g.person.id)
    return private(render_template("following/favourites.html", favourites=favourites, removed=removed))


@bp.get("/account/favourites/new")
@requires("favourite.keep")
def show_new_favourite() -> ResponseReturnValue:
    """Where the link of a page for strangers leads, once they have signed in: reading writes nothing, so it asks."""
    variant = tidy(request.args.get("variant", ""))
    good = goods.find(db.session(), [variant]).get(variant)
    if good is None or not good.is_for_sale:
        raise NotFound(variant)
    if queries.is_kept(db.session(), g.person.id, variant):
        return redirect(f"/listings/{good.listing}?variant={variant}")
    return private(render_template("following/new.html", good=good))


@bp.post("/account/favourites")
@requires("favourite.keep")
def create_favourite() -> ResponseReturnValue:
    """Back to where it was pressed, signed in meanwhile."""
    form = FavouriteForm(request.form)
    if not form.validate():
        raise NotFound("variant")
    variant = str(form.variant.data)
    try:
        is_new = in_transaction(keeping.save, person_id=g.person.id, variant=variant, as_before=before(variant))
    except keeping.TooManyFavourites as refusal:
        flash(refusal.message, "failed")
    else:
        flash(_("Saved to your favourites.") if is_new else _("It is among your favourites already."), "done")
    here = resuming.path_of_ours(form.here.data or "", "")
    return redirect(f"{here}#{variant}" if here else back_to(variant), 303)


def before(variant: str) -> dict[str, Any] | None:
    """How it was kept before it was removed, where this brings it back."""
    kept = cookie.get(AS_BEFORE, {}) if request.form.get("from") == "list" else {}
    if kept.get("person") != g.person.id or kept.get("variant") != variant:
        return None
    return {**kept["chosen"], "saved_at": datetime.fromisoformat(kept["chosen"]["saved_at"])}


def back_to(variant: str) -> str:
    """The product's page, or the list, where it can be brought back."""
    if request.form.get("from") == "list":
        return url_for(".show_favourites", _anchor=variant)
    good = goods.find(db.session(), [variant])[variant]
    return f"/listings/{good.listing}?variant={variant}"


@bp.post("/account/favourites/<variant>/removal")
@requires("favourite.keep")
def create_removal(variant: str) -> ResponseReturnValue:
    """Forget it; the strip that says so can bring it back."""
    chosen = in_transaction(keeping.remove, person_id=g.person.id, variant=variant)
    if chosen is not None:
        cookie[REMOVED] = variant
        kept = {**chosen, "saved_at": chosen["saved_at"].isoformat()}
        cookie[AS_BEFORE] = {"person": g.person.id, "variant": variant, "chosen": kept}
    return redirect(url_for(".show_favourites"), 303)


@bp.get("/account/favourites/<variant>")
@requires("favourite.keep")
def show_alerts(variant: str) -> ResponseReturnValue:
    kept = queries.get(db.session(), g.person.id, variant)
    form = AlertsForm(data={"tells_price": kept.tells_price, "tells_return": kept.tells_return})
    form.wish.show(kept.wish_fen)
    return alerts_page(form, kept)


@bp.post("/account/favourites/<variant>")
@requires("favourite.keep")
def create_alerts(variant: str) -> ResponseReturnValue:
    form, kept = AlertsForm(request.form), queries.get(db.session(), g.person.id, variant)
    if not form.validate():
        return alerts_page(form, kept, 422)
    is_typed_now = form.wish.fen is not None and form.wish.fen != kept.wish_fen  # whoever types a price wants to hear of it
    tells_price = bool(form.tells_price.data) or is_typed_now
    wanted: dict[str, Any] = {"tells_price": tells_price, "tells_return": bool(form.tells_return.data)}
    wanted |= {"wish_fen": form.wish.fen, "language": str(get_locale())}
    try:
        in_transaction(keeping.choose_alerts, person_id=g.person.id, variant=variant, **wanted)
    except keeping.AlreadyThatCheap as refusal:
        form.wish.errors = [str(refusal.message)]
        return alerts_page(form, kept, refusal.status)
    flash(_("Saved."), "done")
    return redirect(url_for(".show_favourites", _anchor=variant), 303)


@bp.get("/favourites/<token>")
@requires("favourite.silence")
def show_silence(token: str) -> ResponseReturnValue:
    """One press away; reading it changes nothing, since machines follow links in letters too."""
    named = queries.get_named(db.session(), telling.named_by(token))
    speaks = named is not None and (named[0].tells_price or named[0].tells_return)
    return private(render_template("following/silence.html", good=named[1] if named else None, is_silent=not speaks))


@bp.post("/favourites/<token>")
@requires("favourite.silence")
def create_silence(token: str) -> ResponseReturnValue:
    favourite = telling.named_by(token)
    command = keeping.silence_all if request.form.get("which") == "all" else keeping.silence
    with suppress(NotFound):  # it was removed meanwhile, and its messages with it
        in_transaction(command, favourite=favourite)
    flash(_("You get no more messages about it."), "done")
    return redirect(url_for(".show_silence", token=token), 303)


def alerts_page(form: AlertsForm, kept: Kept, status: int = 200) -> ResponseReturnValue:
    return private(render_template("following/alerts.html", form=form, favourite=kept), status)
