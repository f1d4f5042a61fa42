"""Payments, and the operators' pages of them."""

from flask import Flask

from marketplace.payments import views as payment_views
from marketplace.payments.operator import (
    views as operator_views,
    views_disputes as dispute_views,
    views_reconciliation as reconciliation_views,
    views_suspense as suspense_views,
)
from marketplace.payments.sandbox import connect_face, stripe_face, views as sandbox_views, views_payees as sandbox_payees


def install_payments(app: Flask) -> None:
    """The doors for payers, gateways and operators; where money is test money, the sandbox's too."""
    for door in (payment_views, operator_views, suspense_views, dispute_views, reconciliation_views):
        app.register_blueprint(door.bp)
    if "sandbox" in app.extensions["gateways"].by_name:
        for part in (sandbox_views, sandbox_payees, stripe_face, connect_face):
            app.register_blueprint(part.bp)
