"""Which gateways an installation has: its settings decide. The one place that knows all of them."""

from marketplace.core.settings import GatewayChoice, Settings
from marketplace.payments.gateways import Gateways
from marketplace.payments.sandbox import faults, storage
from marketplace.payments.sandbox.gateway import SandboxCashier
from marketplace.payments.stripe.gateway import StripeGateway


def open_gateways(settings: Settings) -> Gateways:
    """The gateways that the settings allow; test money never beside live money."""
    known = Gateways()
    if settings.gateway is GatewayChoice.STRIPE:
        gateway = StripeGateway(
            settings.stripe_secret_key.reveal(),
            webhook_secrets=settings.stripe_webhook_secret.reveal().split(","),
            address=settings.stripe_api_base,
            methods=settings.stripe_methods.split(","),
            least_fen=settings.stripe_least_fen,
            pays_others=settings.stripe_connect,
        )
        known.by_name[gateway.name], known.chosen = gateway, gateway.name
    if settings.gateway is GatewayChoice.SANDBOX:
        secret = settings.webhook_secret.reveal()
        cashier = SandboxCashier(
            storage.open_storage(settings),
            secret=secret,
            base_url=settings.base_url,
            fee_basis_points=settings.sandbox_fee_basis_points,
            faults=faults.read(settings.sandbox_faults),
            settles_in=settings.sandbox_settles_in,
        )
        known.by_name[cashier.name], known.chosen = cashier, cashier.name
    return known
