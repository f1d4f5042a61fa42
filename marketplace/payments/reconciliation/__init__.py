"""Our books beside the gateway's own: movement by movement, and the balance as a whole (docs/adr/0015)."""

from marketplace.payments.reconciliation.switch import payouts_are_open

__all__ = ["payouts_are_open"]
