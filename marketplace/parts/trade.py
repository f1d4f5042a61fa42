"""Goods are bought, brought, sent and settled: orders, and all that stands on them."""

from flask import Flask

from marketplace.accounts import sign_in, visitors
from marketplace.core import outbox
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
from marketplace.orders.batches.views import own_money, payees as payee_views, settlements as settlement_views
from marketplace.orders.cases import (
    exchanging,
    letters as case_letters,
    opening as case_opening,
    paying_back,
    seller_letters as seller_case_letters,
)
from marketplace.orders.cases.views import (
    buyer as case_views,
    operator as operator_cases,
    seller as seller_cases,
    station as station_cases,
)
from marketplace.orders.closing import views as closing_views
from marketplace.orders.dispatching import views as dispatch_views
from marketplace.orders.estimates import destinations
from marketplace.orders.groups import (
    closing as group_closing,
    giving_back as group_giving_back,
    joining as group_joining,
    letters as group_letters,
    reaching as group_reaching,
)
from marketplace.orders.groups.views import buyer as group_views, offering as group_offering
from marketplace.orders.institutions import (
    billing,
    crediting,
    letters as institution_letters,
    paying_bills,
    payments as order_payments,
)
from marketplace.orders.institutions.views import (
    bank_transfers as bank_transfer_views,
    checks as institution_checks,
    members as institution_views,
    operator as operator_institutions,
    station as check_views,
)
from marketplace.orders.invoices.views import buyer as invoice_views, issuer as issued_invoices
from marketplace.orders.offline import pickup_keys
from marketplace.orders.offline.views import conflicts as conflict_views, phone as phone_views
from marketplace.orders.papers import views as paper_views
from marketplace.orders.pickups import letters as pickup_letters
from marketplace.orders.promotions.views import desk as promotion_views
from marketplace.orders.receiving import (
    buyer_views as substitute_views,
    offered,
    seller_views as shortage_views,
    substituting,
    views as receiving_views,
)
from marketplace.orders.tariffs import views as tariff_views
from marketplace.orders.views import (
    addresses as address_views,
    cart as cart_views,
    checkout as checkout_views,
    desk as desk_views,
    kept as kept_views,
    orders as order_views,
    parcels as parcel_views,
    refunds as refund_views,
    shelf as shelf_views,
)
from marketplace.payments import outcomes, refunds
from marketplace.payments.disputes import following
from marketplace.payments.operator import words
from marketplace.payments.transfers import sending
from marketplace.payments.transfers.models import Reversal, Transfer
from marketplace.site import stations as station_views
from marketplace.stations import queues, views as station_detail_views


def install_orders(app: Flask) -> None:
    """The cart, the checkout, the buyer's orders, and what becomes of their money."""
    destinations.install(app)
    cart_views.install(app)
    for views in (checkout_views, order_views, address_views, parcel_views, substitute_views):
        app.register_blueprint(views.bp)
    for pages in (promotion_views, invoice_views, issued_invoices):
        app.register_blueprint(pages.bp)
    app.jinja_env.filters["within"] = places.within
    outcomes.on_succeeded["order"] = paying.mark_paid
    refunds.on_failed["order"] = paying_back.came_back
    following.bearers["order"] = disputed_orders.bear
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
    for views in (desk_views, refund_views, shelf_views, kept_views, phone_views, conflict_views):
        app.register_blueprint(views.bp)
    for pages in (paper_views, dispatch_views, closing_views, station_detail_views, tariff_views):
        app.register_blueprint(pages.bp)
    for pages in (receiving_views, shortage_views):
        app.register_blueprint(pages.bp)
    outbox.listeners |= {substituting.OFFERED: [offered.tell], substituting.LAPSES: [substituting.lapse]}
    app.jinja_env.filters["in_groups"] = pickup_keys.in_groups
    queues.others["receiving"] = receiving_views.queue
    queues.others["conflicts"] = conflict_views.queue


def install_settlement(app: Flask) -> None:
    """What sellers and stations have earned, and its way to their banks."""
    for views in (settlement_views, payee_views, own_money):
        app.register_blueprint(views.bp)
    sending.on_answered[Transfer.__tablename__, sending.SUCCEEDED] = transferring.arrived
    sending.on_answered[Transfer.__tablename__, sending.FAILED] = transferring.refused
    sending.on_answered[Reversal.__tablename__, sending.SUCCEEDED] = covering.came_back
    sending.on_answered[Reversal.__tablename__, sending.FAILED] = covering.refused


def install_groups(app: Flask) -> None:
    """Group buying."""
    for door in (group_views.bp, *group_offering.BLUEPRINTS):
        app.register_blueprint(door)
    outbox.listeners[group_joining.CLOSES] = [group_closing.close]
    outbox.listeners[group_closing.GIVES_BACK] = [group_giving_back.give_back]
    outbox.slow.add(group_closing.GIVES_BACK)
    outbox.listeners[group_reaching.MOVED] = [group_letters.moved]


def install_cases(app: Flask) -> None:
    """What is wrong with goods that came."""
    for cases in (case_views, station_cases, seller_cases, operator_cases):
        app.register_blueprint(cases.bp)
    outbox.listeners[case_opening.MOVED] = [case_letters.moved, seller_case_letters.moved]
    queues.others["cases"] = station_cases.queue


def install_institutions(app: Flask) -> None:
    """Canteens order on account, and pay by the month as anything else is paid."""
    for institutions in (institution_views, institution_checks, operator_institutions, bank_transfer_views, check_views):
        app.register_blueprint(institutions.bp)
    outcomes.on_succeeded[order_payments.PURPOSE] = paying_bills.receive
    refunds.on_failed[order_payments.PURPOSE] = paying_bills.came_back
    following.bearers[order_payments.PURPOSE] = paying_bills.bear
    queues.others["checks"] = check_views.queue
    outbox.listeners[billing.ISSUED] = [institution_letters.issued]
    outbox.listeners[billing.OVERDUE] = [institution_letters.overdue]
    outbox.listeners[crediting.CREDITED] = [institution_letters.credited]
