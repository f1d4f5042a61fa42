"""What waits for the province, queue by queue: how many, since when, and who began it. One statement for all of them."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

from flask_babel import gettext as _, ngettext
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from marketplace.accounts.permissions import reaches_of
from marketplace.core.db import Columns
from marketplace.core.records import record
from marketplace.site.console import queued

NOTHING: Final = literal(None)
URGENT, CHECK, APPROVE, JUDGE = "urgent", "check", "approve", "judge"


@record
class Queue:
    """`rows` counts (number, since); `who`: whose entry waits longest. `action`: who may do it sees it."""

    code: str
    kind: str
    action: str
    url: str
    sentence: Callable[[int], str]
    button: Callable[[], str]
    rows: Callable[[], Columns]
    who: Callable[[], Any] = lambda: NOTHING


@record
class Waiting:
    """A queue with something in it."""

    queue: Queue
    number: int
    since: datetime | None
    who: str | None


def to_look() -> str:
    return str(_("Look"))


def to_approve() -> str:
    return str(_("Approve"))


def to_judge() -> str:
    return str(_("Judge"))


QUEUES: Final = (
    Queue(
        "disputes", URGENT, "payment.correct", "/operator/disputes",
        lambda n: ngettext("A bank waits for our answer to a dispute", "Banks wait for our answer to %(num)d disputes", n),
        lambda: _("Answer"), queued.disputes,
    ),
    Queue(
        "suspense", CHECK, "payment.correct", "/operator/suspense",
        lambda n: ngettext("One payment lies in suspense", "%(num)d payments lie in suspense", n),
        to_look, queued.suspense,
    ),
    Queue(
        "kept", CHECK, "payment.correct", "/operator/kept-goods",
        lambda n: ngettext("The goods of a dispute that was won were kept", "Goods of %(num)d won disputes were kept", n),
        to_look, queued.kept_goods,
    ),
    Queue(
        "returned", CHECK, "gift_return.send", "/charity/returned-gifts",
        lambda n: ngettext("One gift did not reach its giver", "%(num)d gifts did not reach their givers", n),
        to_look, queued.returned_gifts,
    ),
    Queue(
        "cash_deposits", CHECK, "cash_deposit.confirm", "/operator/cash-deposits",
        lambda n: ngettext("One deposit of cash is to be found at the bank", "%(num)d deposits of cash are to be found", n),
        to_look, queued.cash, queued.first_clerk,
    ),
    Queue(
        "payees", CHECK, "payee.verify", "/operator/payees",
        lambda n: ngettext("One bank account is to be verified", "%(num)d bank accounts are to be verified", n),
        lambda: _("Verify"), queued.payees,
    ),
    Queue(
        "slow_refunds", CHECK, "payment.correct", "/operator/refunds?state=pending",
        lambda n: ngettext("One refund takes longer than any should", "%(num)d refunds take longer than any should", n),
        to_look, queued.slow_refunds,
    ),
    Queue(
        "refunds_by_bank", CHECK, "bank_transfer.keep", "/operator/bank-transfers",
        lambda n: ngettext("One refund is to be sent by bank", "%(num)d refunds are to be sent by bank", n),
        lambda: _("Send"), queued.refunds_by_bank,
    ),
    Queue(
        "unpaid", CHECK, "institution.limit", "/operator/institutions",
        lambda n: ngettext("One institution's statement is overdue", "%(num)d statements of institutions are overdue", n),
        to_look, queued.unpaid_statements,
    ),
    Queue(
        "held", APPROVE, "held_match.decide", "/charity/held-matches",
        lambda n: ngettext("One match waits for a person", "%(num)d matches wait for a person", n),
        to_approve, queued.held_matches, queued.first_judge,
    ),
    Queue(
        "organisations", APPROVE, "organisation.keep", "/operator/organisations",
        lambda n: ngettext("An organisation waits for a second person", "%(num)d organisations wait for a second person", n),
        to_approve, queued.organisations, queued.first_writer,
    ),
    Queue(
        "officers", APPROVE, "organisation.keep", "/operator/organisations",
        lambda n: ngettext("One officer waits for a second person", "%(num)d officers wait for a second person", n),
        to_approve, queued.officers, queued.first_proposer,
    ),
    Queue(
        "transfers", APPROVE, "bank_transfer.keep", "/operator/bank-transfers",
        lambda n: ngettext("One bank transfer waits for a second person", "%(num)d transfers wait for a second person", n),
        to_approve, queued.transfers, queued.first_recorder,
    ),
    Queue(
        "cases", JUDGE, "case.judge", "/operator/cases",
        lambda n: ngettext("One after-sales case is with the province", "%(num)d after-sales cases are with us", n),
        to_judge, queued.cases,
    ),
    Queue(
        "goods", CHECK, "console.read", "/operator/goods-in-review",
        lambda n: ngettext("One product waits for review over 24 hours", "%(num)d products wait for review over a day", n),
        to_look, queued.goods,
    ),
    Queue(
        "complaints", JUDGE, "listing.suspend", "/operator/complaints",
        lambda n: ngettext("Something is said about one product", "Something is said about %(num)d products", n),
        to_judge, queued.complaints,
    ),
    Queue(
        "looks", JUDGE, "listing.suspend", "/operator/complaints",
        lambda n: ngettext("One seller asks for a second look", "%(num)d sellers ask for a second look", n),
        to_judge, queued.second_looks,
    ),
    Queue(
        "reviews", JUDGE, "customer_review.judge", "/operator/reviews",
        lambda n: ngettext("One hidden review was appealed against", "%(num)d hidden reviews were appealed against", n),
        to_judge, queued.reviews,
    ),
    Queue(
        "checks", JUDGE, "institution.decide", "/operator/institutions",
        lambda n: ngettext("A canteen asks about one parcel", "Canteens ask about %(num)d parcels", n),
        to_judge, queued.checks,
    ),
    Queue(
        "institutions", JUDGE, "institution.decide", "/operator/institutions",
        lambda n: ngettext("One institution wants to order on account", "%(num)d institutions want to order on account", n),
        to_judge, queued.institutions,
    ),
)  # fmt: skip


def waiting(session: Session, roles: Collection[str]) -> list[Waiting]:
    """The queues in which something waits for somebody with these roles. One statement, none where no queue is theirs."""
    mine = [queue for queue in QUEUES if reaches_of(queue.action).keys() & set(roles)]
    if not mine:
        return []
    row = session.execute(select(*(column for queue in mine for column in asked(queue)))).one()
    found = [Waiting(queue, *row[3 * place : 3 * place + 3]) for place, queue in enumerate(mine)]
    return [each for each in found if each.number]


def asked(queue: Queue) -> tuple[Any, Any, Any]:
    rows, who = queue.rows(), queue.who()
    number, since = (rows.with_only_columns(column).correlate(None).scalar_subquery() for column in rows.selected_columns)
    return number, since, who if who is NOTHING else who.correlate(None).scalar_subquery()
