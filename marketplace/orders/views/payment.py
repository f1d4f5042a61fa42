"""The way to the cashier and back."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.settings import settings
from marketplace.orders import paying
from marketplace.payments import attempts
from marketplace.payments.gateways import GatewayError
from marketplace.payments.states import AttemptState

UNSENT = {AttemptState.CREATED, AttemptState.SUBMITTING, AttemptState.UNKNOWN}


def lead_to_cashier(number: str) -> ResponseReturnValue:
    """Go on with the open attempt or open a new one, and send the payer to the cashier; errors lead to the order."""
    order_page = url_for("orders.show_order", number=number)
    current = attempts.current(db.session(), purpose="order", reference=number)
    if current and current.state is AttemptState.REQUIRES_ACTION:
        return redirect(current.redirect_url, 303)
    if current and current.state not in UNSENT:
        return redirect(order_page, 303)
    try:
        attempt = current.public_id if current else in_transaction(paying.pay_again, number=number)
        back = f"{settings().base_url.rstrip('/')}{order_page}?returned=1"
        return redirect(attempts.submit(attempt, return_url=back, description=number), 303)
    except attempts.AlreadyPaying as taken:
        return redirect(taken.redirect_url or order_page, 303)
    except GatewayError as refusal:
        flash(refusal.message, "failed")
    except NotFound:
        pass  # it cannot be paid any more; its page says why
    return redirect(order_page, 303)
