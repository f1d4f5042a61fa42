"""The JSON face for programs that buy ahead of a harvest: each route one command or query, for whoever's token came."""

from flask import Response, g, request
from pydantic import ValidationError

from crowdfund.presales.views.backings import FROM_ONE_PLACE
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.tokens import TokenScope as Scope
from marketplace.api import places
from marketplace.api.doors import Unfit, created, known_answer, once, read_body, with_token
from marketplace.api.place_schemas import NewPlace, PlaceAddress, PlacesQuery
from marketplace.api.sentences import sentence
from marketplace.api.views import answer
from marketplace.core.db import db


@with_token("presale.back", Scope.ORDERS_WRITE)
def create_place(presale: str) -> Response:
    """Where the place was taken before under this key nothing is counted again."""
    asked = read_body(NewPlace)
    known = known_answer(db.session(), body=asked)
    if known is not None:
        return created(known, is_repeated=True)
    backer = places.backer_of(asked, g.person)
    hit("presale.by", g.person.public_id, limit=FROM_ONE_PLACE, seconds=HOUR)
    given = {"presale": presale, "tier": asked.tier, "fen": asked.fen, "backer": backer}
    return once(places.make, body=asked, person=g.person, **given)


@with_token("presale.list", Scope.READ, Scope.ORDERS_WRITE)
def list_places() -> Response:
    try:
        asked = PlacesQuery.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise Unfit(*((f"?{each['loc'][0]}", sentence(each)) for each in error.errors())) from None
    return answer(places.page(db.session(), g.person, asked))


@with_token("presale.follow", Scope.READ, Scope.ORDERS_WRITE)
def show_place(backing: str) -> Response:
    return answer(places.show(db.session(), person=g.person, place=backing))


@with_token("presale.back", Scope.ORDERS_WRITE)
def create_place_payment(backing: str) -> Response:
    """The gateway is asked between two transactions; asked twice, it goes on with the same attempt."""
    known = known_answer(db.session(), body=None)
    if known is not None:
        return created(known, is_repeated=True)
    url = places.lead_to_cashier(person=g.person, place=backing)
    return once(places.payment, body=None, person=g.person, place=backing, url=url)


@with_token("presale.follow", Scope.ORDERS_WRITE)
def create_place_address(backing: str) -> Response:
    asked = read_body(PlaceAddress)
    known = known_answer(db.session(), body=asked)
    if known is not None:
        return created(known, is_repeated=True)
    recipient, variant = places.where_to(db.session(), person=g.person, place=backing, asked=asked)
    return once(places.say, body=asked, person=g.person, place=backing, recipient=recipient, variant=variant)


@with_token("presale.follow", Scope.ORDERS_WRITE)
def create_place_end(backing: str) -> Response:
    return once(places.leave, body=None, person=g.person, place=backing)
