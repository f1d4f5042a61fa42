"""Further packs of a listing and the papers it names: added, changed, put in order, no longer offered."""

from typing import Any, Final

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from listings import certificates, editing, offering, own, packs, pictures, revising
from listings.forms import CertificateForm, NewPackForm, PackForm, TermsForm, grams_of
from listings.models import Listing, Variant
from listings.states import REVISED
from listings.stock import OutOfStock
from listings.views.frame import get_own, is_at_desk, page, whose
from listings.views.sending import made_of, sent
from listings.views.steps import edit_of, kept_words, open_pages
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal

TAKE_PICTURES: Final = frozenset({"create_certificate"})


def add_to(bp: Blueprint, action: str) -> None:
    """Open these pages under a blueprint, to whoever may do `action`."""
    rules = {
        "/<code>/packs": (show_packs, create_pack),
        "/<code>/packs/new": (show_new_pack,),
        "/<code>/packs/<pack>": (show_pack, create_pack_change),
        "/<code>/packs/<pack>/<any(offer, end, place, removal):step>": (create_pack_step,),
        "/<code>/new-packs/<name>/removal": (create_new_pack_removal,),
        "/<code>/certificates": (show_certificates, create_certificate),
        "/<code>/certificates/<name>/removal": (create_certificate_removal,),
    }
    open_pages(bp, action, rules)


def show_packs(code: str) -> ResponseReturnValue:
    return packs_page(get_own(code))


def packs_page(listing: Listing, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    there = packs.of_listing(session, listing.id)
    shown: dict[str, Any] = {"packs": there, "edit": edit_of(listing), "most": packs.MOST}
    new = revising.proposed(session, listing)["new_packs"]
    shown |= {"new_packs": [(editing.name_of(each), revising.pack_of(each)) for each in new]}
    return page("seller/packs.html", status, listing=listing, **shown)


def show_new_pack(code: str) -> ResponseReturnValue:
    return new_pack_page(get_own(code), NewPackForm())


def new_pack_page(listing: Listing, form: NewPackForm, status: int = 200) -> ResponseReturnValue:
    around = own.neighbours_prices(db.session(), listing.category_code)
    return page("seller/pack.html", status, listing=listing, form=form, variant=None, around=around, edit=edit_of(listing))


def create_pack(code: str) -> ResponseReturnValue:
    listing, form = get_own(code), NewPackForm(request.form)
    if not form.validate():
        return new_pack_page(listing, form, 422)
    once = form.idempotency(f"person:{g.person.id}:pack:{code}")
    try:
        in_transaction(idempotency.once, editing.add_pack, idempotency=once, **whose(listing), pack=form.pack)
    except packs.TooManyPacks as refusal:
        form.form_errors.append(refusal.message)
        return new_pack_page(listing, form, refusal.status)
    if listing.state in REVISED:
        flash(kept_words(listing), "done")
    return redirect(url_for(".show_packs", code=code), 303)


def show_pack(code: str, pack: str) -> ResponseReturnValue:
    listing = get_own(code)
    variant = packs.get(db.session(), listing, pack)
    return pack_page(listing, variant, filled(listing, variant))


def filled(listing: Listing, variant: Variant) -> TermsForm:
    """Of what is for sale only what changes at once: neither what is in a pack nor, where others count too, its stock."""
    form = TermsForm() if listing.state in REVISED else PackForm()
    if isinstance(form, PackForm):
        form.unit.data, form.stock.data = variant.unit_zh, variant.on_hand
        form.weight.data = variant.net_weight_grams if grams_of(variant.unit_zh) is None else None
    tiers = [(tier.from_quantity, tier.price_fen) for tier in packs.tiers_of(db.session(), variant.id)]
    form.show_terms(variant.price_fen, variant.minimum_quantity, tiers)
    return form


def pack_page(listing: Listing, variant: Variant, form: TermsForm, status: int = 200) -> ResponseReturnValue:
    around = own.neighbours_prices(db.session(), listing.category_code)
    return page("seller/pack.html", status, listing=listing, form=form, variant=variant, around=around, edit=None)


def create_pack_change(code: str, pack: str) -> ResponseReturnValue:
    listing = get_own(code)
    variant = packs.get(db.session(), listing, pack)
    if listing.state in REVISED:
        return create_terms(listing, variant)
    form = PackForm(request.form)
    if not form.validate():
        return pack_page(listing, variant, form, 422)
    try:
        in_transaction(editing.change_pack, **whose(listing), pack=pack, entered=form.pack)
    except OutOfStock:
        form.stock.errors = [_("Some of these are in orders already, so there cannot be fewer.")]
        return pack_page(listing, variant, form, 422)
    return redirect(url_for(".show_packs", code=code), 303)


def create_terms(listing: Listing, variant: Variant) -> ResponseReturnValue:
    if is_at_desk():
        raise offering.OnlyTheFarmer(variant.code)
    form = TermsForm(request.form)
    if not form.validate():
        return pack_page(listing, variant, form, 422)
    terms: dict[str, Any] = {"price_fen": form.price.fen, "minimum_quantity": form.minimum.data or 1, "tiers": form.tiers}
    in_transaction(offering.change_terms, **whose(listing), pack=variant.code, **terms)
    flash(_("Saved. Buyers see it at once."), "done")
    return redirect(url_for(".show_packs", code=listing.code), 303)


def create_pack_step(code: str, pack: str, step: str) -> ResponseReturnValue:
    listing = get_own(code)
    given = whose(listing) | {"pack": pack}
    try:
        if step == "place":
            in_transaction(offering.move_pack, **given)
        elif step == "removal":
            in_transaction(editing.remove_pack, **given)
        else:
            in_transaction(offering.offer_pack, **given, is_offered=step == "offer")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.message, "failed")
    return redirect(url_for(".show_packs", code=code), 303)


