"""The JSON face for programs that give: each route one command or query, for whoever's token came along."""

from flask import Response, g, request
from pydantic import ValidationError

from crowdfund.campaigns.forms import GiftForm
from crowdfund.campaigns.views.gifts import CARDS_A_DAY, FROM_ONE_PLACE
from marketplace.accounts.people import normalised
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.tokens import TokenScope as Scope
from marketplace.api import gifts
from marketplace.api.doors import Unfit, created, known_answer, once, read_body, with_token
from marketplace.api.gift_schemas import NewGift, OwnGiftsQuery
from marketplace.api.sentences import sentence
from marketplace.api.views import answer
from marketplace.core.db import db


@with_token("gift.give", Scope.GIFTS_WRITE)
def create_gift(campaign: str) -> Response:
    """Where the gift was made before under this key nothing is counted again."""
    asked = read_body(NewGift)
    known = known_answer(db.session(), body=asked)
    if known is not None:
        return created(known, is_repeated=True)
    form = gifts.entered(asked)
    count_gift(form)
    giver = gifts.giver_of(form, g.person)
    return once(gifts.make, body=asked, campaign=campaign, fen=asked.fen, giver=giver)


def count_gift(form: GiftForm) -> None:
    """Raises TooMany, also for cards to one address."""
    hit("gift.by", g.person.public_id, limit=FROM_ONE_PLACE, seconds=HOUR)
    if form.card_contact.data:
        hit("gift.card", normalised(str(form.card_contact.data)), limit=CARDS_A_DAY, seconds=24 * HOUR)


@with_token("gift.follow", Scope.READ, Scope.GIFTS_WRITE)
def list_gifts() -> Response:
    try:
        asked = OwnGiftsQuery.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise Unfit(*((f"?{each['loc'][0]}", sentence(each)) for each in error.errors())) from None
    return answer(gifts.page(db.session(), g.person, asked))


@with_token("gift.follow", Scope.READ, Scope.GIFTS_WRITE)
def show_gift(gift: str) -> Response:
    return answer(gifts.show(db.session(), person=g.person, gift=gift))


@with_token("gift.give", Scope.GIFTS_WRITE)
def create_gift_payment(gift: str) -> Response:
    """The gateway is asked between two transactions; asked twice, it goes on with the same attempt."""
    known = known_answer(db.session(), body=None)
    if known is not None:
        return created(known, is_repeated=True)
    url = gifts.lead_to_cashier(person=g.person, gift=gift)
    return once(gifts.payment, body=None, person=g.person, gift=gift, url=url)
