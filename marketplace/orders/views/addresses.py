"""/account/addresses: where a person has parcels sent. Here, since the provinces are those that parcels can go to."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts import addresses
from marketplace.accounts.permissions import requires
from marketplace.core.db import db, in_transaction
from marketplace.orders import shipping
from marketplace.orders.forms import RecipientForm
from marketplace.orders.views.checkout import HOME_PROVINCE, with_choices

bp = Blueprint("addresses", __name__, url_prefix="/account/addresses")
FIELDS = ("recipient", "phone", "province", "city", "street")


@bp.get("")
@requires("account.keep")
def show_addresses() -> ResponseReturnValue:
    known = addresses.of_person(db.session(), g.person.id)
    names = {code: (chinese, english) for code, chinese, english in shipping.provinces(db.session())}
    return render_template("orders/addresses.html", addresses=known, province_names=names, most=addresses.KEPT)


@bp.get("/new")
@requires("account.keep")
def show_new() -> ResponseReturnValue:
    return address_page(RecipientForm(data={"province": HOME_PROVINCE, "recipient": g.person.name}))


@bp.post("/new")
@requires("account.keep")
def create_address() -> ResponseReturnValue:
    form = with_choices(RecipientForm(request.form))
    if not form.validate():
        return address_page(form), 422
    in_transaction(addresses.remember, person_id=g.person.id, **entered(form))
    return saved()


@bp.get("/<address>")
@requires("account.keep")
def show_address(address: str) -> ResponseReturnValue:
    row = addresses.get(db.session(), person_id=g.person.id, address=address)
    return address_page(RecipientForm(data={name: getattr(row, name) for name in FIELDS}), address)


@bp.post("/<address>")
@requires("account.keep")
def create_change(address: str) -> ResponseReturnValue:
    addresses.get(db.session(), person_id=g.person.id, address=address)
    form = with_choices(RecipientForm(request.form))
    if not form.validate():
        return address_page(form, address), 422
    in_transaction(addresses.change, person_id=g.person.id, address=address, **entered(form))
    return saved()


@bp.post("/<address>/removal")
@requires("account.keep")
def create_removal(address: str) -> ResponseReturnValue:
    in_transaction(addresses.remove, person_id=g.person.id, address=address)
    flash(_("The address is removed."), "done")
    return redirect(url_for(".show_addresses"), 303)


def entered(form: RecipientForm) -> dict[str, str]:
    return {name: str(form[name].data) for name in FIELDS}


def address_page(form: RecipientForm, address: str = "") -> str:
    return render_template("orders/address.html", form=with_choices(form), address=address)


def saved() -> ResponseReturnValue:
    flash(_("Address saved."), "done")
    return redirect(url_for(".show_addresses"), 303)
