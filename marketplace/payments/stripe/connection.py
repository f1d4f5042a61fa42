"""How we speak with Stripe: one client of our own, short patience, and its errors in our words.

The library is loaded by the first call: most web processes never make one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from marketplace.payments.gateways import (
    ActionRequired,
    AuthFailed,
    Declined,
    GatewayError,
    InsufficientFunds,
    Invalid,
    KeyMismatch,
    OutcomeUnknown,
    RateLimited,
    RefundWindowClosed,
)

if TYPE_CHECKING:
    from stripe import StripeClient

RETRIES: Final = 2  # the client's own default is none; only what is safe to repeat is repeated
SECONDS: Final = 10  # its own default is 80: a process would wait for minutes
CONFIRM: Final = "authentication_required"
REFUSALS: Final[dict[str, type[GatewayError]]] = {
    "charge_expired_for_refund": RefundWindowClosed,
    "balance_insufficient": InsufficientFunds,  # ours for a transfer, the payee's for a reversal
}


def connect(secret_key: str, *, address: str) -> "StripeClient":
    """A client of its own version of the interface, at `address` (https://api.stripe.com, or a peer in tests)."""
    import stripe

    return stripe.StripeClient(
        secret_key,
        max_network_retries=RETRIES,
        base_addresses={"api": address},
        http_client=stripe.RequestsClient(timeout=SECONDS),
    )


@contextmanager
def asking(about: str) -> Iterator[None]:
    """Whatever Stripe raises becomes ours: https://docs.stripe.com/error-handling (read 2026-11).

    Refusals that end an attempt are only those that were said. A broken connection, a timeout, 409 and 5xx say nothing."""
    import stripe

    try:
        yield
    except stripe.CardError as error:
        raise (ActionRequired if error.code == CONFIRM else Declined)(about) from error
    except stripe.IdempotencyError as error:
        raise KeyMismatch(about) from error
    except stripe.RateLimitError as error:
        raise RateLimited(about) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        logging.getLogger(__name__).error("Stripe does not know us any more: %s", type(error).__name__)
        raise AuthFailed(about) from error
    except stripe.InvalidRequestError as error:
        raise REFUSALS.get(error.code or "", Invalid)(about) from error
    except stripe.StripeError as error:
        raise OutcomeUnknown(about) from error
