"""/listings/<code>/reviews: what people said who received the goods, and the pictures that the station has seen."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from listings.customer_reviews import queries, words
from listings.customer_reviews.views import pictures
from marketplace.accounts.permissions import requires
from marketplace.core import page_cache
from marketplace.core.db import db
from marketplace.core.forms import tidy

bp = Blueprint("customer_reviews", __name__)


@bp.get("/listings/<code>/reviews")
@requires("shop.browse")
def list_reviews(code: str) -> ResponseReturnValue:
    listing = queries.get_reviewed(db.session(), code)
    page_cache.tags(f"listing:{code}")
    found = queries.page(db.session(), listing.id, tidy(request.args.get("before", "")))
    return render_template("customer_reviews/list.html", listing=listing, found=found, words=words)


@bp.get("/reviews/<review>/pictures/<picture>-<width>.webp")
@requires("media.show")
def show_picture(review: str, picture: str, width: str) -> ResponseReturnValue:
    return pictures.answer(queries.public_picture(db.session(), review, picture), width, is_public=True)
