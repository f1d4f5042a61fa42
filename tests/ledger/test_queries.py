from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.core.db import in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books, queries
from marketplace.ledger.accounts import KINDS, NEVER_IN_DEBIT, owned_by

ORDER = "SX-7F3KQ2MD"


def post(key: str, reference: str = ORDER, book: str = "test", **fen: int) -> None:
    """`seller_held__s1=-10` posts a credit of 10 fen to that account."""
    lines: dict[books.Account, Money] = {}
    for name, amount in fen.items():
        kind, _, owner = name.partition("__")
        lines[kind, owner] = Money(amount)
    in_transaction(books.post, key=key, book=book, reference=reference, lines=lines)


@pytest.fixture
def traded(session: Session) -> Session:
    """An order of two sellers at one station; one seller's part was settled, the other's went back."""
    post("capture:a", gateway_clearing__sandbox=5000, buyer_clearing=-5000)
    post("allocate:o", buyer_clearing=5000, seller_held__s1=-3000, seller_held__s2=-1000, station_held__141028=-1000)
    post("settle:p1:s1", seller_held__s1=3000, seller_payable__s1=-3000)
    post("refund:r", seller_held__s2=1000, station_held__141028=400, refund_in_transit=-1400)
    post("allocate:other", reference="SX-OTHER", gateway_clearing__sandbox=70, seller_held__s1=-70)
    post("capture:live", reference="SX-LIVE", book="live", gateway_clearing__stripe=9, suspense=-9)
    return session


def test_balances_leave_out_what_is_at_zero_and_the_other_book(traded: Session) -> None:
    assert [tuple(row) for row in queries.balances(traded, book="test")] == [
        ("gateway_clearing", "sandbox", "CNY", 5070),
        ("refund_in_transit", "", "CNY", -1400),
        ("seller_held", "s1", "CNY", -70),
        ("seller_payable", "s1", "CNY", -3000),
        ("station_held", "141028", "CNY", -600),
    ]
    assert len(queries.balances(traded, book="live")) == 2


def test_shares_follow_the_money_and_leave_out_what_went_back(traded: Session) -> None:
    assert queries.shares_of(traded, ORDER) == {"seller": 3000, "station": 600}
    assert queries.shares_of(traded, "SX-NOBODY") == {}


def test_postings_tell_an_order_s_money_in_order(traded: Session) -> None:
    told = queries.postings_of(traded, ORDER)

    assert [posting.key for posting in told] == ["capture:a", "allocate:o", "settle:p1:s1", "refund:r"]
    assert told[2].lines == [("seller_held", "s1", "CNY", 3000), ("seller_payable", "s1", "CNY", -3000)]


def test_a_statement_runs_on_from_page_to_page(
    traded: Session, monkeypatch: pytest.MonkeyPatch, count_statements: Callable[[], Any]
) -> None:
    monkeypatch.setattr(queries, "PAGE", 3)
    first = queries.statement(traded, owner_kind="seller", owner="s1", book="test")
    with count_statements() as sent:
        second = queries.statement(traded, owner_kind="seller", owner="s1", book="test", after=first[-1].id)

    assert [(line.kind, line.account, line.amount, line.balance) for line in first + second] == [
        ("allocate", "seller_held", 3000, 3000),
        ("settle", "seller_held", -3000, 0),
        ("settle", "seller_payable", 3000, 3000),
        ("allocate", "seller_held", 70, 3070),
    ]
    assert len(sent) == 2
    assert queries.statement(traded, owner_kind="station", owner="141028", book="live") == []


def test_the_kinds_are_those_of_the_list() -> None:
    assert len(KINDS) == 28 + len({"cash_in_transit", "bank_account"})  # where cash goes from a station's drawer: ADR 39
    assert owned_by("seller") == {"seller_held", "seller_payable"}
    assert {"restricted", "suspense"} <= NEVER_IN_DEBIT and not NEVER_IN_DEBIT & {"seller_payable", "gateway_clearing"}
