"""The sandbox cashier as a test finds it: with nothing in its own books."""

from marketplace.payments.gateways import PaymentGateway
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.gateway import SandboxCashier


def opened(cashier: PaymentGateway) -> None:
    """On SQLite all tests of a process share its file."""
    assert isinstance(cashier, SandboxCashier)
    storage.prepare(cashier.storage)
    with cashier.writing() as connection:
        tables = (storage.movement, storage.webhook, storage.answered, storage.refund, storage.mandate, storage.dispute)
        others = (storage.payout, storage.reversal, storage.transfer, storage.payee)
        for table in (*tables, *others, storage.payment):
            connection.execute(table.delete())
