"""What states, purposes, verdicts and accounts are called on operators' pages, and how urgent they look."""

import re
from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l

from marketplace.core.formats import yuan
from marketplace.payments.disputes.states import DisputeState as D
from marketplace.payments.reconciliation.states import Verdict
from marketplace.payments.states import AttemptState as A, EventStatus, RefundState as R

Words = tuple[LazyString, str]

reasons: Final[dict[str, LazyString]] = {
    "surplus": _l("Paid twice, or too late"),
    "campaign cancelled": _l("The campaign was called off"),
    "campaign over": _l("The campaign is over and can spend nothing any more"),
}
"""Why refunds were made that no person wrote a reason for; the floors above add theirs."""

WHYS: Final[dict[str, LazyString]] = {
    "started": _l("the payer went on to pay"),
    "asked": _l("the payment provider was asked"),
    "asked again": _l("the payment provider was asked again"),
    "answer": _l("so the payment provider answered"),
    "answered": _l("our answer was sent"),
    "no answer": _l("the payment provider did not answer"),
    "cancelled by us": _l("we cancelled it at the payment provider"),
    "never arrived": _l("the payment provider never heard of it"),
    "never arrived at the gateway": _l("the payment provider never heard of it"),
    "found": _l("the payment provider had it after all"),
    "elsewhere": _l("sent back on the payment provider's own pages"),
    "reconciliation": _l("found when the books were compared"),
    "the payer has it from the bank": _l("the payer has it from their bank already"),
    "Declined": _l("declined"),
    "Invalid": _l("the payment provider could not take it"),
    "NotSupported": _l("the payment provider does not do that"),
    "KeyMismatch": _l("the payment provider could not take it"),
    "RefundWindowClosed": _l("too late for a refund there"),
    "InsufficientFunds": _l("not enough money at the payment provider"),
    "declined": _l("declined"),
    "authentication_required": _l("the bank wants the payer to confirm it"),
    "mandate_gone": _l("the kept card cannot be charged any more"),
}
"""What the program itself writes down when a state moves."""

MISMATCH: Final = re.compile(r"(?:amount (\d+) ([A-Z]{3}))?(?:(?:^|, )(live|test) money)?")
ACTORS: Final[dict[str, LazyString]] = {"system": _l("by itself"), "guest": _l("a guest")}


def why(text: str) -> str:
    """A reason in the reader's language where the program wrote it; what a person or a provider wrote stays as it is."""
    if wrong := MISMATCH.fullmatch(text):
        return mismatch(*wrong.groups())
    return str(WHYS.get(text) or reasons.get(text) or text)


def mismatch(fen: str | None, currency: str | None, book: str | None) -> str:
    """What came instead of what was asked for: another sum, money of the other book, or both."""
    came = yuan(int(fen)) if fen and currency == "CNY" else f"{fen} {currency}" if fen else ""
    told = [_("%(sum)s came instead", sum=came)] if came else []
    return str(_(", ")).join([*told, *([str(BOOKS[book])] if book else [])])


def actor(name: str) -> str:
    return str(ACTORS.get(name, name))


PURPOSES: Final[dict[str, LazyString]] = {
    "order": _l("Order"),
    "contribution": _l("Gift"),
    "presale": _l("Presale"),
    "installment": _l("Monthly gift"),
    "matching_fund": _l("Matching fund"),
    "statement": _l("Statement"),
}
PARKED: Final[dict[str, LazyString]] = {
    "mismatch": _l("Not what we asked for"),
    "surplus": _l("Paid twice, or too late"),
}
BOOKS: Final[dict[str, LazyString]] = {"live": _l("Real money"), "test": _l("Test money")}
ATTEMPTS: Final[dict[str, Words]] = {
    A.CREATED: (_l("Opened"), ""),
    A.SUBMITTING: (_l("Being sent"), "info"),
    A.UNKNOWN: (_l("No answer yet"), "urgent"),
    A.REQUIRES_ACTION: (_l("Waiting for the payer"), "now"),
    A.PROCESSING: (_l("Being processed"), "info"),
    A.AUTHORIZED: (_l("Authorised"), "info"),
    A.SUCCEEDED: (_l("Paid"), "give"),
    A.FAILED: (_l("Declined"), ""),
    A.CANCELLED: (_l("Cancelled"), ""),
    A.EXPIRED: (_l("Expired"), ""),
    A.QUARANTINE: (_l("In suspense"), "urgent"),
}
REFUNDS: Final[dict[str, Words]] = {
    R.REQUESTED: (_l("Requested"), "now"),
    R.SUBMITTING: (_l("Being sent"), "info"),
    R.PENDING: (_l("On its way"), "info"),
    R.UNKNOWN: (_l("No answer yet"), "urgent"),
    R.SUCCEEDED: (_l("Refunded"), "give"),
    R.FAILED: (_l("Did not arrive"), "urgent"),
}
EVENTS: Final[dict[str, Words]] = {
    EventStatus.RECEIVED: (_l("Received"), "now"),
    EventStatus.DONE: (_l("Dealt with"), "give"),
    EventStatus.FAILED: (_l("Failed"), "urgent"),
    EventStatus.UNMATCHED: (_l("Nothing of ours yet"), "now"),
    EventStatus.IGNORED: (_l("Not for us"), ""),
}
DISPUTES: Final[dict[str, Words]] = {
    D.INQUIRY: (_l("The bank asks"), "now"),
    D.NEEDS_RESPONSE: (_l("Waiting for our answer"), "urgent"),
    D.UNDER_REVIEW: (_l("With the bank"), "info"),
    D.WON: (_l("Decided for us"), "give"),
    D.LOST: (_l("Decided against us"), "urgent"),
    D.CLOSED: (_l("Nothing came of it"), ""),
}
VERDICTS: Final[dict[str, Words]] = {
    Verdict.MATCHED: (_l("In the books"), "give"),
    Verdict.WAITING: (_l("On its way"), "info"),
    Verdict.AT_THE_BANK: (_l("At our bank"), "info"),
    Verdict.UNEXPLAINED: (_l("Not in the books"), "urgent"),
    Verdict.DIFFERS: (_l("Differs"), "urgent"),
}
ACCOUNTS: Final[dict[str, LazyString]] = {
    "gateway_clearing": _l("At the payment provider"),
    "dispute_receivable": _l("Disputed with the bank"),
    "cash_desk": _l("Cash at the station"),
    "cash_in_transit": _l("Cash on its way to the bank"),
    "bank_account": _l("Cash in the bank"),
    "buyer_clearing": _l("Paid, not yet shared out"),
    "seller_held": _l("Held for the seller"),
    "seller_payable": _l("Owed to the seller"),
    "station_held": _l("Held for the station"),
    "station_payable": _l("Owed to the station"),
    "promotion_funding": _l("Promotions"),
    "restricted": _l("Gifts of the campaign"),
    "matching": _l("Matching fund"),
    "presale_escrow": _l("Held for the presale"),
    "refund_in_transit": _l("Refunds on their way"),
    "payout_in_transit": _l("Payouts on their way"),
    "suspense": _l("In suspense"),
    "chargeback_loss": _l("Lost to disputes"),
    "dispute_fee": _l("Fees of disputes"),
    "fx_conversion": _l("Converted into another currency"),
    "gateway_fee": _l("Fees of the payment provider"),
    "operating_grant": _l("Operating grant of the province"),
}
