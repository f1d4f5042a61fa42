"""The sandbox as a whole: a gateway of test money that needs no keys and no network."""

from marketplace.payments.sandbox.disputing import DisputingCashier
from marketplace.payments.sandbox.mandates import RememberingCashier


class SandboxCashier(RememberingCashier, DisputingCashier):
    """A `PaymentGateway` that keeps its payments in a database of its own."""
