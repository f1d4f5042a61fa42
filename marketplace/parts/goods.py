"""Goods are offered and talked about."""

from flask import Flask

from listings import announcing, indexing, letters as listing_letters, partner_facts as facts_of_goods
from listings.customer_reviews import moderating
from listings.customer_reviews.views import public as public_reviews
from listings.following import views as following_views
from listings.questions.views import public as public_questions
from listings.views import farmers as farmer_views, media as media_views, seller as seller_views
from marketplace.core import late, outbox
from marketplace.core.late import LateView
from marketplace.orders.received import letters as review_letters
from marketplace.stations import queues


def install_listings(app: Flask) -> None:
    """Goods: sellers, the station's review, pictures; the index learns what has changed."""
    for views in (seller_views, media_views):
        app.register_blueprint(views.bp)
    late.register(app, "listings.views", "prices", "sheets", "review", "operator", "enrolling")
    late.register(app, "marketplace.site", "seller")
    app.register_blueprint(following_views.bp)
    for pages in (farmer_views.bp, farmer_views.sellers_bp):
        app.register_blueprint(pages)
    outbox.collectors[announcing.TOPIC] = indexing.collect
    outbox.listeners[facts_of_goods.PUBLISHED] = [facts_of_goods.listing_published]
    outbox.listeners[listing_letters.DECIDED] = [listing_letters.decided]


def install_complaints(app: Flask) -> None:
    """What people point out to the province about goods, and what a seller answers."""
    late.register(app, "listings.complaints.views", "public", "station", "operator", "seller")


def install_feedback(app: Flask) -> None:
    """What buyers say of goods that they received, and what they ask before."""
    for pages in (public_reviews, public_questions):
        app.register_blueprint(pages.bp)
    late.register(app, "marketplace.orders.received", "views")
    for name, package in (("reviews", "listings.customer_reviews.views"), ("questions", "listings.questions.views")):
        late.register(app, package, "seller", "station", "operator")
        queues.others[name] = LateView(f"{package}.station", "queue")
    outbox.listeners[moderating.DECIDED] = [review_letters.decided]
