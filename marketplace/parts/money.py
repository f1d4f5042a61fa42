"""Payments, and the operators' pages of them."""

from flask import Flask

from marketplace.core import late
from marketplace.payments import views as payment_views
from marketplace.payments.sandbox import connect_face, stripe_face, views as sandbox_views


def install_payments(app: Flask) -> None:
    """The doors for payers, gateways and operators; where money is test money, the sandbox's too."""
    app.register_blueprint(payment_views.bp)
    late.register(app, "marketplace.payments.operator", "views", "views_suspense", "views_disputes", "views_reconciliation")
    if "sandbox" in app.extensions["gateways"].by_name:
        for part in (sandbox_views, stripe_face, connect_face):
            app.register_blueprint(part.bp)
        late.register(app, "marketplace.payments.sandbox", "views_payees")
