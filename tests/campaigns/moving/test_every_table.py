"""Every table of the house is carried, made again, or left behind for a reason: the next one cannot be forgotten."""

from typing import Final

from crowdfund.campaigns.moving.tables import carried
from marketplace.core.db import Base
from marketplace.parts import tables

WITH_OTHERS: Final = {
    "entry": "entries.jsonl, whole",
    "line": "entries.jsonl, with its entry",
    "receipt_gift": "receipt.jsonl, with its receipt",
    "public_row": "ledger.jsonl",
    "sealed_row": "ledger.jsonl",
    "seal": "ledger.jsonl and seals.jsonl",
    "daily_root": "ledger.jsonl",
}
MADE_AGAIN: Final = {
    "ledger_account": "by the entries",
    "ledger_day": "by the sealer's command",
    "given_money": "by the follower's command",
    "spent_money": "by the follower's command",
    "money_followed": "by the follower's command",
    "ledger_told": "what happened there is no news here",
    "person": "a number for each who decided, without a name or a way in",
}
OF_GIVERS: Final = {
    "plan": "consent to monthly gifts is between its giver and the old house; its months are gifts like others",
    "installment": "with its plan",
    "sponsorship": "with its plan",
    "invitation": "who is on a closed list is the old house's to know",
    "guest_gift": "a keyed hash of an address, by which a gift is claimed",
    "dedication": "whom a gift honours, and where they are written to",
    "gift_trace": "where a gift came from",
    "sponsor_trace": "where a sponsor came from",
    "yearly_choice": "somebody's wish, with their account",
    "campaign_comment": "somebody's words under their account",
}
OF_THE_OLD_HOUSE: Final = {
    "giving_import": "each house's own",
    "dispute_evidence": "what the old house told a bank, with names",
    "gateway_cursor": "between the old house and its gateway",
    "gateway_event": "between the old house and its gateway",
    "gateway_movement": "between the old house and its gateway",
    "cash_count": "what a desk counted in one drawer for goods and gifts",
    "station_day": "with its counts",
    "ledger_check": "what was looked at there",
    "reconciliation_run": "what was looked at there",
    "reconciliation_switch": "what was looked at there",
    "organisation_entry": "what two operators there said of a certificate; the organisation comes as it stands",
    "officer_entry": "what two operators there said of somebody with an account there",
    "audit_record": "a chain of its own, of everything in the old house",
    "message": "letters to givers",
    "media": "copied with the media folder",
    "province": "comes with the places of every house",
}
ACCOUNTS: Final = (
    "access_token address consent endpoint delivery delivery_try one_time_code partner rate_window recovery_code role_grant "
    "sign_in_session"
)
MACHINERY: Final = "cache_tag idempotency_key outbox"
TRADE: Final = (
    "account_order account_statement after_sales_case agreement allotment arrival arrival_line backing bank_file bank_row "
    "bank_transfer bill_credit cart cart_item case_appeal case_picture category certificate customer_review desk_act "
    "desk_client favourite feedback_count forecast gateway_payee goods_check goods_check_line goods_check_picture group_buy "
    "group_member group_offer institution institution_member invoice invoice_request listing listing_change listing_consent "
    "listing_complaint listing_import listing_import_picture listing_import_row listing_review listing_revision "
    "listing_second_look order order_line parcel "
    "payout_account pickup_number presale presale_tier presale_update price_tier promotion promotion_use quality_count "
    "question refund_line review_picture seller settlement_batch settlement_line shipping_rate silence statement_line "
    "stock_movement substitute transfer transfer_reversal variant"
)
PLEDGES: Final = (
    "assignment child_case child_vault choosing deal device device_model draw_seed handover pledge programme voucher"
)


def test_every_table_is_carried_or_made_again_or_left_behind() -> None:
    assert tables.MODELS
    known = [
        *{each.name for each in carried()},
        *(name for reasons in (WITH_OTHERS, MADE_AGAIN, OF_GIVERS, OF_THE_OLD_HOUSE) for name in reasons),
        *(name for names in (ACCOUNTS, MACHINERY, TRADE, PLEDGES) for name in names.split()),
    ]
    assert sorted(known) == sorted(Base.metadata.tables)


def test_every_column_that_names_somebody_is_a_number_or_left_behind() -> None:
    """A column to `person` that nobody thought of would be refused by the other house, or would name another person."""
    bare = {
        f"{each.name}.{column.name}"
        for each in carried()
        for column in each.table.columns
        if any(key.column.table.name == "person" for key in column.foreign_keys)
        and column.name in each.columns
        and column.name not in {*each.people, *each.alone}
    }
    assert bare == set()
    kept_as_secret = {
        f"{each.name}.{column.name}"
        for each in carried()
        for column in each.table.columns
        if type(column.type).__name__ == "Encrypted" and column.name in each.columns
    }
    assert kept_as_secret == set()
