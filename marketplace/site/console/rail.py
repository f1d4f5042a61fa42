"""The rail of every page of the province's desk: its sections, each link with how much waits behind it."""

from collections.abc import Collection
from typing import Final

from flask import g
from flask_babel import LazyString, lazy_gettext as _l

from marketplace.accounts.permissions import reaches_of
from marketplace.core.db import db
from marketplace.core.records import record
from marketplace.site.console import queues

Link = tuple[str, str, str, LazyString, str]  # code, path, icon, words, the action of its page
SECTIONS: Final[tuple[tuple[LazyString | str, tuple[Link, ...]], ...]] = (
    (
        "",
        (
            ("today", "/operator", "chart", _l("Today"), "console.read"),
            ("parcels", "/operator/orders", "box", _l("Orders and parcels"), "console.read"),
            ("cases", "/operator/cases", "hand", _l("After-sales"), "case.read"),
            ("settlements", "/operator/settlements", "wallet", _l("Settlements"), "settlement.read"),
        ),
    ),
    (
        _l("In the shop"),
        (
            ("listings", "/operator/listings", "leaf", _l("Goods for sale"), "listing.suspend"),
            ("complaints", "/operator/complaints", "alert", _l("Pointed out"), "listing.suspend"),
            ("reviews", "/operator/reviews", "eye", _l("Reviews"), "customer_review.judge"),
            ("questions", "/operator/questions", "info", _l("Questions"), "question.remove"),
            ("promotions", "/operator/promotions", "leaf", _l("Offers"), "promotion.read"),
            ("shipping", "/operator/shipping-rates", "truck", _l("Shipping rates"), "shipping_rate.keep"),
        ),
    ),
    (
        _l("Public good"),
        (
            ("organisations", "/operator/organisations", "shield", _l("Organisations"), "organisation.read"),
            ("matching", "/charity/matching-funds", "plus", _l("Matching funds"), "matching_fund.follow"),
            ("held", "/charity/held-matches", "clock", _l("Matches that wait"), "held_match.follow"),
            ("returned", "/charity/returned-gifts", "heart", _l("Returned gifts"), "gift_return.follow"),
            ("cash_deposits", "/operator/cash-deposits", "receipt", _l("Cash paid in"), "cash_deposit.read"),
        ),
    ),
    (
        _l("Money matters"),
        (
            ("payments", "/operator/payments", "wallet", _l("Payments"), "payment.look_into"),
            ("refunds", "/operator/refunds", "swap", _l("Refunds"), "payment.look_into"),
            ("disputes", "/operator/disputes", "alert", _l("Disputes"), "payment.look_into"),
            ("suspense", "/operator/suspense", "clock", _l("In suspense"), "payment.look_into"),
            ("reconciliation", "/operator/reconciliation", "check", _l("Reconciliation"), "payment.look_into"),
            ("payees", "/operator/payees", "bank", _l("Bank accounts"), "payee.verify"),
            ("institutions", "/operator/institutions", "home", _l("Institutions"), "institution.read"),
        ),
    ),
    (
        _l("Stations and people"),
        (
            ("stations", "/stations", "map", _l("58 stations"), "console.read"),
            ("account", "/account", "user", _l("Me"), "console.read"),
        ),
    ),
)
OF_QUEUES: Final = {
    "kept": "disputes",
    "officers": "organisations",
    **dict.fromkeys(("transfers", "refunds_by_bank", "unpaid"), "institutions"),
    "goods": "listings",
    "looks": "complaints",
    "checks": "institutions",
    "slow_refunds": "refunds",
}
"""Queues whose pages are reached from another link."""


@record
class Rail:
    """As templates/desk_base.html wants it: (code, path, icon, words, waiting), and words before some of them by code."""

    links: list[tuple[str, str, str, LazyString, int]]
    headings: dict[str, LazyString | str]


def rail() -> Rail:
    """For the visitor: what their roles let them see. One statement."""
    waiting = counts(g.person.roles)
    shown = Rail([], {})
    for title, of_section in SECTIONS:
        theirs = [link for link in of_section if reaches_of(link[4]).keys() & g.person.roles]
        shown.links.extend((code, path, icon, words, waiting.get(code, 0)) for code, path, icon, words, _action in theirs)
        if title and theirs:
            shown.headings[theirs[0][0]] = title
    return shown


def counts(roles: Collection[str]) -> dict[str, int]:
    """By link. One statement."""
    found: dict[str, int] = {}
    for each in queues.waiting(db.session(), roles):
        code = OF_QUEUES.get(each.queue.code, each.queue.code)
        found[code] = found.get(code, 0) + each.number
    return found
