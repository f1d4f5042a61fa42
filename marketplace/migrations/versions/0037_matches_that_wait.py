"""Matches that wait for a person, where gifts to a campaign with a fund come from, and funds that top up another."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

SHOWN = sa.text("message_state = 'shown'")
STATES = ("held", "proposed", "released", "denied", "lapsed")
THERE = "ck_matching_fund_no_more_than_is_there"


def upgrade() -> None:
    columns = ["campaign_id", "received_at"]
    op.create_index("words_shown", "contribution", columns, sqlite_where=SHOWN, postgresql_where=SHOWN)
    op.add_column("attempt", sa.Column("payer", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.alter_column("payer", server_default=None)
    with op.batch_alter_table("matching_fund", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held_fen", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("continues_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("matching_fund", schema=None) as batch_op:
        batch_op.alter_column("held_fen", server_default=None)
        batch_op.drop_constraint(op.f(THERE), type_="check")
        batch_op.create_check_constraint(op.f(THERE), "matched_fen + held_fen + gone_fen <= received_fen")
        batch_op.create_check_constraint(op.f("ck_matching_fund_held_sum"), "held_fen >= 0")
        batch_op.create_foreign_key(
            op.f("fk_matching_fund_continues_id_matching_fund"), "matching_fund", ["continues_id"], ["id"]
        )
    op.create_table(
        "held_match",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("fund_id", sa.Integer(), nullable=False),
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column("giver", sa.String(), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="heldstate", native_enum=False, length=40), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("released_fen", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("proposal", sa.String(), nullable=False),
        sa.Column("proposer_id", sa.Integer(), nullable=True),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("fen > 0", name=op.f("ck_held_match_keeps_something")),
        sa.CheckConstraint("released_fen >= 0 AND released_fen <= fen", name=op.f("ck_held_match_no_more_than_kept")),
        sa.CheckConstraint("state = 'released' OR released_fen = 0", name=op.f("ck_held_match_released_by_state")),
        sa.CheckConstraint(
            "state NOT IN ('released', 'denied') OR decider_id IS NOT NULL", name=op.f("ck_held_match_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "proposer_id IS NULL OR decider_id IS NULL OR proposer_id <> decider_id", name=op.f("ck_held_match_two_people")
        ),
        sa.CheckConstraint(
            "fen < 100000 OR state NOT IN ('released', 'denied') OR proposer_id IS NOT NULL",
            name=op.f("ck_held_match_large_by_two_people"),
        ),
        sa.CheckConstraint(
            "state <> 'proposed' OR (proposer_id IS NOT NULL AND proposal <> '')",
            name=op.f("ck_held_match_proposed_by_somebody"),
        ),
        sa.CheckConstraint("proposal IN ('', 'released', 'denied')", name=op.f("ck_held_match_known_proposal")),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name=op.f("fk_held_match_contribution_id_contribution")
        ),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_held_match_decider_id_person")),
        sa.ForeignKeyConstraint(["fund_id"], ["matching_fund.id"], name=op.f("fk_held_match_fund_id_matching_fund")),
        sa.ForeignKeyConstraint(["proposer_id"], ["person.id"], name=op.f("fk_held_match_proposer_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_match")),
        sa.UniqueConstraint("contribution_id", name=op.f("uq_held_match_contribution_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_held_match_public_id")),
    )
    op.create_index(op.f("ix_held_match_fund_id_giver"), "held_match", ["fund_id", "giver"])
    op.create_index(op.f("ix_held_match_state_at"), "held_match", ["state", "at"])
    op.create_table(
        "gift_trace",
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("card", sa.String(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=True),
        sa.Column("giver", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name=op.f("fk_gift_trace_contribution_id_contribution")
        ),
        sa.ForeignKeyConstraint(["series"], ["matching_fund.id"], name=op.f("fk_gift_trace_series_matching_fund")),
        sa.PrimaryKeyConstraint("contribution_id", name=op.f("pk_gift_trace")),
    )
    op.create_index(op.f("ix_gift_trace_series_card"), "gift_trace", ["series", "card"])
    op.create_index(op.f("ix_gift_trace_series_device"), "gift_trace", ["series", "device"])
    op.create_index(op.f("ix_gift_trace_series_giver"), "gift_trace", ["series", "giver"])
    op.create_index(op.f("ix_gift_trace_series_network_at"), "gift_trace", ["series", "network", "at"])
    op.create_index(op.f("ix_gift_trace_at"), "gift_trace", ["at"])
    op.create_table(
        "sponsor_trace",
        sa.Column("fund_id", sa.Integer(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["fund_id"], ["matching_fund.id"], name=op.f("fk_sponsor_trace_fund_id_matching_fund")),
        sa.PrimaryKeyConstraint("fund_id", name=op.f("pk_sponsor_trace")),
    )


def downgrade() -> None:
    op.drop_table("sponsor_trace")
    op.drop_table("gift_trace")
    op.drop_table("held_match")
    with op.batch_alter_table("matching_fund", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_matching_fund_continues_id_matching_fund"), type_="foreignkey")
        batch_op.drop_constraint(op.f("ck_matching_fund_held_sum"), type_="check")
        batch_op.drop_constraint(op.f(THERE), type_="check")
        batch_op.create_check_constraint(op.f(THERE), "matched_fen + gone_fen <= received_fen")
        batch_op.drop_column("continues_id")
        batch_op.drop_column("held_fen")
    op.drop_column("attempt", "payer")
    op.drop_index("words_shown", table_name="contribution")
