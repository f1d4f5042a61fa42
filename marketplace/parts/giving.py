"""Gifts and deposit pledges."""

from collections.abc import Callable
from typing import Final

from flask import Flask

from crowdfund.campaigns import (
    disbursing,
    disputed,
    evidence,
    giving,
    lifecycle,
    partner_facts,
    receipt_letters,
    return_letters,
    returning,
    thanking,
    tracing as campaign_tracing,
)
from crowdfund.campaigns.honours import dedicating
from crowdfund.campaigns.matching import funds, letters, paying_in, sending_back, taking_back
from crowdfund.campaigns.news import telling
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.plans import cards, keeping, receiving, waiting
from crowdfund.campaigns.reports import publishing
from crowdfund.campaigns.students import choosing, releasing
from crowdfund.campaigns.views import (
    gifts as gift_views,
    invitations as invitation_views,
    ledger as ledger_views,
    public as campaign_views,
)
from crowdfund.campaigns.yearly import issuing
from crowdfund.pledges import holding, reminders
from crowdfund.pledges.views import public as pledge_views, tracking as tracking_views
from marketplace.core import late, outbox
from marketplace.core.late import LateView
from marketplace.orders.batches import tracing as batch_tracing
from marketplace.payments import elsewhere, outcomes, refunds
from marketplace.payments.disputes import following
from marketplace.payments.operator import tracing, words
from marketplace.stations import queues

VIEWS: Final = "crowdfund.campaigns.views"
DEVICES: Final = "crowdfund.pledges.views"


def install_giving(app: Flask) -> None:
    """Gifts: their money goes straight into their campaign's account, and back by itself when that is called off."""
    for views in (campaign_views, gift_views):
        app.register_blueprint(views.bp)
    late.register(app, VIEWS, "organisations", "organisation_officers", "officers", "returned")
    outcomes.credited[giving.PURPOSE] = giving.account_of
    outcomes.on_succeeded[giving.PURPOSE] = giving.receive
    refunds.on_failed[giving.PURPOSE] = returning.came_back
    outbox.listeners |= {giving.LAPSES: [giving.lapse], giving.RECEIVED: [thanking.send_receipt]}
    outbox.listeners[lifecycle.CANCELLED] = [returning.return_page]
    outbox.listeners[disputed.REGAINED] = [returning.return_regained]
    outbox.listeners[returning.TOLD] = [return_letters.tell]
    outbox.listeners[returning.NOT_THERE] = [return_letters.did_not_arrive]
    outbox.listeners[returning.AT_THE_COUNTER] = [return_letters.waits_in_cash]
    outbox.listeners["refund.succeeded"] += [return_letters.arrived]
    following.bearers |= dict.fromkeys((giving.PURPOSE, keeping.PURPOSE), disputed.bear)
    following.regained |= dict.fromkeys((giving.PURPOSE, keeping.PURPOSE), disputed.regain)
    elsewhere.bearers |= dict.fromkeys((giving.PURPOSE, keeping.PURPOSE), disputed.send_elsewhere)
    outbox.listeners[disputed.LOST] = [disputed.reissue]
    tracing.pages_of_entries["settle"] = batch_tracing.page_of_settlement
    tracing.pages_of_purposes[giving.PURPOSE] = campaign_tracing.page_of_gift
    tracing.pages_of_entries |= dict.fromkeys(
        ("disburse", "disburse_paid", "disburse_undone"), campaign_tracing.page_of_disbursement
    )
    tracing.pages_of_entries["repaid"] = campaign_tracing.page_of_repayment
    tracing.pages_of_entries["repaid_undone"] = campaign_tracing.page_of_repayment


def install_giving_together(app: Flask) -> None:
    """Teams, cards of gifts in somebody's honour, gifts in cash; posters, what others may show; news and comments."""
    late.register(app, VIEWS, "teams", "cash", "deposits", "sharing", "news")
    outbox.listeners[dedicating.TELLS] = [dedicating.tell]
    queues.others["cash_gifts"] = LateView(f"{VIEWS}.cash", "queue")
    tracing.pages_of_entries |= dict.fromkeys(("cash", "cash_refund", "cash_drawn"), campaign_tracing.page_of_gift)


