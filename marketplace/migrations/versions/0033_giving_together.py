"""Gifts in cash, in somebody's honour, by teams, of guests who may claim them; updates and comments; counted drawers."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("shown_as", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("words_state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "words_state IN ('waiting', 'shown', 'kept_back')", name=op.f("ck_campaign_comment_known_words_state")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_comment_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_campaign_comment_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_comment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_comment_public_id")),
    )
    with op.batch_alter_table("campaign_comment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_comment_campaign_id_words_state"), ["campaign_id", "words_state"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_campaign_comment_person_id"), ["person_id"], unique=False)

    op.create_table(
        "campaign_update",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("words_zh", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_campaign_update_author_id_person")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_update_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_update")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_update_public_id")),
    )
    with op.batch_alter_table("campaign_update", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_update_campaign_id_at"), ["campaign_id", "at"], unique=False)

    op.create_table(
        "cash_count",
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ledger_fen", sa.BigInteger(), nullable=False),
        sa.Column("counted_fen", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint("counted_fen >= 0", name=op.f("ck_cash_count_counted")),
        sa.ForeignKeyConstraint(
            ["station_code", "book", "day"],
            ["station_day.station_code", "station_day.book", "station_day.day"],
            name=op.f("fk_cash_count_station_code_station_day"),
        ),
        sa.PrimaryKeyConstraint("station_code", "book", "day", name=op.f("pk_cash_count")),
    )
    op.create_table(
        "team",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("leader_id", sa.Integer(), nullable=False),
        sa.Column("leader_shown_as", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("words_state", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("words_state IN ('', 'waiting', 'shown', 'kept_back')", name=op.f("ck_team_known_words_state")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_team_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["leader_id"], ["person.id"], name=op.f("fk_team_leader_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("public_id", name=op.f("uq_team_public_id")),
    )
    with op.batch_alter_table("team", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_campaign_id"), ["campaign_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_team_leader_id"), ["leader_id"], unique=False)

    op.create_table(
        "cash_gift",
        sa.Column("gift", sa.String(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("clerk_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_by", sa.Integer(), nullable=True),
        sa.Column("returned_why", sa.String(), nullable=False),
        sa.CheckConstraint("(returned_at IS NULL) = (returned_by IS NULL)", name=op.f("ck_cash_gift_returned_by_somebody")),
        sa.ForeignKeyConstraint(["clerk_id"], ["person.id"], name=op.f("fk_cash_gift_clerk_id_person")),
        sa.ForeignKeyConstraint(["gift"], ["contribution.public_id"], name=op.f("fk_cash_gift_gift_contribution")),
        sa.ForeignKeyConstraint(["returned_by"], ["person.id"], name=op.f("fk_cash_gift_returned_by_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_cash_gift_station_code_station")),
        sa.PrimaryKeyConstraint("gift", name=op.f("pk_cash_gift")),
    )
    with op.batch_alter_table("cash_gift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cash_gift_station_code_at"), ["station_code", "at"], unique=False)

    op.create_table(
        "dedication",
        sa.Column("gift", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("honoured", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gift"], ["contribution.public_id"], name=op.f("fk_dedication_gift_contribution")),
        sa.PrimaryKeyConstraint("gift", name=op.f("pk_dedication")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_dedication_token_hash")),
    )
    op.create_table(
        "guest_gift",
        sa.Column("gift", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["gift"], ["contribution.public_id"], name=op.f("fk_guest_gift_gift_contribution")),
        sa.PrimaryKeyConstraint("gift", name=op.f("pk_guest_gift")),
    )
    with op.batch_alter_table("guest_gift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guest_gift_address"), ["address"], unique=False)

    op.create_table(
        "team_gift",
        sa.Column("gift", sa.String(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["gift"], ["contribution.public_id"], name=op.f("fk_team_gift_gift_contribution")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_gift_team_id_team")),
        sa.PrimaryKeyConstraint("gift", name=op.f("pk_team_gift")),
    )
    with op.batch_alter_table("team_gift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_gift_team_id"), ["team_id"], unique=False)

    op.create_table(
        "update_picture",
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("update_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["update_id"], ["campaign_update.id"], name=op.f("fk_update_picture_update_id_campaign_update")
        ),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_update_picture")),
    )
    with op.batch_alter_table("update_picture", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_update_picture_update_id"), ["update_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("update_picture", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_update_picture_update_id"))

    op.drop_table("update_picture")
    with op.batch_alter_table("team_gift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_team_gift_team_id"))

    op.drop_table("team_gift")
    with op.batch_alter_table("guest_gift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guest_gift_address"))

    op.drop_table("guest_gift")
    op.drop_table("dedication")
    with op.batch_alter_table("cash_gift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cash_gift_station_code_at"))

    op.drop_table("cash_gift")
    with op.batch_alter_table("team", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_team_leader_id"))
        batch_op.drop_index(batch_op.f("ix_team_campaign_id"))

    op.drop_table("team")
    op.drop_table("cash_count")
    with op.batch_alter_table("campaign_update", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_update_campaign_id_at"))

    op.drop_table("campaign_update")
    with op.batch_alter_table("campaign_comment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_comment_person_id"))
        batch_op.drop_index(batch_op.f("ix_campaign_comment_campaign_id_words_state"))

    op.drop_table("campaign_comment")
