"""giving: campaigns, gifts, payments, receipts, the public ledger"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("broken_number", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_check")),
    )
    op.create_table(
        "organisation",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("credit_code", sa.String(), nullable=False),
        sa.Column("certificate_number", sa.String(), nullable=False),
        sa.Column("certificate_from", sa.Date(), nullable=False),
        sa.Column("certificate_until", sa.Date(), nullable=False),
        sa.Column("address_zh", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("certificate_until > certificate_from", name=op.f("ck_organisation_certificate_dates")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_organisation")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_organisation_credit_code")),
    )
    op.create_table(
        "receipt_series",
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_receipt_series")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("organisation_code", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "needs_work",
                "approved",
                "live",
                "paused",
                "ended",
                "cancelled",
                "disbursing",
                "reported",
                "closed",
                name="campaignstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=True),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("story_zh", sa.String(), nullable=False),
        sa.Column("purpose_zh", sa.String(), nullable=False),
        sa.Column("beneficiaries_zh", sa.String(), nullable=False),
        sa.Column("criteria_zh", sa.String(), nullable=False),
        sa.Column("region_zh", sa.String(), nullable=False),
        sa.Column("leader_zh", sa.String(), nullable=False),
        sa.Column("bank_account_zh", sa.String(), nullable=False),
        sa.Column("residue_zh", sa.String(), nullable=False),
        sa.Column("filing_number", sa.String(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("goal_fen", sa.BigInteger(), nullable=False),
        sa.Column("past_goal", sa.String(), nullable=False),
        sa.Column("next_project_zh", sa.String(), nullable=False),
        sa.Column("unit_fen", sa.Integer(), nullable=True),
        sa.Column("unit_zh", sa.String(), nullable=False),
        sa.Column("unit_en", sa.String(), nullable=False),
        sa.Column("milestones_zh", sa.JSON(), nullable=False),
        sa.Column("drawings", sa.JSON(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('own_site', 'mirror', 'directed')", name=op.f("ck_campaign_known_channel")),
        sa.CheckConstraint("kind IN ('donation', 'student_aid')", name=op.f("ck_campaign_known_kind")),
        sa.CheckConstraint("past_goal IN ('stop', 'stretch', 'next_project')", name=op.f("ck_campaign_known_past_goal")),
        sa.CheckConstraint(
            "state NOT IN ('cancelled', 'closed', 'disbursing', 'ended', 'live', 'paused', 'reported') OR (reviewer_id IS NOT NULL AND filing_number <> '' AND filed_on IS NOT NULL)",
            name=op.f("ck_campaign_opened_as_the_law_wants"),
        ),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_campaign_dates")),
        sa.CheckConstraint("goal_fen > 0", name=op.f("ck_campaign_has_goal")),
        sa.CheckConstraint("reviewer_id IS NULL OR reviewer_id <> owner_id", name=op.f("ck_campaign_two_people")),
        sa.ForeignKeyConstraint(
            ["organisation_code"], ["organisation.code"], name=op.f("fk_campaign_organisation_code_organisation")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_campaign_owner_id_person")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name=op.f("fk_campaign_reviewer_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_campaign_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_public_id")),
    )
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_state_ends_on"), ["state", "ends_on"], unique=False)

    op.create_table(
        "budget_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_budget_line_is_something")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_budget_line_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_line")),
        sa.UniqueConstraint("campaign_id", "id", name=op.f("uq_budget_line_campaign_id_id")),
        sa.UniqueConstraint("campaign_id", "position", name=op.f("uq_budget_line_campaign_id_position")),
    )
    op.create_table(
        "contribution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("intent", "pending", "received", "lapsed", name="contributionstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("anonymity", sa.String(), nullable=False),
        sa.Column("shown_as", sa.String(), nullable=False),
        sa.Column("giver", sa.Text(), nullable=True),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("message_state", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("anonymity IN ('named', 'masked', 'anonymous')", name=op.f("ck_contribution_known_anonymity")),
        sa.CheckConstraint(
            "message_state IN ('', 'waiting', 'shown', 'kept_back')", name=op.f("ck_contribution_known_message_state")
        ),
        sa.CheckConstraint("fen > 0", name=op.f("ck_contribution_gives_something")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_contribution_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_contribution_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contribution")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contribution_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_contribution_token_hash")),
    )
    with op.batch_alter_table("contribution", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contribution_campaign_id_state_message_state"),
            ["campaign_id", "state", "message_state"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_contribution_person_id"), ["person_id"], unique=False)

    op.create_table(
        "ledger_day",
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("received_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), nullable=False),
        sa.Column("spent_fen", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_ledger_day_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("book", "campaign_id", "day", name=op.f("pk_ledger_day")),
    )
    op.create_table(
        "public_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('gift', 'match', 'return') AND fen > 0) OR (kind IN ('refund', 'disbursement') AND fen < 0)",
            name=op.f("ck_public_row_known_kind"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_public_row_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_row")),
        sa.UniqueConstraint("reference", "kind", name=op.f("uq_public_row_reference_kind")),
    )
    with op.batch_alter_table("public_row", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_public_row_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_public_row_campaign_id_id"), ["campaign_id", "id"], unique=False)

    op.create_table(
        "disbursement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("budget_line_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "rejected",
                "paying",
                "failed",
                "paid",
                "evidenced",
                name="disbursementstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("purpose_zh", sa.String(), nullable=False),
        sa.Column("provider_zh", sa.String(), nullable=False),
        sa.Column("provider_credit_code", sa.String(), nullable=False),
        sa.Column("invoice_number", sa.String(), nullable=False),
        sa.Column("requester_id", sa.Integer(), nullable=False),
        sa.Column("approver_id", sa.Integer(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bank_reference", sa.String(), nullable=False),
        sa.Column("evidence_due_on", sa.Date(), nullable=True),
        sa.CheckConstraint("approver_id IS NULL OR approver_id <> requester_id", name=op.f("ck_disbursement_two_people")),
        sa.CheckConstraint("fen > 0", name=op.f("ck_disbursement_pays_something")),
        sa.ForeignKeyConstraint(["approver_id"], ["person.id"], name=op.f("fk_disbursement_approver_id_person")),
        sa.ForeignKeyConstraint(
            ["campaign_id", "budget_line_id"],
            ["budget_line.campaign_id", "budget_line.id"],
            name=op.f("fk_disbursement_campaign_id_budget_line"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_disbursement_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["requester_id"], ["person.id"], name=op.f("fk_disbursement_requester_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disbursement")),
        sa.UniqueConstraint(
            "provider_credit_code", "invoice_number", name=op.f("uq_disbursement_provider_credit_code_invoice_number")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_disbursement_public_id")),
    )
    with op.batch_alter_table("disbursement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_disbursement_campaign_id_state"), ["campaign_id", "state"], unique=False)

    op.create_table(
        "receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("check_code", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("contribution_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("issued", "voided", "reissued", "waived", name="receiptstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contribution_id"], ["contribution.id"], name=op.f("fk_receipt_contribution_id_contribution")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("public_id", name=op.f("uq_receipt_public_id")),
        sa.UniqueConstraint("series", "sequence", name=op.f("uq_receipt_series_sequence")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_contribution_id"), ["contribution_id"], unique=False)
        batch_op.create_index(
            "one_valid_receipt",
            ["contribution_id"],
            unique=True,
            sqlite_where=sa.text("state = 'issued'"),
            postgresql_where=sa.text("state = 'issued'"),
        )

    op.create_table(
        "sealed_row",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("book", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("campaign_fen", sa.BigInteger(), nullable=False),
        sa.Column("book_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_sealed_row_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["row_id"], ["public_row.id"], name=op.f("fk_sealed_row_row_id_public_row")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sealed_row")),
        sa.UniqueConstraint("row_id", name=op.f("uq_sealed_row_row_id")),
    )
    with op.batch_alter_table("sealed_row", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sealed_row_at"), ["at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_sealed_row_book_campaign_id_number"), ["book", "campaign_id", "number"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_sealed_row_book_kind_number"), ["book", "kind", "number"], unique=False)
        batch_op.create_index(batch_op.f("ix_sealed_row_book_number"), ["book", "number"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("disbursement_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("words_zh", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_evidence_added_by_person")),
        sa.ForeignKeyConstraint(
            ["disbursement_id"], ["disbursement.id"], name=op.f("fk_evidence_disbursement_id_disbursement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("public_id", name=op.f("uq_evidence_public_id")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_disbursement_id"), ["disbursement_id"], unique=False)



def downgrade() -> None:
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_disbursement_id"))

    op.drop_table("evidence")
    with op.batch_alter_table("sealed_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sealed_row_book_number"))
        batch_op.drop_index(batch_op.f("ix_sealed_row_book_kind_number"))
        batch_op.drop_index(batch_op.f("ix_sealed_row_book_campaign_id_number"))
        batch_op.drop_index(batch_op.f("ix_sealed_row_at"))

    op.drop_table("sealed_row")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index(
            "one_valid_receipt", sqlite_where=sa.text("state = 'issued'"), postgresql_where=sa.text("state = 'issued'")
        )
        batch_op.drop_index(batch_op.f("ix_receipt_contribution_id"))

    op.drop_table("receipt")
    with op.batch_alter_table("disbursement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_disbursement_campaign_id_state"))

    op.drop_table("disbursement")
    with op.batch_alter_table("public_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_public_row_campaign_id_id"))
        batch_op.drop_index(batch_op.f("ix_public_row_at"))

    op.drop_table("public_row")
    op.drop_table("ledger_day")
    with op.batch_alter_table("contribution", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contribution_person_id"))
        batch_op.drop_index(batch_op.f("ix_contribution_campaign_id_state_message_state"))

    op.drop_table("contribution")
    op.drop_table("budget_line")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_state_ends_on"))

    op.drop_table("campaign")
    op.drop_table("receipt_series")
    op.drop_table("organisation")
    op.drop_table("ledger_check")
