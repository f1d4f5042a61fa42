"""Campaigns that live on a platform, or for a closed list; cash that is paid into the bank."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

PLATFORM = ("platform", "platform_url")
ONE_INVITATION = (
    ("one_invitation_to_an_address", ["campaign_id", "address"], "address <> '' AND withdrawn_at IS NULL"),
    ("one_invitation_by_a_code", ["code_hash"], "code_hash <> ''"),
)


def upgrade() -> None:
    op.create_table(
        "mirror_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "comparing",
                "unreadable",
                "ready",
                "taking",
                "taken",
                "dropped",
                name="filestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("kept_as", sa.String(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("same", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("done >= 0 AND same >= 0 AND taken >= 0", name=op.f("ck_mirror_file_figures")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_mirror_file_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_mirror_file_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirror_file")),
        sa.UniqueConstraint("public_id", name=op.f("uq_mirror_file_public_id")),
    )
    with op.batch_alter_table("mirror_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mirror_file_state_next_at"), ["state", "next_at"], unique=False)
        batch_op.create_index(
            "one_open_mirror_file",
            ["campaign_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('comparing', 'ready', 'taking')"),
            postgresql_where=sa.text("state IN ('comparing', 'ready', 'taking')"),
        )

    op.create_table(
        "mirror_total",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("gifts", sa.Integer(), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_mirror_total_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_mirror_total")),
    )
    op.create_table(
        "mirror_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("platform_number", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fen", sa.BigInteger(), nullable=True),
        sa.Column("shown_as", sa.String(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("was", sa.JSON(), nullable=True),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(decision = '') = (decided_by IS NULL)", name=op.f("ck_mirror_row_decided_by_somebody")),
        sa.CheckConstraint("decision IN ('', 'followed', 'kept')", name=op.f("ck_mirror_row_known_decision")),
        sa.CheckConstraint("verdict IN ('new', 'changed', 'refused')", name=op.f("ck_mirror_row_known_verdict")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_mirror_row_decided_by_person")),
        sa.ForeignKeyConstraint(["file_id"], ["mirror_file.id"], name=op.f("fk_mirror_row_file_id_mirror_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirror_row")),
        sa.UniqueConstraint("file_id", "number", name=op.f("uq_mirror_row_file_id_number")),
    )
    with op.batch_alter_table("mirror_row", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mirror_row_file_id_verdict_number"), ["file_id", "verdict", "number"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_mirror_row_platform_number_decision"), ["platform_number", "decision"], unique=False
        )

    op.create_table(
        "mirrored_gift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("platform_number", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("shown_as", sa.String(), nullable=False),
        sa.CheckConstraint("fen >= 0", name=op.f("ck_mirrored_gift_not_below_zero")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_mirrored_gift_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["file_id"], ["mirror_file.id"], name=op.f("fk_mirrored_gift_file_id_mirror_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirrored_gift")),
        sa.UniqueConstraint("campaign_id", "platform_number", name=op.f("uq_mirrored_gift_campaign_id_platform_number")),
    )
    with op.batch_alter_table("mirrored_gift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mirrored_gift_campaign_id_given_at"), ["campaign_id", "given_at"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("invited_by", sa.Integer(), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("(address <> '') <> (code_hash <> '')", name=op.f("ck_invitation_one_way_in")),
        sa.CheckConstraint("(person_id IS NULL) = (accepted_at IS NULL)", name=op.f("ck_invitation_accepted_by_somebody")),
        sa.CheckConstraint(
            "(withdrawn_by IS NULL) = (withdrawn_at IS NULL)", name=op.f("ck_invitation_withdrawn_by_somebody")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_invitation_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["invited_by"], ["person.id"], name=op.f("fk_invitation_invited_by_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_invitation_person_id_person")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["person.id"], name=op.f("fk_invitation_withdrawn_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("public_id", name=op.f("uq_invitation_public_id")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_campaign_id_person_id"), ["campaign_id", "person_id"], unique=False)
        for name, columns, which in ONE_INVITATION:
            where = sa.text(which)
            batch_op.create_index(name, columns, unique=True, sqlite_where=where, postgresql_where=where)

    op.create_table(
        "cash_deposit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("paid_in", "differs", "confirmed", "withdrawn", name="depositstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("slip_number", sa.String(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("clerk_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_fen", sa.BigInteger(), nullable=True),
        sa.Column("difference", sa.String(), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("fen > 0", name=op.f("ck_cash_deposit_pays_something")),
        sa.CheckConstraint(
            "state <> 'confirmed' OR (decider_id IS NOT NULL AND decider_id <> clerk_id)",
            name=op.f("ck_cash_deposit_two_people"),
        ),
        sa.CheckConstraint("state <> 'confirmed' OR found_fen = fen", name=op.f("ck_cash_deposit_the_same_sum")),
        sa.CheckConstraint(
            "state <> 'differs' OR (found_fen <> fen AND difference <> '')", name=op.f("ck_cash_deposit_difference_named")
        ),
        sa.CheckConstraint("(state = 'paid_in') = (decided_at IS NULL)", name=op.f("ck_cash_deposit_decided")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_cash_deposit_station_code_station")),
        sa.ForeignKeyConstraint(["clerk_id"], ["person.id"], name=op.f("fk_cash_deposit_clerk_id_person")),
        sa.ForeignKeyConstraint(["decider_id"], ["person.id"], name=op.f("fk_cash_deposit_decider_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cash_deposit")),
        sa.UniqueConstraint("public_id", name=op.f("uq_cash_deposit_public_id")),
    )
    with op.batch_alter_table("cash_deposit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cash_deposit_station_code_id"), ["station_code", "id"], unique=False)
        where = sa.text("state <> 'withdrawn'")
        batch_op.create_index(
            "one_slip_of_the_bank", ["slip_number"], unique=True, sqlite_where=where, postgresql_where=where
        )

    op.create_table(
        "deposited_gift",
        sa.Column("deposit_id", sa.Integer(), nullable=False),
        sa.Column("gift", sa.String(), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("drawn_number", sa.String(), nullable=False),
        sa.Column("drawn_by", sa.Integer(), nullable=True),
        sa.Column("arrived_by", sa.Integer(), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(drawn_by IS NULL) = (drawn_number = '')", name=op.f("ck_deposited_gift_drawn_with_number")),
        sa.CheckConstraint(
            "arrived_by IS NULL OR (drawn_by IS NOT NULL AND arrived_by <> drawn_by)",
            name=op.f("ck_deposited_gift_two_people_draw"),
        ),
        sa.ForeignKeyConstraint(["deposit_id"], ["cash_deposit.id"], name=op.f("fk_deposited_gift_deposit_id_cash_deposit")),
        sa.ForeignKeyConstraint(["gift"], ["cash_gift.gift"], name=op.f("fk_deposited_gift_gift_cash_gift")),
        sa.ForeignKeyConstraint(["drawn_by"], ["person.id"], name=op.f("fk_deposited_gift_drawn_by_person")),
        sa.ForeignKeyConstraint(["arrived_by"], ["person.id"], name=op.f("fk_deposited_gift_arrived_by_person")),
        sa.PrimaryKeyConstraint("deposit_id", "gift", name=op.f("pk_deposited_gift")),
    )
    with op.batch_alter_table("deposited_gift", schema=None) as batch_op:
        where = sa.text("stands")
        batch_op.create_index("one_deposit_of_a_gift", ["gift"], unique=True, sqlite_where=where, postgresql_where=where)

    for name in PLATFORM:
        op.add_column("campaign", sa.Column(name, sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        for name in PLATFORM:
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        for name in PLATFORM:
            batch_op.drop_column(name)

    op.drop_table("deposited_gift")
    op.drop_table("cash_deposit")
    op.drop_table("invitation")
    with op.batch_alter_table("mirrored_gift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mirrored_gift_campaign_id_given_at"))

    op.drop_table("mirrored_gift")
    with op.batch_alter_table("mirror_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mirror_row_platform_number_decision"))
        batch_op.drop_index(batch_op.f("ix_mirror_row_file_id_verdict_number"))

    op.drop_table("mirror_row")
    op.drop_table("mirror_total")
    with op.batch_alter_table("mirror_file", schema=None) as batch_op:
        batch_op.drop_index(
            "one_open_mirror_file",
            sqlite_where=sa.text("state IN ('comparing', 'ready', 'taking')"),
            postgresql_where=sa.text("state IN ('comparing', 'ready', 'taking')"),
        )
        batch_op.drop_index(batch_op.f("ix_mirror_file_state_next_at"))

    op.drop_table("mirror_file")