def create_new_pack_removal(code: str, name: str) -> ResponseReturnValue:
    in_transaction(editing.remove_new_pack, **whose(get_own(code)), name=name)
    return redirect(url_for(".show_packs", code=code), 303)


def show_certificates(code: str) -> ResponseReturnValue:
    return certificates_page(get_own(code), CertificateForm())


def certificates_page(
    listing: Listing, form: CertificateForm, status: int = 200, wrong: tuple[Any, ...] = ()
) -> ResponseReturnValue:
    """`wrong`: with the picture that came along."""
    session = db.session()
    there = certificates.of_listing(session, listing.id)
    status_of = {editing.name_of(certificates.content(row)): row.status for row in there}
    names = [(editing.name_of(each), each) for each in revising.proposed(session, listing)["certificates"]]
    named = [(name, each, status_of.get(name, "")) for name, each in names]
    shown: dict[str, Any] = {"named": named, "kinds": certificates.KINDS, "most": certificates.MOST, "wrong": wrong}
    return page("seller/certificates.html", status, listing=listing, form=form, edit=edit_of(listing), **shown)


def create_certificate(code: str) -> ResponseReturnValue:
    listing, form = get_own(code), CertificateForm(request.form)
    if not form.validate():
        return certificates_page(listing, form, 422)
    files = sent("picture")
    try:
        made = made_of(files[0]) if files else None
        given = {"kind": form.kind.data, "name": form.name.data, "number": form.number.data, "made": made}
        once = form.idempotency(f"person:{g.person.id}:certificate:{code}")
        in_transaction(idempotency.once, editing.add_certificate, idempotency=once, **whose(listing), **given)
    except pictures.UnusablePicture as refusal:
        return certificates_page(listing, form, refusal.status, (refusal.message,))
    except certificates.TooManyCertificates as refusal:
        form.form_errors.append(refusal.message)
        return certificates_page(listing, form, refusal.status)
    return redirect(url_for(".show_certificates", code=code), 303)


def create_certificate_removal(code: str, name: str) -> ResponseReturnValue:
    in_transaction(editing.remove_certificate, **whose(get_own(code)), name=name)
    return redirect(url_for(".show_certificates", code=code), 303)
