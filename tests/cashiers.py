"""The sandbox cashier as a test finds it: with nothing in its own books."""

from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.cashier import SandboxCashier


def opened(cashier: SandboxCashier) -> None:
    """On SQLite all tests of a process share its file."""
    storage.prepare(cashier.storage)
    with cashier.writing() as connection:
        for table in (storage.webhook, storage.answered, storage.refund, storage.mandate, storage.payment):
            connection.execute(table.delete())
