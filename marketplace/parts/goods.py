"""Goods are offered and talked about."""

from flask import Flask

from listings import announcing, indexing, letters as listing_letters, partner_facts as facts_of_goods
from listings.complaints.views import (
    operator as operator_complaints,
    public as public_complaints,
    seller as seller_suspensions,
    station as station_complaints,
)
from listings.customer_reviews import moderating
from listings.customer_reviews.views import (
    operator as operator_reviews,
    public as public_reviews,
    seller as seller_reviews,
    station as station_reviews,
)
from listings.following import views as following_views
from listings.questions.views import (
    operator as operator_questions,
    public as public_questions,
    seller as seller_questions,
    station as station_questions,
)
from listings.views import (
    farmers as farmer_views,
    media as media_views,
    operator as operator_views,
    prices as price_views,
    review as review_views,
    seller as seller_views,
    sheets as sheet_views,
)
from marketplace.core import outbox
from marketplace.orders.received import letters as review_letters, views as review_writing
from marketplace.site import seller as seller_home
from marketplace.stations import queues


def install_listings(app: Flask) -> None:
    """Goods: sellers, the station's review, pictures; the index learns what has changed."""
    for views in (seller_views, price_views, sheet_views, review_views, operator_views, media_views, seller_home):
        app.register_blueprint(views.bp)
    app.register_blueprint(following_views.bp)
    for pages in (farmer_views.bp, farmer_views.sellers_bp):
        app.register_blueprint(pages)
    outbox.collectors[announcing.TOPIC] = indexing.collect
    outbox.listeners[facts_of_goods.PUBLISHED] = [facts_of_goods.listing_published]
    outbox.listeners[listing_letters.DECIDED] = [listing_letters.decided]


def install_complaints(app: Flask) -> None:
    """What people point out to the province about goods, and what a seller answers."""
    for views in (public_complaints, station_complaints, operator_complaints, seller_suspensions):
        app.register_blueprint(views.bp)


def install_feedback(app: Flask) -> None:
    """What buyers say of goods that they received, and what they ask before."""
    for reviews in (public_reviews, seller_reviews, station_reviews, operator_reviews, review_writing):
        app.register_blueprint(reviews.bp)
    for questions in (public_questions, seller_questions, station_questions, operator_questions):
        app.register_blueprint(questions.bp)
    queues.others["reviews"] = station_reviews.queue
    queues.others["questions"] = station_questions.queue
    outbox.listeners[moderating.DECIDED] = [review_letters.decided]
