"""Paid in yuan, settled in Hong Kong dollars: both sums are booked as the gateway tells them, each currency is proven."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace.auditing import cashier, checks, money, movements as auditing
from marketplace.auditing.checks import Difference
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.money import Money
from marketplace.ledger import books
from marketplace.ledger.queries import postings_of
from marketplace.payments import outcomes, refunds, sweeping
from marketplace.payments.disputes import following
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.gateways import PaymentRequest, RemotePayment
from marketplace.payments.models import Refund
from marketplace.payments.reconciliation import converting, fees, rehearsing, running
from marketplace.payments.reconciliation.models import GatewayMovement
from marketplace.payments.reconciliation.proof import Standing
from marketplace.payments.reconciliation.states import Verdict
from marketplace.payments.sandbox import storage
from marketplace.payments.sandbox.converting import Conversion, conversion_into
from marketplace.payments.states import AttemptState
from tests.factories import signed_in
from tests.payments.conftest import ALLOCATED, CAPTURED, Till, booked
from tests.payments.test_reconciliation import ORDER, movements, paid, request_refund, spend
from tests.payments.test_stripe import StripeTill, shop

__all__ = ["shop"]

IN_HKD = 4298  # 39.80 yuan at 1.08 are 42.984 dollars
FEE = 26  # 0.6 % of that


class Abroad:
    """A till whose cashier settles in another currency, at a rate that may change."""

    def __init__(self, till: Till) -> None:
        self.till = till

    def rate_is(self, rate: str, currency: str = "HKD") -> None:
        self.till.cashier.book_keeping.conversion = Conversion(currency, Decimal(rate))

    def reconcile(self, **how: Any) -> Standing:
        db.session.rollback()
        return running.reconcile(self.till.cashier, actor="test", **how)

    def held(self) -> dict[str, int]:
        return self.till.cashier.balance()


def abroad_of(till: Till, monkeypatch: pytest.MonkeyPatch) -> Abroad:
    monkeypatch.setattr(till.cashier.book_keeping, "conversion", conversion_into("HKD"))
    return Abroad(till)


@pytest.fixture
def abroad(quick_till: Till, monkeypatch: pytest.MonkeyPatch) -> Abroad:
    return abroad_of(quick_till, monkeypatch)


@pytest.fixture
def real_abroad(till: Till, monkeypatch: pytest.MonkeyPatch) -> Abroad:
    return abroad_of(till, monkeypatch)


def balance(kind: str, currency: str, owner: str = "") -> int:
    db.session.rollback()
    return books.balance(db.session(), kind, owner, book="test", commodity=currency)


def clearing(currency: str, gateway: str = "sandbox") -> int:
    return balance("gateway_clearing", currency, gateway)


def lines_of(key: str, reference: str = ORDER) -> set[tuple[str, str, int]]:
    """(account, currency, amount) of one entry."""
    db.session.rollback()
    (found,) = (posting for posting in postings_of(db.session(), reference) if posting.key == key)
    return {(kind, currency, amount) for kind, _owner, currency, amount in found.lines}


def named(till: Till) -> set[str]:
    """The checks of the auditor that find something: those of money, which know nothing of what was sold."""
    db.session.rollback()
    connection = db.session.connection()
    with till.cashier.storage.connect() as theirs:
        ours = checks.run(connection, (*money.BOOKS, *money.GATEWAYS, *auditing.MOVEMENTS))
        both = [*ours, *cashier.differences(connection, theirs), *auditing.differences(connection, theirs)]
    connection.execution_options(yield_per=0, stream_results=False)  # what follows is read at once again
    db.session.rollback()
    return {finding.check for finding in both if isinstance(finding, Difference)}


def refund_back(abroad: Abroad, fen: int, rate: str, key: str) -> str:
    abroad.rate_is(rate)
    refund = request_refund(fen, key)
    assert sweeping.send_refund()
    abroad.till.work_later()
    return refund


def test_what_was_settled_is_booked_beside_what_was_paid(real_abroad: Abroad) -> None:
    attempt = paid(real_abroad.till)
    assert booked() == CAPTURED | ALLOCATED  # nobody knows yet what it is settled in

    first, second = real_abroad.reconcile(), real_abroad.reconcile(whole=True)

    (movement,) = movements()
    assert (movement.gross, movement.fee, movement.net, movement.currency) == (IN_HKD, FEE, IN_HKD - FEE, "HKD")
    assert (movement.shown, movement.rate) == (Money(3980), "1.08")
    assert (movement.verdict, movement.matched_entry) == (Verdict.MATCHED, f"capture:{attempt}")
    assert lines_of(f"settled:{movement.remote_id}") == {
        ("gateway_clearing", "CNY", -3980),
        ("fx_conversion", "CNY", 3980),
        ("gateway_clearing", "HKD", IN_HKD),
        ("fx_conversion", "HKD", -IN_HKD),
    }
    assert (clearing("CNY"), clearing("HKD"), balance("gateway_fee", "HKD", "test")) == (0, IN_HKD - FEE, FEE)
    assert balance("seller_held", "CNY", "s1") == -3980  # the seller is owed what the payer paid
    assert first.counts == second.counts == {"matched": 1}
    proof = second.proofs["HKD"]
    assert (proof.balance, proof.movements, proof.books) == (IN_HKD - FEE,) * 3
    assert real_abroad.held() == {"HKD": proof.books}
    assert second.proofs["CNY"].books == second.proofs["CNY"].movements == 0
    assert not first.is_red and not second.is_red
    assert named(real_abroad.till) == set()


def test_before_its_movement_is_read_it_is_on_its_way_in_yuan(abroad: Abroad) -> None:
    paid(abroad.till)
    with abroad.till.cashier.writing() as connection:  # a gateway that lists late
        late = connection.execute(select(storage.movement)).mappings().one()
        connection.execute(storage.movement.delete())

    standing = abroad.reconcile()

    assert standing.proofs["CNY"].on_the_way == 3980 and not standing.is_red
    with abroad.till.cashier.writing() as connection:
        connection.execute(storage.movement.insert().values(dict(late)))
    assert not abroad.reconcile().is_red
    assert (clearing("CNY"), clearing("HKD")) == (0, IN_HKD - FEE)


def test_what_a_refund_at_another_rate_costs_stays_in_conversion(real_abroad: Abroad) -> None:
    paid(real_abroad.till)
    real_abroad.reconcile()
    refund_back(real_abroad, 1000, "1.10", "parcel:1")
    in_part = real_abroad.reconcile()
    assert (balance("fx_conversion", "CNY"), balance("fx_conversion", "HKD")) == (2980, -IN_HKD + 1100)
    assert converting.left_over(db.session(), book="test") == {}  # not all of it went back: nothing is lost yet
    refund_back(real_abroad, 2980, "1.07", "parcel:2")

    standing = real_abroad.reconcile()

    assert not in_part.is_red and not standing.is_red and standing.counts == {"matched": 3}
    back = 1100 + 3189  # 3188.6
    assert (clearing("CNY"), clearing("HKD")) == (0, IN_HKD - FEE - back) and real_abroad.held()["HKD"] == clearing("HKD")
    assert converting.converted(db.session(), book="test") == {"HKD": back - IN_HKD}
    assert converting.left_over(db.session(), book="test") == {"HKD": back - IN_HKD}
    assert (balance("refund_in_transit", "CNY"), balance("seller_held", "CNY", "s1")) == (0, 0)
    assert named(real_abroad.till) == set()


@pytest.mark.parametrize("first_done", [True, False])
def test_a_refund_that_fails_comes_again_at_the_rate_of_that_day(abroad: Abroad, first_done: bool) -> None:
    paid(abroad.till)
    refund = request_refund(1000)
    abroad.rate_is("1.10")
    sweeping.send_refund()
    if first_done:
        abroad.till.work_later()
    waiting = abroad.reconcile()
    assert not waiting.is_red and waiting.proofs["HKD"].waiting == (0 if first_done else -1100)
    db.session.rollback()
    remote = db.session.scalars(select(Refund.remote_id)).one()
    assert remote
    abroad.rate_is("1.05")
    abroad.till.cashier.fail_refund(remote)

    standing = abroad.reconcile()

    assert standing.counts == {"matched": 3} and not standing.is_red
    keys = [movement.matched_entry for movement in movements()[1:]]
    assert keys == [f"refund_done:{refund}" if first_done else f"refund_failed:{refund}", f"refund_failed:{refund}"]
    assert (clearing("CNY"), clearing("HKD")) == (0, IN_HKD - FEE - 1100 + 1050)
    assert (balance("fx_conversion", "CNY"), balance("fx_conversion", "HKD")) == (3980, -IN_HKD + 50)
    assert named(abroad.till) == set()


@pytest.mark.parametrize("is_won", [True, False])
def test_a_dispute_takes_its_fee_in_what_is_settled(abroad: Abroad, is_won: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "bearers", {})
    attempt = paid(abroad.till)
    abroad.reconcile()
    remote = abroad.till.cashier.open_dispute(abroad.till.remote_of(attempt))
    abroad.till.work()
    row = db.session.scalars(select(Dispute)).one()
    assert (row.fen, row.currency, row.fee_fen, row.fee_currency) == (3980, "CNY", 1500, "HKD")
    assert lines_of(f"dispute:{row.public_id}") == {
        ("dispute_receivable", "CNY", 3980),
        ("gateway_clearing", "CNY", -3980),
        ("dispute_fee", "HKD", 1500),
        ("gateway_clearing", "HKD", -1500),
    }
    assert not abroad.reconcile().is_red
    assert (clearing("CNY"), clearing("HKD")) == (0, -FEE - 1500)
    abroad.rate_is("1.10")
    abroad.till.cashier.decide_dispute(remote, is_won=is_won)
    abroad.till.work()

    standing = abroad.reconcile()

    assert not standing.is_red and standing.counts == {"matched": 3 if is_won else 2}
    assert (clearing("CNY"), clearing("HKD")) == (0, (4378 if is_won else 0) - FEE - 1500)
    assert abroad.held()["HKD"] == clearing("HKD")
    assert balance("dispute_receivable", "CNY", "sandbox") == 0
    assert balance("chargeback_loss", "CNY") == (0 if is_won else 3980)
    assert balance("fx_conversion", "HKD") == (-4378 if is_won else 0)
    assert named(abroad.till) == set()


def test_yuan_that_the_bank_has_paid_leave_the_gateway_in_dollars_once(abroad: Abroad) -> None:
    paid(abroad.till)
    spend(1500)

    standing, again = abroad.reconcile(), abroad.reconcile()

    assert standing.counts == again.counts == {"matched": 2} and not again.is_red
    assert [(each.type, each.gross, each.presented) for each in movements()][1] == ("payout", -1620, -1500)
    assert (clearing("CNY"), clearing("HKD")) == (0, IN_HKD - FEE - 1620)


def test_a_dry_run_and_a_real_one_agree_and_the_first_books_nothing(abroad: Abroad) -> None:
    paid(abroad.till)
    rehearsed = rehearsing.rehearse(abroad.till.cashier, actor="test", whole=True)
    assert movements() == [] and clearing("HKD") == 0 and clearing("CNY") == 3980

    assert abroad.reconcile(whole=True) == rehearsed


def test_money_of_before_is_refunded_in_what_is_settled_today(quick_till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(quick_till)
    running.reconcile(quick_till.cashier, actor="test")
    abroad = abroad_of(quick_till, monkeypatch)
    refund_back(abroad, 3980, "1.08", "parcel:1")

    standing = abroad.reconcile()

    assert not standing.is_red
    assert (
        quick_till.cashier.balance()
        == {"CNY": 3980 - 24, "HKD": -IN_HKD}
        == {each: clearing(each) for each in standing.proofs}
    )
    assert named(quick_till) == set()


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"presented": 3981}, "3981 CNY there, 3980 in the books"),
        ({"presented_currency": "JPY"}, "3980 JPY there, 0 in the books"),
        ({"presented": None, "presented_currency": None}, f"{IN_HKD} HKD there, 0 in the books"),
        ({"gross": IN_HKD + 1}, f"{IN_HKD + 1} HKD there, booked otherwise"),
        ({"fee": FEE + 1}, f"fee {FEE + 1} there, {FEE} in the books"),
    ],
)
def test_what_the_gateway_tells_otherwise_later_is_a_difference(abroad: Abroad, change: dict[str, Any], note: str) -> None:
    paid(abroad.till)
    abroad.reconcile()
    before = (clearing("CNY"), clearing("HKD"))
    with abroad.till.cashier.writing() as connection:
        connection.execute(update(storage.movement).values(**change))

    standing = abroad.reconcile()

    (movement,) = movements()
    assert (movement.verdict, movement.note) == (Verdict.DIFFERS, note)
    assert standing.is_red and (clearing("CNY"), clearing("HKD")) == before


def test_another_sum_than_was_paid_is_never_converted(abroad: Abroad) -> None:
    attempt = abroad.till.start()
    abroad.till.pay(attempt)
    with abroad.till.cashier.writing() as connection:
        connection.execute(update(storage.movement).values(presented=3979))

    standing = abroad.reconcile()

    assert movements()[0].verdict is Verdict.DIFFERS and standing.is_red
    assert (clearing("CNY"), clearing("HKD"), balance("fx_conversion", "CNY")) == (3980, -FEE, 0)


def test_what_is_in_suspense_is_converted_too(abroad: Abroad) -> None:
    """A second payment under the name of one attempt."""
    attempt = paid(abroad.till)
    request = PaymentRequest(attempt, Money(500), "again", "http://127.0.0.1:8000/")
    second = abroad.till.cashier.start_payment(request, key="again")
    abroad.till.cashier.decide(second.remote_id, "succeeded")
    told = RemotePayment(second.remote_id, attempt, Money(500), AttemptState.SUCCEEDED, "succeeded", "test")
    in_transaction(outcomes.apply_payment, remote=told, gateway="sandbox", why="test")

    standing = abroad.reconcile()

    assert not standing.is_red and standing.counts == {"matched": 2}
    assert (balance("suspense", "CNY"), clearing("CNY"), clearing("HKD")) == (-500, 0, IN_HKD - FEE + 540 - 3)


def test_a_currency_without_smaller_parts(abroad: Abroad) -> None:
    abroad.rate_is("21.5", "JPY")
    paid(abroad.till)

    standing = abroad.reconcile()

    assert not standing.is_red and abroad.held() == {"JPY": 856 - 5}  # 855.7 yen, less 0.6 %
    assert (clearing("JPY"), clearing("CNY")) == (851, 0)


def test_the_grant_covers_fees_in_the_currency_that_they_were_taken_in(abroad: Abroad) -> None:
    month = clock.today()
    paid(abroad.till)
    abroad.reconcile()
    with time_machine.travel(clock.now() + timedelta(days=32)):
        assert in_transaction(fees.cover, month=month, book="test", actor="person:1") == {"HKD": FEE}
    assert balance("gateway_fee", "HKD", "test") == 0
    assert balance("operating_grant", "HKD", fees.PROVINCE) == FEE


def test_the_page_says_what_was_converted_and_what_it_cost(abroad: Abroad) -> None:
    browser: FlaskClient = abroad.till.app.test_client()
    attempt = paid(abroad.till)
    abroad.reconcile()
    signed_in(browser, "auditor")
    page = browser.get("/operator/reconciliation").text
    assert "换成了别的货币" in page and "¥39.80" in page and "42.98 HKD" in page
    assert "1.08" in browser.get(f"/operator/payments/{attempt}").text
    refund_back(abroad, 3980, "1.10", "parcel:1")
    abroad.reconcile()

    page = browser.get("/operator/reconciliation").text

    assert "退款时的汇率和付款时不一样，亏了" in page and "0.80 HKD" in page  # 43.78 less 42.98


def test_the_command_says_both_currencies(abroad: Abroad) -> None:
    paid(abroad.till)
    said = abroad.till.app.test_cli_runner().invoke(args=["payments", "reconcile"])
    assert said.exit_code == 0 and f"HKD: movements {IN_HKD - FEE}, books {IN_HKD - FEE}" in said.output


def test_stripe_tells_both_sums(shop: StripeTill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through Stripe's own library: a payment, a part of it back at another rate, a dispute over the rest."""
    abroad = abroad_of(shop.till, monkeypatch)
    attempt, session = shop.begin()
    shop.pay(session)
    assert not running.reconcile(shop.gateway, actor="test").is_red
    abroad.rate_is("1.10")
    back: dict[str, Any] = {"amount": Money(1000), "shares": {("seller_held", "s1"): Money(1000)}}
    in_transaction(refunds.request, purpose="order", reference=ORDER, reason_key="parcel:1", reason="refused", **back)
    assert sweeping.send_refund()
    shop.till.work_later()
    shop.till.cashier.open_dispute(session.removeprefix("cs_"))

    standing = running.reconcile(shop.gateway, actor="test")

    assert not standing.is_red and standing.counts == {"matched": 3}, standing
    told = db.session.execute(
        select(GatewayMovement.gross, GatewayMovement.presented, GatewayMovement.presented_currency, GatewayMovement.rate)
    ).all()
    assert sorted(tuple(row) for row in told) == [
        (-3278 - 1500, -2980, "CNY", "1.1"),
        (-1100, -1000, "CNY", "1.1"),
        (IN_HKD, 3980, "CNY", "1.08"),
    ]
    assert (clearing("CNY", "stripe"), clearing("HKD", "stripe")) == (0, IN_HKD - FEE - 1100 - 3278 - 1500)
    assert shop.gateway.balance() == {"HKD": clearing("HKD", "stripe")}
    row = db.session.scalars(select(Dispute)).one()
    assert (row.fee_fen, row.fee_currency) == (1500, "HKD")
    assert attempt


@pytest.mark.parametrize(
    ("fen", "rate", "currency", "settled"),
    [
        (3980, "1.08", "HKD", 4298),
        (1, "0.5", "HKD", 0),  # half to even
        (3, "0.5", "HKD", 2),
        (5, "0.5", "HKD", 2),
        (-3, "0.5", "HKD", -2),
        (100, "20", "JPY", 20),
        (100, "0.3", "KWD", 300),
        (10**13, "1.08", "HKD", 108 * 10**11),
    ],
)
def test_the_sandbox_rounds_as_banks_do(fen: int, rate: str, currency: str, settled: int) -> None:
    assert Conversion(currency, Decimal(rate)).of(Money(fen)) == Money(settled, currency)
    assert conversion_into("CNY") is None
