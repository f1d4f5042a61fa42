"""Goods are bought, brought, sent and settled: orders, and all that stands on them."""

from typing import Final

from flask import Flask

from marketplace.accounts import sign_in, visitors
from marketplace.core import late, outbox
from marketplace.core.late import LateView
from marketplace.orders import (
    access,
    appealed,
    carts,
    disputed as disputed_orders,
    partner_facts as facts_of_orders,
    paying,
    places,
    refund_letters,
    refunded,
    repaying,
)
from marketplace.orders.batches import covering, transferring
from marketplace.orders.cases import (
    exchanging,
    letters as case_letters,
    opening as case_opening,
    paying_back,
    seller_letters as seller_case_letters,
)
from marketplace.orders.estimates import destinations
from marketplace.orders.groups import (
    closing as group_closing,
    giving_back as group_giving_back,
    joining as group_joining,
    letters as group_letters,
    reaching as group_reaching,
)
from marketplace.orders.groups.views import offering as group_offering
from marketplace.orders.institutions import (
    billing,
    crediting,
    letters as institution_letters,
    paying_bills,
    payments as order_payments,
)
from marketplace.orders.offline import pickup_keys
from marketplace.orders.pickups import letters as pickup_letters
from marketplace.orders.receiving import offered, substituting
from marketplace.orders.views import cart as cart_views, checkout as checkout_views, orders as order_views
from marketplace.payments import elsewhere, outcomes, refunds
from marketplace.payments.disputes import following
from marketplace.payments.operator import tracing, words
from marketplace.payments.transfers import sending
from marketplace.payments.transfers.models import Reversal, Transfer
from marketplace.site import stations as station_views
from marketplace.stations import queues

ORDERS: Final = "marketplace.orders"


def install_orders(app: Flask) -> None:
    """The cart, the checkout, the buyer's orders, and what becomes of their money."""
    destinations.install(app)
    cart_views.install(app)
    for views in (checkout_views, order_views):
        app.register_blueprint(views.bp)
    late.register(app, ORDERS, "views.addresses", "views.parcels", "receiving.buyer_views")
    late.register(app, ORDERS, "promotions.views.desk", "invoices.views.buyer", "invoices.views.issuer")
    app.jinja_env.filters["within"] = places.within
    outcomes.on_succeeded["order"] = paying.mark_paid
    refunds.on_failed["order"] = paying_back.came_back
    following.bearers["order"] = disputed_orders.bear
    elsewhere.recorded["order"] = disputed_orders.keep_what_waits
    following.regained["order"] = appealed.regained
    outbox.listeners[appealed.REGAINED] = [appealed.told]
    words.reasons.update(refunded.WHY)
    outbox.listeners["order.expires"] = [paying.expire]  # the gateway is asked first
    outbox.slow.add("order.expires")
    outbox.listeners["order.paid"] = [facts_of_orders.order_paid]
    heard_of_parcels = (station_views.parcel_moved, exchanging.parcel_moved, facts_of_orders.parcel_moved)
    outbox.listeners["parcel.moved"] = [*heard_of_parcels, pickup_letters.parcel_moved]
    outbox.listeners[pickup_letters.REMINDS] = [pickup_letters.remind]
    outbox.listeners[repaying.REQUESTED] = [refund_letters.requested]
    outbox.listeners[repaying.FAILED] = [refund_letters.failed]
    outbox.listeners["refund.succeeded"] = [refund_letters.arrived, facts_of_orders.refund_succeeded]
    if carts.merge not in sign_in.on_signed_in:
        sign_in.on_signed_in.append(carts.merge)
        visitors.own += [access.REMEMBERED, access.PLACED]
        visitors.on_entered.append(access.adopt)


def install_desk(app: Flask) -> None:
    """A station's work with parcels, with a network and without."""
    late.register(app, f"{ORDERS}.views", "desk", "refunds", "shelf", "kept")
    late.register(app, ORDERS, "offline.views.phone", "offline.views.conflicts", "papers.views", "dispatching.views")
    late.register(app, ORDERS, "closing.views", "tariffs.views", "receiving.views", "receiving.seller_views")
    late.register(app, "marketplace.stations", "views")
    outbox.listeners |= {substituting.OFFERED: [offered.tell], substituting.LAPSES: [substituting.lapse]}
    app.jinja_env.filters["in_groups"] = pickup_keys.in_groups
    queues.others["receiving"] = LateView(f"{ORDERS}.receiving.views", "queue")
    queues.others["conflicts"] = LateView(f"{ORDERS}.offline.views.conflicts", "queue")


def install_settlement(app: Flask) -> None:
    """What sellers and stations have earned, and its way to their banks."""
    late.register(app, f"{ORDERS}.batches.views", "settlements", "payees", "own_money")
    sending.on_answered[Transfer.__tablename__, sending.SUCCEEDED] = transferring.arrived
    sending.on_answered[Transfer.__tablename__, sending.FAILED] = transferring.refused
    sending.on_answered[Reversal.__tablename__, sending.SUCCEEDED] = covering.came_back
    sending.on_answered[Reversal.__tablename__, sending.FAILED] = covering.refused


def install_groups(app: Flask) -> None:
    """Group buying."""
    for door in group_offering.BLUEPRINTS:
        app.register_blueprint(door)
    late.register(app, f"{ORDERS}.groups.views", "buyer")
    outbox.listeners[group_joining.CLOSES] = [group_closing.close]
    outbox.listeners[group_closing.GIVES_BACK] = [group_giving_back.give_back]
    outbox.slow.add(group_closing.GIVES_BACK)
    outbox.listeners[group_reaching.MOVED] = [group_letters.moved]


def install_cases(app: Flask) -> None:
    """What is wrong with goods that came."""
    late.register(app, f"{ORDERS}.cases.views", "buyer", "station", "seller", "operator")
    outbox.listeners[case_opening.MOVED] = [case_letters.moved, seller_case_letters.moved]
    queues.others["cases"] = LateView(f"{ORDERS}.cases.views.station", "queue")


def install_institutions(app: Flask) -> None:
    """Canteens order on account, and pay by the month as anything else is paid."""
    late.register(app, f"{ORDERS}.institutions.views", "members", "checks", "operator", "bank_transfers", "station")
    outcomes.on_succeeded[order_payments.PURPOSE] = paying_bills.receive
    refunds.on_failed[order_payments.PURPOSE] = paying_bills.came_back
    following.bearers[order_payments.PURPOSE] = paying_bills.bear
    elsewhere.recorded[order_payments.PURPOSE] = paying_bills.keep_what_waits
    tracing.payers[:] = [order_payments.paid_under]
    tracing.others_of_purposes[order_payments.PURPOSE] = order_payments.orders_of
    queues.others["checks"] = LateView(f"{ORDERS}.institutions.views.station", "queue")
    outbox.listeners[billing.ISSUED] = [institution_letters.issued]
    outbox.listeners[billing.OVERDUE] = [institution_letters.overdue]
    outbox.listeners[crediting.CREDITED] = [institution_letters.credited]
