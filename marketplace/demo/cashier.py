"""Paying as somebody at the sandbox cashier would, with the clock set back."""

from marketplace.core.db import in_transaction
from marketplace.payments import attempts, outcomes
from marketplace.payments.sandbox import delivery
from marketplace.payments.sandbox.gateway import SandboxCashier


def pay_at_cashier(
    cashier: SandboxCashier, attempt: str, *, return_url: str, description: str, for_later: bool = False, card: str = ""
) -> None:
    """From the first page of the cashier to the money; its answer arrives at once. `card`: what the cashier calls it.

    The webhook arrives with that: none is left to be sent when the shop opens."""
    attempts.submit(attempt, return_url=return_url, description=description, for_later=for_later)
    opened = cashier.find_payment(attempt)
    if opened is None:
        raise LookupError(f"the cashier does not know {attempt}")
    paid = cashier.decide(opened.remote_id, "succeeded", card)
    in_transaction(outcomes.apply_payment, remote=paid, gateway=cashier.name, why="webhook")
    hear_nothing(cashier)


def hear_nothing(cashier: SandboxCashier) -> None:
    """The webhooks that wait count as delivered: what they tell is known."""
    while delivery.deliver(cashier, lambda _url, _body, _signature: 200):
        pass
