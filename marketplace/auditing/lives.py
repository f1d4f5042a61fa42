"""The event rows of each thing lead from its birth to where it stands, along the table of its states."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from crowdfund.campaigns.banking.states import DEPOSIT
from crowdfund.campaigns.mirrors.states import FILE
from crowdfund.campaigns.organisations.states import ENTRY
from crowdfund.campaigns.reports.states import REPORT
from crowdfund.campaigns.states import (
    CAMPAIGN,
    CONTRIBUTION,
    DISBURSEMENT,
    HELD_MATCH,
    INSTALLMENT,
    MATCHING_FUND,
    PLAN,
    RECEIPT,
    SCHOOL_TERM,
    SPONSORSHIP,
    STUDENT_PLACE,
)
from crowdfund.pledges.states import CHILD_CASE, DEVICE, PLEDGE, VOUCHER
from crowdfund.presales.states import BACKING, PRESALE
from listings.complaints.states import COMPLAINT, SECOND_LOOK
from listings.customer_reviews.states import CUSTOMER_REVIEW, PICTURE
from listings.questions.states import QUESTION
from listings.sheets.states import IMPORT
from listings.states import LISTING, REVISION
from marketplace.auditing.checks import Difference, read
from marketplace.core.records import record
from marketplace.notifications.states import DELIVERY, ENDPOINT
from marketplace.orders.batches.states import BATCH, LINE
from marketplace.orders.cases.states import APPEAL, CASE
from marketplace.orders.groups.states import GROUP, MEMBER
from marketplace.orders.institutions.states import CHECK as GOODS_CHECK, INSTITUTION, STATEMENT
from marketplace.orders.invoices.states import INVOICE
from marketplace.orders.offline.states import ACT
from marketplace.orders.promotions.states import PROMOTION, USE
from marketplace.orders.receiving.states import SUBSTITUTE
from marketplace.orders.states import ORDER, PARCEL
from marketplace.payments.by_bank.states import BANK_TRANSFER
from marketplace.payments.states import ATTEMPT, REFUND
from marketplace.payments.transfers.states import PAYEE, TRANSFER

CHECK: Final = "states have traces"


@record
class Life:
    """A table whose rows have states: the column of their public id, where a life begins and how it may go on.

    `or_birth`: another way to begin. Without `birth` a row may have come in as it was, from an import, and left no trace
    until it first moved."""

    table: str
    name: str
    ways: Mapping[Any, frozenset[Any]]
    birth: str = ""
    or_birth: str = ""


LIVES: Final = (
    Life("order", "number", ORDER, "pending_payment", "placed_on_account"),
    Life("parcel", "public_id", PARCEL, "awaiting_acceptance", "awaiting_group"),
    Life("group_buy", "public_id", GROUP, "open"),
    Life("group_member", "public_id", MEMBER, "held"),
    Life("invoice", "public_id", INVOICE, "requested"),
    Life("promotion", "public_id", PROMOTION, "draft"),
    Life("promotion_use", "public_id", USE, "reserved"),
    Life("substitute", "public_id", SUBSTITUTE, "offered"),
    Life("after_sales_case", "public_id", CASE, "requested"),
    Life("case_appeal", "public_id", APPEAL, "asked"),
    Life("institution", "public_id", INSTITUTION, "applied"),
    Life("goods_check", "public_id", GOODS_CHECK, "claimed", "accepted"),
    Life("account_statement", "public_id", STATEMENT, "open"),
    Life("desk_act", "client_key", ACT, "received"),
    Life("attempt", "public_id", ATTEMPT, "created"),
    Life("refund", "public_id", REFUND, "requested"),
    Life("bank_transfer", "public_id", BANK_TRANSFER, "recorded"),
    Life("settlement_batch", "public_id", BATCH, "drafted"),
    Life("settlement_line", "public_id", LINE, "due"),
    Life("gateway_payee", "public_id", PAYEE, "opening"),
    Life("transfer", "public_id", TRANSFER, "requested"),
    Life("transfer_reversal", "public_id", TRANSFER, "requested"),
    Life("listing", "code", LISTING),
    Life("listing_revision", "public_id", REVISION, "submitted"),
    Life("listing_import", "public_id", IMPORT, "waiting"),
    Life("campaign", "public_id", CAMPAIGN, "draft"),
    Life("contribution", "public_id", CONTRIBUTION, "intent"),
    Life("plan", "public_id", PLAN, "active"),
    Life("installment", "public_id", INSTALLMENT, "due"),
    Life("student_place", "public_id", STUDENT_PLACE, "offered"),
    Life("sponsorship", "public_id", SPONSORSHIP, "begun"),
    Life("school_term", "public_id", SCHOOL_TERM, "opened"),
    Life("matching_fund", "public_id", MATCHING_FUND, "draft"),
    Life("held_match", "public_id", HELD_MATCH, "held"),
    Life("disbursement", "public_id", DISBURSEMENT, "requested"),
    Life("organisation_entry", "public_id", ENTRY, "written"),
    Life("officer_entry", "public_id", ENTRY, "written"),
    Life("cash_deposit", "public_id", DEPOSIT, "paid_in"),
    Life("mirror_file", "public_id", FILE, "comparing"),
    Life("campaign_report", "public_id", REPORT, "drafted"),
    Life("receipt", "public_id", RECEIPT, "issued"),
    Life("presale", "public_id", PRESALE, "draft"),
    Life("backing", "public_id", BACKING, "held"),
    Life("voucher", "public_id", VOUCHER, "claimed"),
    Life("child_case", "public_id", CHILD_CASE, "nominated"),
    Life("pledge", "public_id", PLEDGE, "held"),
    Life("device", "public_id", DEVICE, "committed"),
    Life("endpoint", "public_id", ENDPOINT, "on"),
    Life("delivery", "public_id", DELIVERY, "waiting"),
    Life("customer_review", "public_id", CUSTOMER_REVIEW, "waiting"),
    Life("review_picture", "public_id", PICTURE, "waiting"),
    Life("question", "public_id", QUESTION, "waiting"),
    Life("listing_complaint", "public_id", COMPLAINT, "open"),
    Life("listing_second_look", "public_id", SECOND_LOOK, "asked"),
)


STEPS: Final = """SELECT t.id AS id, t.{name} AS name, LAG(e.to_state) OVER one AS reached, e.from_state AS here,
    e.to_state AS there, CASE WHEN LEAD(e.id) OVER one IS NULL THEN t.state END AS stands
    FROM "{table}" t LEFT JOIN event e ON e.subject = '{table}:' || t.{name}
    WINDOW one AS (PARTITION BY t.id ORDER BY e.id)"""


def differences(connection: Connection) -> Iterator[Difference | str]:
    """The kinds of steps are few, however many steps there are: those who took them are read where a kind is wrong."""
    for life in LIVES:
        yield f"{CHECK}: {life.table}"
        ways = {str(here): set(map(str, there)) for here, there in life.ways.items()}
        steps = STEPS.format(table=life.table, name=life.name)
        kinds = connection.execute(text(f"SELECT DISTINCT reached, here, there, stands FROM ({steps}) step")).all()
        if any(True for kind in kinds for _words in wrong(life, ways, kind)):
            for row in read(connection, f"{steps} ORDER BY t.id, e.id"):
                yield from (Difference(CHECK, f"{life.table} {row.name} {words}") for words in wrong(life, ways, row))


def wrong(life: Life, ways: dict[str, set[str]], step: Row[Any]) -> Iterator[str]:
    """What is wrong with a step: it does not follow, no table knows it, or the thing stands elsewhere after its last."""
    if step.there is None:
        if life.birth:
            yield f"is {step.stands}, its events lead to nothing"
        return
    is_birth = not life.birth or (step.here == "" and step.there in {life.birth, life.or_birth})
    follows = is_birth if step.reached is None else step.here == step.reached
    if not follows or (step.here and step.there not in ways.get(step.here, ())):
        yield f"went from {step.here or 'nothing'} to {step.there}"
    if step.stands is not None and step.there != step.stands:
        yield f"is {step.stands}, its events lead to {step.there}"
