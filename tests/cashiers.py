"""The sandbox cashier as a test finds it: with nothing in its own books."""

from marketplace.payments.gateways import PaymentGateway
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.cashier import SandboxCashier


def opened(cashier: PaymentGateway) -> None:
    """On SQLite all tests of a process share its file."""
    assert isinstance(cashier, SandboxCashier)
    storage.prepare(cashier.storage)
    with cashier.writing() as connection:
        for table in (storage.webhook, storage.answered, storage.refund, storage.payment):
            connection.execute(table.delete())
