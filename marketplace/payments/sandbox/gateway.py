"""The sandbox as a whole: a gateway of test money that needs no keys and no network."""

from marketplace.payments.gateways import Caps
from marketplace.payments.sandbox.disputing import DisputingCashier
from marketplace.payments.sandbox.mandates import RememberingCashier
from marketplace.payments.sandbox.transferring import TransferringCashier


class SandboxCashier(RememberingCashier, DisputingCashier, TransferringCashier):
    """A `PaymentGateway` that keeps its payments in a database of its own."""

    caps = Caps(recurring=True, transfers=True)
