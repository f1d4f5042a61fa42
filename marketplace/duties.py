"""What the worker does, in the order of a turn."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import Select
from sqlalchemy.orm import Session

from crowdfund.campaigns import checking, lifecycle, partner_facts
from crowdfund.campaigns.faces import looking
from crowdfund.campaigns.matching import ending as fund_ending, reminding as match_reminding, traces
from crowdfund.campaigns.mirrors import working as mirroring
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.plans import asking, cards, charging
from crowdfund.campaigns.reports import reminding
from crowdfund.campaigns.students import choosing as places_of_students
from crowdfund.campaigns.whereabouts import following
from crowdfund.campaigns.yearly import closing as year_closing
from crowdfund.pledges import choosing, seeds, vouchers
from crowdfund.presales import closing as presale_closing, delivering as presale_sending
from listings import forgetting as edit_pictures, indexing
from listings.customer_reviews import pictures as review_pictures
from listings.following import watching
from listings.sheets import working
from marketplace.accounts import codes, rate_limits, sign_in, tokens
from marketplace.core import clock, idempotency, outbox, sealing
from marketplace.core.db import carry_over, db, in_transaction
from marketplace.core.worker import Step, Worker
from marketplace.notifications import delivering
from marketplace.orders import carts, settlement
from marketplace.orders.batches import reminders as batch_reminders
from marketplace.orders.cases import appealing, forgetting as case_pictures, quality, returning
from marketplace.orders.groups import closing
from marketplace.orders.institutions import billing, checking as checking_goods
from marketplace.orders.offline import syncing
from marketplace.orders.promotions import ending as promotion_ending
from marketplace.payments import inbox, overdue, sweeping
from marketplace.payments.reconciliation import rounds
from marketplace.payments.sandbox import delivery
from marketplace.payments.transfers import sending
from marketplace.payments.transfers.models import Reversal, Transfer


def compose_worker(app: Flask) -> Worker:
    """Of this application, once its parts are there; read by no web process, which would carry it in vain."""
    worker = Worker(
        steps=[
            settlement.settle_some_due,
            outbox.deliver,
            checking.Rereading(),
            watching.Looking(),
            following.follow,
            partner_facts.tell_of_rows,
        ],
        slow_steps=[inbox.work, charging.charge_one, sweeping.send_refund, sweeping.ask_after_attempt, outbox.deliver_slow],
    )
    worker.slow_steps += [working.work, mirroring.work, sending.send_transfer, sending.send_reversal, rounds.Rounds()]
    worker.patient_steps += [delivering.deliver_one, looking.look_at_one]
    worker.queues |= queues()
    sandbox = app.extensions["gateways"].by_name.get("sandbox")
    if sandbox:
        worker.slow_steps += [partial(delivery.deliver, sandbox), sandbox.finish_refunds, sandbox.finish_slow_payments]
    add_periodic(worker)
    return worker


def add_periodic(worker: Worker) -> None:
    """What is looked at every so many seconds, in this order, whether anything waits or not."""
    worker.every(1, carry_over)
    worker.every(30, indexing.mend)
    worker.every(60, partial(in_transaction, lifecycle.end_due))
    worker.every(60, partial(in_transaction, standing.look))
    worker.every(3600, partial(in_transaction, overdue.report))
    worker.every(60, asking.ask_for_due)
    worker.every(60, syncing.look_again)
    worker.every(3600, cards.tell_of_ends)
    for forget in (sweep, rate_limits.sweep, codes.sweep, sign_in.sweep, tokens.sweep, delivering.sweep, carts.sweep):
        worker.every(3600, partial(in_transaction, forget))
    worker.every(3600, partial(in_transaction, traces.forget))
    worker.every(3600, partial(in_transaction, seeds.provide))
    worker.every(3600, partial(in_transaction, choosing.forget))
    worker.every(3600, partial(in_transaction, vouchers.expire_due))
    worker.every(3600, partial(in_transaction, batch_reminders.remind))
    worker.every(3600, partial(in_transaction, reminding.remind))
    worker.every(3600, partial(in_transaction, match_reminding.remind))
    worker.every(3600, partial(in_transaction, mirroring.forget_dropped))
    worker.every(3600, working.sweep)
    for forget_pictures in (edit_pictures.forget, case_pictures.forget):
        worker.every(3600, partial(in_transaction, forget_pictures))
    worker.every(60, partial(one_after_the_other, appealing.ask_when_overdue))
    worker.every(60, partial(one_after_the_other, returning.call_off_overdue))
    worker.every(60, partial(one_after_the_other, promotion_ending.end_due))
    worker.every(60, partial(one_after_the_other, closing.close_one_due))
    worker.every(60, partial(one_after_the_other, year_closing.close_one_due))
    worker.every(3600, partial(one_after_the_other, places_of_students.end_one_unpaid))
    worker.every(60, partial(one_after_the_other, fund_ending.end_one_due))
    for step in (presale_closing.close_one_due, presale_closing.decide_one_due, presale_sending.begin_one_due):
        worker.every(60, partial(one_after_the_other, step))
    worker.every(60, partial(one_after_the_other, presale_sending.end_one_due))
    for step in (checking_goods.accept_unchecked, checking_goods.agree_unanswered, billing.conclude_credited):
        worker.every(60, partial(one_after_the_other, step))
    for step in (billing.bill_due, billing.call_overdue):
        worker.every(60, partial(one_after_the_other, step))
    worker.every(3600, count_quality)
    worker.every(3600, review_pictures.sweep)
    worker.every(3600, case_pictures.sweep)
    for chain in sealing.chains:
        worker.every(1, partial(in_transaction, sealing.seal, chain=chain))
        worker.every(3600, partial(in_transaction, sealing.close_days, chain=chain))


def queues() -> dict[Step, Select[Any]]:
    """What steps take from: a round looks once into all of them."""
    apart = frozenset(outbox.slow)
    return {
        outbox.deliver: outbox.due_effects(apart, False),
        outbox.deliver_slow: outbox.due_effects(apart, True),
        following.follow: following.NEWER,
        partner_facts.tell_of_rows: partner_facts.NEWER,
        inbox.work: inbox.DUE,
        charging.charge_one: charging.DUE,
        sweeping.send_refund: sweeping.DUE_REFUNDS,
        sweeping.ask_after_attempt: sweeping.DUE_ATTEMPTS,
        working.work: working.DUE,
        mirroring.work: mirroring.DUE,
        sending.send_transfer: sending.due(Transfer, may_begin=True),
        sending.send_reversal: sending.due(Reversal, may_begin=True),
        delivering.deliver_one: delivering.DUE,
        looking.look_at_one: looking.WAITING,
    }


def one_after_the_other(step: Callable[[Session], bool]) -> None:
    """Each in a transaction of its own, until none is due."""
    while in_transaction(step):
        pass


def count_quality() -> None:
    """Read first, then written in a moment."""
    found = quality.counted(db.session())
    in_transaction(quality.keep_all, found=found)


def sweep(session: Session) -> None:
    """What was delivered or answered a week ago is of no more use."""
    week_ago = clock.now() - timedelta(days=7)
    outbox.sweep(session, before=week_ago)
    idempotency.forget(session, before=week_ago)
