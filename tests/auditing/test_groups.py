"""The independent reader of groups: silent where all is well, naming what is not."""

from datetime import timedelta

import pytest

from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.orders import undelivered
from tests.auditing.naming import named
from tests.groups.conftest import Market, after_the_deadline, at, real_market

__all__ = ["real_market"]

OPEN = "(SELECT id FROM group_buy WHERE state = 'open')"
COMPLETE = "(SELECT id FROM group_buy WHERE state = 'reached')"
LEFT = "(SELECT o.number FROM \"order\" o JOIN group_member m ON m.order_id = o.id WHERE m.state = 'refunded')"
ORDERED = "members are ordered when their group is complete"
WAITS = "no station has a parcel of a group that is not complete"
TAMPERING = (
    ("complete groups had enough paid packs", "UPDATE group_buy SET threshold_packs = 6 WHERE state = 'reached'"),
    ("complete groups had enough paid packs", "UPDATE group_buy SET reached_at = NULL WHERE state = 'reached'"),
    ("groups with enough paid packs are complete", f"UPDATE group_member SET packs = 3 WHERE group_id IN {OPEN}"),
    ("groups take no more than their limit", f"UPDATE group_member SET packs = 9 WHERE group_id IN {COMPLETE}"),
    ("nobody has more of a group than one may", "UPDATE group_buy SET most_per_member = 1 WHERE state = 'reached'"),
    ("members stand where their orders are", "UPDATE group_member SET state = 'lapsed' WHERE state = 'paid'"),
    ("members stand where their orders are", "UPDATE group_member SET state = 'held' WHERE state = 'ordered'"),
    (ORDERED, f"UPDATE group_member SET state = 'paid' WHERE group_id IN {COMPLETE}"),
    (ORDERED, f"UPDATE group_member SET state = 'ordered' WHERE group_id IN {OPEN}"),
    (WAITS, "UPDATE parcel SET state = 'accepted' WHERE state = 'awaiting_group'"),
    (WAITS, "DELETE FROM group_member WHERE state = 'paid'"),
    ("members buy what their group is for", "UPDATE group_buy SET price_fen = price_fen - 1"),
    ("members buy what their group is for", "UPDATE group_member SET packs = packs + 1"),
    (
        "no money of a member who left is kept",
        f"UPDATE line SET amount = amount - 1 WHERE entry_id IN (SELECT id FROM entry WHERE reference IN {LEFT}) "
        "AND account_id IN (SELECT id FROM ledger_account WHERE kind = 'seller_held') AND amount > 0",
    ),
    ("members of failed groups are seen to", "UPDATE group_member SET state = 'paid' WHERE state = 'refunded'"),
    ("states have traces", "UPDATE group_buy SET state = 'failed' WHERE state = 'open'"),
    ("states have traces", "DELETE FROM event WHERE subject LIKE 'group_member:%'"),
)


@pytest.mark.full
def test_whatever_was_tampered_with_is_named(real_market: Market) -> None:
    """One group that failed, one that somebody left, one that is complete."""
    market = real_market
    with at(clock.now() - timedelta(days=5)):
        failed, first = market.open(1)
        market.pay(first)
    after_the_deadline(market, failed)
    group, left = market.open(1, "13835172003")
    market.pay(left)
    in_transaction(undelivered.cancel_paid, number=left, actor="guest")
    market.pay(market.join(group, 2, "13835172004"))
    _complete, whole = market.open(3, "13835172005")
    market.pay(whole)
    market.settle()
    db.session.remove()
    engine, cashier = db.engine, market.shop.cashier.storage

    assert named(engine, cashier) == set()
    assert [(check, sql) for check, sql in TAMPERING if check not in named(engine, cashier, ours=sql)] == []