def install_channels(app: Flask) -> None:
    """Campaigns that live on a platform, and those for a closed list, before whose pages everybody is asked."""
    app.register_blueprint(invitation_views.bp)
    late.register(app, VIEWS, "mirrors")
    app.before_request(invitation_views.turn_away)


def install_plans(app: Flask) -> None:
    """Monthly gifts: received as any other; what has to ask the gateway waits apart from the rest."""
    late.register(app, VIEWS, "plans")
    outcomes.credited[keeping.PURPOSE] = giving.account_of
    outcomes.on_succeeded[keeping.PURPOSE] = receiving.receive
    refunds.on_failed[keeping.PURPOSE] = returning.came_back
    heard: dict[str, Callable[..., None]] = {
        keeping.LAPSES: receiving.lapse,
        keeping.WITHDRAWN: receiving.withdraw,
        receiving.AGREED: receiving.keep_mandate,
        cards.LET_GO: cards.forget,
    }
    outbox.listeners |= {topic: [listener] for topic, listener in heard.items()}
    outbox.slow.update(heard)
    outbox.listeners[standing.TELLS] = [waiting.tell]


def install_students(app: Flask) -> None:
    """Sponsored students: a place follows the plan that pays for it, a term the payment to its school."""
    late.register(app, VIEWS, "students", "student_desk")
    keeping.on_ended = [choosing.ended]
    keeping.pledged = [choosing.is_promised]
    receiving.on_received = [choosing.arrived]
    disbursing.on_rejected = [releasing.take_back]


def install_matching(app: Flask) -> None:
    """Matching funds: paid in as anything else is paid; what gifts do not get goes back to the sponsor."""
    late.register(app, VIEWS, "matching", "sponsors", "held")
    outcomes.on_succeeded[paying_in.PURPOSE] = paying_in.receive
    refunds.on_failed[paying_in.PURPOSE] = sending_back.came_back
    refunds.on_requested |= dict.fromkeys((giving.PURPOSE, keeping.PURPOSE), taking_back.follow)
    following.contested |= dict.fromkeys((giving.PURPOSE, keeping.PURPOSE), taking_back.follow)
    following.bearers[paying_in.PURPOSE] = sending_back.bear
    following.regained[paying_in.PURPOSE] = sending_back.regain
    outbox.listeners |= {funds.CLOSED: [sending_back.send_rest], funds.MOVED: [letters.tell]}
    tracing.pages_of_purposes[paying_in.PURPOSE] = campaign_tracing.page_of_fund
    words.reasons[sending_back.REASON] = sending_back.REASON_WORDS


def install_public_ledger(app: Flask) -> None:
    """What everybody may read of gifts and payments, receipts, and how campaigns' money is paid out."""
    app.register_blueprint(ledger_views.bp)
    late.register(app, VIEWS, "receipts", "years", "disbursements", "repayments", "criteria", "reports")
    outbox.listeners[issuing.REPLACED] = [receipt_letters.tell]
    outbox.listeners[lifecycle.MOVED] = [partner_facts.campaign_moved]
    outbox.listeners[telling.TOLD] = [partner_facts.campaign_told]
    outbox.listeners[evidence.ADDED] = [partner_facts.evidence_added]
    outbox.listeners[publishing.PUBLISHED] = [partner_facts.report_published]


def install_pledges(app: Flask) -> None:
    """Deposit pledges: savers, banks, children's cases, devices."""
    for views in (pledge_views, tracking_views):
        app.register_blueprint(views.bp)
    late.register(app, DEVICES, "bank", "children", "programme", "station")
    queues.others["devices"] = LateView(f"{DEVICES}.station", "queue")
    outbox.listeners[holding.EXPIRES] = [holding.expire_held]
    outbox.listeners |= {topic: [listener] for topic, listener in reminders.LISTENERS.items()}
