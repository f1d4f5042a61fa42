"""What we ask of a gateway that pays others out of our balance there (`Caps.transfers`), in our own words."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from marketplace.core.money import Money
from marketplace.core.records import record
from marketplace.payments.transfers.states import PayeeState

if TYPE_CHECKING:
    from marketplace.payments.gateways import Book


@record
class PayeeStatus:
    """Somebody who can be paid there, as the gateway has them. `payee` is our own id of them."""

    remote_id: str
    payee: str
    state: PayeeState
    last4: str  # of the bank account into which the gateway pays them; empty where it does not say
    book: "Book"
    url: str = ""  # where they enter who they are, for once, as long as the gateway wants to know


@record
class TransferRequest:
    transfer: str
    payee: str  # the gateway's id
    amount: Money
    group: str  # what is sent together


@record
class ReversalRequest:
    reversal: str
    transfer: str  # the gateway's id
    amount: Money


@record
class RemoteTransfer:
    """Money that a payee has, or that came back from one; `ours` is our own id of it."""

    remote_id: str
    ours: str
    amount: Money
    book: "Book"


class PaysOthers(Protocol):
    """Without `Caps.transfers` each of these raises NotSupported."""

    def open_payee(self, payee: str, *, key: str) -> PayeeStatus:
        """Under our own id; nothing about the person is told, they tell it there themselves."""

    def payee_status(self, remote_id: str, *, return_url: str = "") -> PayeeStatus:
        """`return_url`: where they come back to from the gateway's page; without it no `url` is made."""

    def transfer(self, request: TransferRequest, *, key: str) -> RemoteTransfer:
        """Raises InsufficientFunds where our own balance there is too small."""

    def find_transfer(self, request: TransferRequest, *, since: datetime) -> RemoteTransfer | None:
        """By our own id, for one whose key is too old to be sent again. `since`: when it was written down."""

    def reverse_transfer(self, request: ReversalRequest, *, key: str) -> RemoteTransfer:
        """Raises InsufficientFunds where the payee's balance there is too small."""

    def find_reversal(self, request: ReversalRequest) -> RemoteTransfer | None: ...
