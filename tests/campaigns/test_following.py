"""From a gift's payment to the ledger of its campaign and to what was paid out of it, and reconciled in between."""

from crowdfund.campaigns import tracing
from marketplace.core.db import db
from marketplace.payments.reconciliation import running
from tests.campaigns.conftest import Fund
from tests.factories import signed_in
from tests.payments.conftest import booked, moved


def test_an_operator_follows_a_gift(fund: Fund) -> None:
    campaign = fund.open()
    gift = fund.give(campaign, 66_000)
    attempt = fund.attempt(gift)
    assert not running.reconcile(fund.cashier, actor="test").is_red
    client = fund.app.test_client()
    signed_in(client, "operator")

    page = client.get(f"/operator/payments/{attempt}").text

    assert f'href="/ledger/{campaign}"' in page and "¥660.00" in page and "手续费 ¥3.96" in page
    assert booked(gift) == moved("capture", "gateway_clearing:sandbox", f"restricted:{campaign}", 66_000)
    assert fund.balance(campaign) == 66_000  # the fee is nobody's but the province's


def test_what_is_not_there_leads_nowhere(fund: Fund) -> None:
    with fund.app.test_request_context():
        assert tracing.page_of_gift(db.session(), "nobody") is None
        assert tracing.page_of_disbursement(db.session(), "nothing") is None
