"""Matching funds, what each gift got of one, and public rows of matches that were taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BEFORE = "(kind IN ('gift', 'match', 'return') AND fen > 0) OR (kind IN ('refund', 'disbursement') AND fen < 0)"
SINCE = "(kind IN ('gift', 'match', 'return') AND fen > 0) OR (kind IN ('unmatch', 'refund', 'disbursement') AND fen < 0)"


def upgrade() -> None:
    op.create_table(
        "matching_fund",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("draft", "funded", "active", "exhausted", "closed", name="fundstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("sponsor", sa.String(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("contact_key", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("rate_percent", sa.Integer(), nullable=False),
        sa.Column("gift_cap_fen", sa.BigInteger(), nullable=False),
        sa.Column("giver_cap_fen", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("received_fen", sa.BigInteger(), nullable=False),
        sa.Column("matched_fen", sa.BigInteger(), nullable=False),
        sa.Column("gone_fen", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("approver_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate_percent > 0", name=op.f("ck_matching_fund_adds_something")),
        sa.CheckConstraint("gift_cap_fen > 0 AND giver_cap_fen > 0 AND total_fen > 0", name=op.f("ck_matching_fund_caps")),
        sa.CheckConstraint("received_fen >= 0 AND matched_fen >= 0 AND gone_fen >= 0", name=op.f("ck_matching_fund_sums")),
        sa.CheckConstraint("received_fen <= total_fen", name=op.f("ck_matching_fund_no_more_than_promised")),
        sa.CheckConstraint("matched_fen + gone_fen <= received_fen", name=op.f("ck_matching_fund_no_more_than_is_there")),
        sa.CheckConstraint("approver_id IS NULL OR approver_id <> owner_id", name=op.f("ck_matching_fund_two_people")),
        sa.CheckConstraint(
            "state NOT IN ('active', 'exhausted') OR approver_id IS NOT NULL",
            name=op.f("ck_matching_fund_activated_by_somebody"),
        ),
        sa.ForeignKeyConstraint(["approver_id"], ["person.id"], name=op.f("fk_matching_fund_approver_id_person")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_matching_fund_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_matching_fund_owner_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_matching_fund_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matching_fund")),
        sa.UniqueConstraint("public_id", name=op.f("uq_matching_fund_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_matching_fund_token_hash")),
    )
    with op.batch_alter_table("matching_fund", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_matching_fund_campaign_id_state"), ["campaign_id", "state"], unique=False)

    op.create_table(
        "gift_match",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fund_id", sa.Integer(), nullable=False),
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column("giver", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("spent_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_gift_match_adds_something")),
        sa.CheckConstraint(
            "returned_fen >= 0 AND spent_fen >= 0 AND returned_fen + spent_fen <= fen", name=op.f("ck_gift_match_sums")
        ),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name=op.f("fk_gift_match_contribution_id_contribution")
        ),
        sa.ForeignKeyConstraint(["fund_id"], ["matching_fund.id"], name=op.f("fk_gift_match_fund_id_matching_fund")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_match")),
        sa.UniqueConstraint("contribution_id", name=op.f("uq_gift_match_contribution_id")),
    )
    with op.batch_alter_table("gift_match", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gift_match_fund_id_giver"), ["fund_id", "giver"], unique=False)

    know_kinds(SINCE)


def know_kinds(kinds: str) -> None:
    with op.batch_alter_table("public_row", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_public_row_known_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_public_row_known_kind"), kinds)


def downgrade() -> None:
    know_kinds(BEFORE)
    with op.batch_alter_table("gift_match", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gift_match_fund_id_giver"))

    op.drop_table("gift_match")
    with op.batch_alter_table("matching_fund", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_matching_fund_campaign_id_state"))

    op.drop_table("matching_fund")
