"""Presales: harvests for sale before they are in."""

from typing import Final

from flask import Flask

from crowdfund.presales import (
    backing as presale_places,
    disputed as presale_disputes,
    drafting as presale_drafts,
    letters as presale_letters,
    ordering as presale_orders,
    partner_facts as facts_of_presales,
    releasing as presale_escrow,
    returning as presale_returns,
    seller_letters,
    updating as presale_news,
)
from crowdfund.presales.views import public as presale_views
from marketplace.core import late, outbox
from marketplace.core.late import LateView
from marketplace.orders import escrow
from marketplace.payments import elsewhere, outcomes, refunds
from marketplace.payments.disputes import following
from marketplace.payments.operator import tracing, words
from marketplace.stations import queues

VIEWS: Final = "crowdfund.presales.views"


def install_presales(app: Flask) -> None:
    """Paid into escrow, and back by itself, or on into ordinary orders."""
    app.register_blueprint(presale_views.bp)
    late.register(app, VIEWS, "backings", "seller", "station")
    purpose = presale_places.PURPOSE
    outcomes.credited[purpose] = presale_places.account_of
    outcomes.on_succeeded[purpose] = presale_places.receive
    refunds.on_failed[purpose] = presale_disputes.came_back
    following.bearers[purpose] = presale_disputes.bear
    elsewhere.bearers[purpose] = presale_disputes.send_elsewhere
    elsewhere.recorded[purpose] = presale_disputes.keep_what_waits
    following.regained[purpose] = presale_disputes.regain
    escrow.releases[:] = [presale_escrow.release_order]
    tracing.others_of_purposes[purpose] = presale_escrow.booked_under
    escrow.starts[:] = [presale_escrow.start_of]
    outbox.listeners[presale_places.LAPSES] = [presale_places.lapse]  # the gateway is asked first
    outbox.slow.add(presale_places.LAPSES)
    outbox.listeners |= {presale_returns.RETURNS: [presale_returns.return_page]}
    outbox.listeners |= {presale_returns.ONE_RETURNS: [presale_returns.return_one]}
    outbox.listeners |= {presale_orders.ORDERS: [presale_orders.order_page]}
    outbox.listeners |= {topic: [told] for topic, told in presale_letters.LISTENERS.items()}
    outbox.listeners[presale_drafts.MOVED] = [facts_of_presales.presale_moved, seller_letters.moved]
    outbox.listeners[presale_news.TOLD] = [facts_of_presales.presale_told]
    outbox.listeners[presale_orders.ORDERED] = [facts_of_presales.place_ordered]
    outbox.listeners[presale_places.CONFIRMED] += [facts_of_presales.place_confirmed]
    outbox.listeners[presale_returns.TOLD] += [facts_of_presales.place_returned]
    outbox.listeners["refund.succeeded"] += [presale_letters.refunded]
    words.reasons.update(presale_returns.WORDS)
    queues.others["presales"] = LateView(f"{VIEWS}.station", "queue")
