"""The page of one product: trust first, then buy."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import Blueprint, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from listings import alike, product as products, shelves
from listings.alike import Alike
from listings.cards import Card
from listings.customer_reviews import queries as review_queries, words as review_words
from listings.customer_reviews.queries import ShownReview
from listings.following import hearts, queries as following
from listings.product import Pack, Product
from marketplace.accounts.permissions import requires
from marketplace.core import clock, page_cache
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.core.formats import count, in_shanghai, language, month_range, short_date, yuan
from marketplace.core.forms import tidy
from marketplace.core.memory import remembered
from marketplace.core.records import record
from marketplace.core.settings import settings
from marketplace.core.strata import Section
from marketplace.core.timeline import Stop
from marketplace.orders.cases import quality
from marketplace.orders.cases.quality import Quality
from marketplace.orders.estimates import arriving, destinations
from marketplace.orders.estimates.arriving import Estimate
from marketplace.orders.groups import queries as group_queries, reaching
from marketplace.orders.groups.queries import Group, Offered
from marketplace.site import delivery

bp = Blueprint("product", __name__)
MOST_ALIKE: Final = 3


@record
class Cell:
    """One price tier, as ui/price.html shows it."""

    words: str
    from_quantity: int
    price_fen: int
    per: str
    applies: bool


@dataclass(frozen=True, eq=False)  # the same only as itself: what was rendered of it is kept by it
class Page:
    """What the page of a product shows, one of its packs chosen."""

    product: Product
    pack: Pack
    cells: tuple[Cell, ...]
    drawing: Section
    stops: tuple[Stop, ...]
    harvest: str  # "9-11月"
    returns: tuple[str, str]
    neighbours: tuple[Card, ...]
    alike: tuple[Alike, ...]  # of other listings, to compare with
    quality: Quality | None  # of whoever sells it
    group_offers: tuple[Offered, ...]
    open_groups: tuple[Group, ...]
    reviews: tuple[ShownReview, ...]  # the latest

    @property
    def sentence(self) -> str:
        """The drawing in words."""
        return str(_(", ")).join(f"{layer.name} {yuan(layer.amount_fen)}" for layer in self.drawing.layers)


def made_from(page: Page, code: str, _variant: str) -> tuple[str, ...]:
    others = (f"listing:{each.listing}" for each in page.alike)
    return f"listing:{code}", f"station:{page.product.county_code}", reaching.tag_of(code), *others


@bp.get("/listings/<code>")
@requires("shop.browse")
def show(code: str) -> ResponseReturnValue:
    variant = tidy(request.args.get("variant", ""))
    try:
        page = read(db.session(), code, variant)
    except NotFound:
        if not (variant and products.has_had(db.session(), code, variant)):
            raise
        return redirect(f"/listings/{code}")  # a pack that is not offered any more: here are the others
    page_cache.tags(*made_from(page, code, variant))
    category, name = page.product.category
    to = destinations.current(db.session())
    shelf = shelves.shelf_of(category)
    shown = render_template(
        "listings/show.html",
        page=page,
        is_signed_in=g.person is not None,
        hearts=hearts.on(db.session(), g.person, page.neighbours),
        is_kept=g.person is not None and following.is_kept(db.session(), g.person.id, page.pack.code),
        to=to,
        estimate=estimate(db.session(), page.product, page.pack, to.code),
        shelf=shelf.code,
        home=settings().base_url,
        review_words=review_words,
        trail=[(shelf.url, str(shelf.name)), (f"/categories/{category}", name), ("", page.product.title)],
    )
    return destinations.remember(make_response(shown), to)


def estimate(session: Session, product: Product, pack: Pack, province: str) -> Estimate:
    """Of as many of this pack as one must take."""
    return arriving.of_pack(
        session,
        station=product.county_code,
        grams=pack.net_weight_grams * pack.minimum,
        goods_fen=pack.price_fen * pack.minimum,
        free_from_fen=product.free_shipping_from_fen,
        province=province,
    )


@remembered(by=made_from, kilobytes=40)
def read(session: Session, code: str, variant: str) -> Page:
    """Raises NotFound."""
    today = clock.today()
    product = products.get_product(session, code)
    pack = product.pack(variant)
    sent = delivery.to_taiyuan(
        session,
        grams=pack.net_weight_grams,
        goods_fen=pack.price_fen,
        free_from_fen=product.free_shipping_from_fen,
        today=today,
    )
    return Page(
        product=product,
        pack=pack,
        cells=tuple(cells(pack)),
        drawing=delivery.shares(pack.price_fen, product.service_fee_per_mille, sent, product.station.name),
        stops=tuple(stops(product, today)),
        harvest=months(product.harvest_months),
        returns=returns(product.return_policy),
        neighbours=tuple(products.neighbours(session, product)),
        alike=others_alike(session, product, pack),
        quality=quality.of_listing(session, code),
        group_offers=tuple(group_queries.offers_of(session, code)),
        open_groups=tuple(group_queries.open_ones(session, code)),
        reviews=tuple(review_queries.latest(session, product.listing_id)) if product.feedback.has_reviews else (),
    )


def others_alike(session: Session, product: Product, pack: Pack) -> tuple[Alike, ...]:
    """Up to three, so that with this one there are as many as compare side by side."""
    found = alike.cheapest(session, product.category[0], pack.measure, pack.piece)
    return tuple(each for each in found if each.listing != product.code)[:MOST_ALIKE]


def cells(pack: Pack) -> list[Cell]:
    """The tiers with the base price before them; the one for the smallest quantity applies at first."""
    if not pack.tiers:
        return []
    steps = [(pack.minimum, pack.price_fen, pack.per), *((t.from_quantity, t.price_fen, t.per) for t in pack.tiers)]
    return [
        Cell(_("From %(number)s %(packs)s", number=count(start), packs=pack.named(start)), start, price, per, number == 0)
        for number, (start, price, per) in enumerate(steps)
    ]


def stops(product: Product, today: date) -> list[Stop]:
    """Where it comes from: the harvest, the station's look at it, what happens after an order."""
    grower = str(_(", ")).join(part for part in (product.prefecture, product.seller) if part)
    gathered = months(product.harvest_months)
    way = [Stop("done", _("Grown and gathered"), gathered, text=grower, place=product.village)]
    if product.checked:
        found = str(_(", ")).join(product.checked.findings) or _("The station has checked the goods.")
        title = _("Checked at %(station)s", station=product.station.name)
        at = product.checked.at
        way.append(Stop("done", title, short_date(at, language()), found, day=in_shanghai(at).strftime("%Y-%m-%d")))
    way.append(Stop("done", _("You order, it leaves within 24 hours"), text=_("The code on the box leads to this page.")))
    return way


def months(harvest: tuple[int, ...]) -> str:
    """ "9-11月" for months that follow each other, around New Year too; "全年" for all twelve or none said."""
    if len(harvest) in (0, 12):
        return str(_("All year"))
    first = next(month for month in harvest if (month - 2) % 12 + 1 not in harvest)
    last = next(month for month in harvest if month % 12 + 1 not in harvest)
    return month_range(first, last, language())


def returns(policy: str) -> tuple[str, str]:
    """The rule in a sentence, and what holds beside it."""
    rules = {
        "7d_no_reason": (_("Return it within 7 days, no reason needed."), ""),
        "7d_unopened": (_("Return it within 7 days unopened."), _("Opened food cannot be returned unless it is bad.")),
        "fresh_excluded": (
            _("Fresh goods: no 7-day return without a reason."),
            _("Bad fruit? Photo within 48 hours, paid by weight."),
        ),
        "custom_excluded": (_("Made for you: no return without a reason."), _("Faulty goods are replaced or refunded.")),
    }
    return rules[policy]
