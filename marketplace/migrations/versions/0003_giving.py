"""giving"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("choosing_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("cards", sa.JSON(), nullable=False),
        sa.Column("free", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
        sa.UniqueConstraint("choosing_id", "number", name=op.f("uq_deal_choosing_id_number")),
    )
    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deal_choosing_id"), ["choosing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_day"), ["day"], unique=False)

    op.create_table(
        "device_model",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("security_checked_on", sa.Date(), nullable=False),
        sa.Column("is_approved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_device_model")),
    )
    op.create_table(
        "draw_seed",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("seed_hash", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_draw_seed")),
    )
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
        "partner",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("voucher_length", sa.Integer(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('bank', 'telecom')", name=op.f("ck_partner_known_kind")),
        sa.CheckConstraint("voucher_length BETWEEN 0 AND 32", name=op.f("ck_partner_length")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_partner")),
    )
    op.create_table(
        "receipt_series",
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_receipt_series")),
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("partner_code", sa.String(), nullable=False),
        sa.Column("charity_zh", sa.String(), nullable=False),
        sa.Column("charity_en", sa.String(), nullable=False),
        sa.Column("model_code", sa.String(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("unit_value_fen", sa.Integer(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("file_hash", sa.String(), nullable=False),
        sa.CheckConstraint("length(file_hash) = 64", name=op.f("ck_agreement_has_file")),
        sa.CheckConstraint("quota > 0 AND unit_value_fen > 0", name=op.f("ck_agreement_promises_something")),
        sa.ForeignKeyConstraint(["model_code"], ["device_model.code"], name=op.f("fk_agreement_model_code_device_model")),
        sa.ForeignKeyConstraint(["partner_code"], ["partner.code"], name=op.f("fk_agreement_partner_code_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("file_hash", name=op.f("uq_agreement_file_hash")),
        sa.UniqueConstraint("id", "quota", name=op.f("uq_agreement_id_quota")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agreement_public_id")),
    )
    op.create_table(
        "bank_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bank_code", sa.String(), nullable=False),
        sa.Column("file_hash", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("control_count", sa.Integer(), nullable=False),
        sa.Column("control_total", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('applied', 'received', 'rejected')", name=op.f("ck_bank_file_known_state")),
        sa.CheckConstraint(
            "length(file_hash) = 64 AND sequence > 0 AND control_count >= 0", name=op.f("ck_bank_file_figures")
        ),
        sa.ForeignKeyConstraint(["bank_code"], ["partner.code"], name=op.f("fk_bank_file_bank_code_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_file")),
        sa.UniqueConstraint("bank_code", "file_hash", name=op.f("uq_bank_file_bank_code_file_hash")),
        sa.UniqueConstraint("bank_code", "period", "sequence", name=op.f("uq_bank_file_bank_code_period_sequence")),
    )
    op.create_table(
        "voucher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("bank_code", sa.String(), nullable=False),
        sa.Column("number_hash", sa.String(), nullable=False),
        sa.Column("last4", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "claimed",
                "held",
                "verified",
                "redeemed",
                "reversed",
                "expired",
                "disputed",
                "void",
                name="voucherstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancellations", sa.Integer(), nullable=False),
        sa.CheckConstraint("band IN ('', '100k', '10k', '30k', '50k')", name=op.f("ck_voucher_known_band")),
        sa.CheckConstraint("cancellations IN (0, 1)", name=op.f("ck_voucher_cancelled_once")),
        sa.CheckConstraint("length(number_hash) = 64 AND length(last4) <= 4", name=op.f("ck_voucher_no_number")),
        sa.ForeignKeyConstraint(["bank_code"], ["partner.code"], name=op.f("fk_voucher_bank_code_partner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("bank_code", "number_hash", name=op.f("uq_voucher_bank_code_number_hash")),
        sa.UniqueConstraint("public_id", name=op.f("uq_voucher_public_id")),
    )
    op.create_table(
        "bank_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("bank_code", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.CheckConstraint(
            "event IN ('correction', 'early_withdrawal', 'issue', 'reverse')", name=op.f("ck_bank_row_known_event")
        ),
        sa.CheckConstraint("state IN ('applied', 'conflict', 'waiting')", name=op.f("ck_bank_row_known_state")),
        sa.ForeignKeyConstraint(["bank_code"], ["partner.code"], name=op.f("fk_bank_row_bank_code_partner")),
        sa.ForeignKeyConstraint(["file_id"], ["bank_file.id"], name=op.f("fk_bank_row_file_id_bank_file")),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_bank_row_voucher_id_voucher")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_row")),
        sa.UniqueConstraint("bank_code", "serial", "event", name=op.f("uq_bank_row_bank_code_serial_event")),
    )
    with op.batch_alter_table("bank_row", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_row_file_id"), ["file_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_row_voucher_id"), ["voucher_id"], unique=False)

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
        "child_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("alias_zh", sa.String(), nullable=False),
        sa.Column("alias_en", sa.String(), nullable=False),
        sa.Column("county_code", sa.String(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("age_band", sa.String(), nullable=False),
        sa.Column("need_tier", sa.Integer(), nullable=False),
        sa.Column("need", sa.String(), nullable=False),
        sa.Column("waiting_since", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "nominated",
                "consented",
                "verified",
                "listed",
                "held",
                "matched",
                "ready",
                "delivered",
                "confirmed",
                "paused",
                "ineligible",
                "duplicate",
                "moved",
                "withdrawn",
                name="casestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("nominator_id", sa.Integer(), nullable=False),
        sa.Column("verifier_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("age_band IN ('12-14', '6-8', '9-11')", name=op.f("ck_child_case_known_age_band")),
        sa.CheckConstraint(
            "need IN ('call_grandparents', 'call_parents', 'way_to_school')", name=op.f("ck_child_case_known_need")
        ),
        sa.CheckConstraint(
            "verifier_id IS NOT NULL OR state IN ('consented', 'duplicate', 'ineligible', 'moved', 'nominated', 'withdrawn')",
            name=op.f("ck_child_case_was_verified"),
        ),
        sa.CheckConstraint("need_tier IN (1, 2, 3)", name=op.f("ck_child_case_known_need_tier")),
        sa.CheckConstraint("verifier_id IS NULL OR verifier_id <> nominator_id", name=op.f("ck_child_case_two_people")),
        sa.ForeignKeyConstraint(["county_code"], ["county.code"], name=op.f("fk_child_case_county_code_county")),
        sa.ForeignKeyConstraint(["nominator_id"], ["person.id"], name=op.f("fk_child_case_nominator_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_child_case_station_code_station")),
        sa.ForeignKeyConstraint(["verifier_id"], ["person.id"], name=op.f("fk_child_case_verifier_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_child_case")),
        sa.UniqueConstraint("alias_en", name=op.f("uq_child_case_alias_en")),
        sa.UniqueConstraint("alias_zh", name=op.f("uq_child_case_alias_zh")),
        sa.UniqueConstraint("id", "verifier_id", name=op.f("uq_child_case_id_verifier_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_child_case_public_id")),
    )
    with op.batch_alter_table("child_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_child_case_county_code"), ["county_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_child_case_state_county_code"), ["state", "county_code"], unique=False)

    op.create_table(
        "device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("imei", sa.String(), nullable=False),
        sa.Column("iccid", sa.String(), nullable=False),
        sa.Column("model_code", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.Integer(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "committed",
                "received",
                "checked",
                "in_transit",
                "at_station",
                "handed_over",
                "faulty",
                "lost",
                "returned",
                "replaced",
                name="devicestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "length(imei) = 15 AND (CAST(substr(imei, 1, 1) AS INTEGER) + (CASE WHEN CAST(substr(imei, 2, 1) AS INTEGER) > 4 THEN CAST(substr(imei, 2, 1) AS INTEGER) * 2 - 9 ELSE CAST(substr(imei, 2, 1) AS INTEGER) * 2 END) + CAST(substr(imei, 3, 1) AS INTEGER) + (CASE WHEN CAST(substr(imei, 4, 1) AS INTEGER) > 4 THEN CAST(substr(imei, 4, 1) AS INTEGER) * 2 - 9 ELSE CAST(substr(imei, 4, 1) AS INTEGER) * 2 END) + CAST(substr(imei, 5, 1) AS INTEGER) + (CASE WHEN CAST(substr(imei, 6, 1) AS INTEGER) > 4 THEN CAST(substr(imei, 6, 1) AS INTEGER) * 2 - 9 ELSE CAST(substr(imei, 6, 1) AS INTEGER) * 2 END) + CAST(substr(imei, 7, 1) AS INTEGER) + (CASE WHEN CAST(substr(imei, 8, 1) AS INTEGER) > 4 THEN CAST(substr(imei, 8, 1) AS INTEGER) * 2 - 9 ELSE CAST(substr(imei, 8, 1) AS INTEGER) * 2 END) + CAST(substr(imei, 9, 1) AS INTEGER) + (CASE WHEN CAST(substr(imei, 10, 1) AS INTEGER) > 4 THEN CAST(substr(imei, 10, 1) AS INTEGER) * 2 - 9 ELSE CAST(substr(imei, 10, 1) AS INTEGER) * 2 END) + CAST(substr(imei, 11, 1) AS INTEGER) + (CASE WHEN CAST(substr(imei, 12, 1) AS INTEGER) > 4 THEN CAST(substr(imei, 12, 1) AS INTEGER) * 2 - 9 ELSE CAST(substr(imei, 12, 1) AS INTEGER) * 2 END) + CAST(substr(imei, 13, 1) AS INTEGER) + (CASE WHEN CAST(substr(imei, 14, 1) AS INTEGER) > 4 THEN CAST(substr(imei, 14, 1) AS INTEGER) * 2 - 9 ELSE CAST(substr(imei, 14, 1) AS INTEGER) * 2 END) + CAST(substr(imei, 15, 1) AS INTEGER)) % 10 = 0",
            name=op.f("ck_device_imei"),
        ),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_device_agreement_id_agreement")),
        sa.ForeignKeyConstraint(["model_code"], ["device_model.code"], name=op.f("fk_device_model_code_device_model")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("iccid", name=op.f("uq_device_iccid")),
        sa.UniqueConstraint("imei", name=op.f("uq_device_imei")),
        sa.UniqueConstraint("public_id", name=op.f("uq_device_public_id")),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_agreement_id"), ["agreement_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_device_state_model_code"), ["state", "model_code"], unique=False)

    op.create_table(
        "programme",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.Integer(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("claimed", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("minimum_band", sa.String(), nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=False),
        sa.Column("claim_days", sa.Integer(), nullable=False),
        sa.Column("hold_minutes", sa.Integer(), nullable=False),
        sa.Column("pickup_days", sa.Integer(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.CheckConstraint("minimum_band IN ('100k', '10k', '30k', '50k')", name=op.f("ck_programme_known_minimum_band")),
        sa.CheckConstraint("claimed >= 0 AND claimed <= quota", name=op.f("ck_programme_within_quota")),
        sa.CheckConstraint("closes_on >= opens_on", name=op.f("ck_programme_dates")),
        sa.CheckConstraint(
            "hold_minutes > 0 AND pickup_days > 0 AND claim_days > 0 AND term_months > 0", name=op.f("ck_programme_times")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id", "quota"], ["agreement.id", "agreement.quota"], name=op.f("fk_programme_agreement_id_agreement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_programme_agreement_id")),
        sa.UniqueConstraint("code", name=op.f("uq_programme_code")),
    )
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
        "child_vault",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("identity_hash", sa.String(), nullable=True),
        sa.Column("guardian_phone_hash", sa.String(), nullable=True),
        sa.Column("data_key", sa.Text(), nullable=True),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(destroyed_at IS NULL AND data_key IS NOT NULL AND sealed IS NOT NULL AND identity_hash IS NOT NULL) OR (destroyed_at IS NOT NULL AND data_key IS NULL AND sealed IS NULL AND identity_hash IS NULL AND guardian_phone_hash IS NULL)",
            name=op.f("ck_child_vault_whole_or_gone"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["child_case.id"], name=op.f("fk_child_vault_case_id_child_case")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_child_vault")),
        sa.UniqueConstraint("identity_hash", name=op.f("uq_child_vault_identity_hash")),
    )
    with op.batch_alter_table("child_vault", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_child_vault_guardian_phone_hash"), ["guardian_phone_hash"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("guardian", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "guardian IN ('father', 'foster', 'grandparent', 'mother', 'relative')", name=op.f("ck_consent_known_guardian")
        ),
        sa.CheckConstraint("method IN ('paper', 'spoken')", name=op.f("ck_consent_known_method")),
        sa.CheckConstraint(
            "purpose IN ('collect', 'delivery_evidence', 'share_station', 'share_telecom', 'story')",
            name=op.f("ck_consent_known_purpose"),
        ),
        sa.CheckConstraint("withdrawn_at IS NULL OR withdrawn_at >= given_at", name=op.f("ck_consent_in_order")),
        sa.ForeignKeyConstraint(["case_id"], ["child_case.id"], name=op.f("fk_consent_case_id_child_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("case_id", "purpose", name=op.f("uq_consent_case_id_purpose")),
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
        "pledge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("tracking_code", sa.String(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("saver_id", sa.Integer(), nullable=True),
        sa.Column("saver_phone_hash", sa.String(), nullable=True),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "provisional",
                "on_hold",
                "confirmed",
                "allocated",
                "at_station",
                "handed_over",
                "verified",
                "expired",
                "cancelled",
                "revoked",
                "reassigned",
                name="pledgestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "confirmed_at IS NOT NULL OR state NOT IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'verified')",
            name=op.f("ck_pledge_bank_has_confirmed"),
        ),
        sa.CheckConstraint(
            "declared_at IS NOT NULL OR state IN ('cancelled', 'expired', 'held')", name=op.f("ck_pledge_was_declared")
        ),
        sa.CheckConstraint("supersedes_id IS NULL OR supersedes_id <> id", name=op.f("ck_pledge_not_itself")),
        sa.ForeignKeyConstraint(["case_id"], ["child_case.id"], name=op.f("fk_pledge_case_id_child_case")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_pledge_programme_id_programme")),
        sa.ForeignKeyConstraint(["saver_id"], ["person.id"], name=op.f("fk_pledge_saver_id_person")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["pledge.id"], name=op.f("fk_pledge_supersedes_id_pledge")),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_pledge_voucher_id_voucher")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledge")),
        sa.UniqueConstraint("public_id", name=op.f("uq_pledge_public_id")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_pledge_supersedes_id")),
        sa.UniqueConstraint("tracking_code", name=op.f("uq_pledge_tracking_code")),
    )
    with op.batch_alter_table("pledge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pledge_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pledge_saver_id"), ["saver_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pledge_state_programme_id"), ["state", "programme_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_pledge_voucher_id"), ["voucher_id"], unique=False)
        batch_op.create_index(
            "one_active_pledge_for_child",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text(
                "state IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'held', 'on_hold', 'provisional', 'verified')"
            ),
            postgresql_where=sa.text(
                "state IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'held', 'on_hold', 'provisional', 'verified')"
            ),
        )
        batch_op.create_index(
            "one_active_pledge_of_voucher",
            ["voucher_id"],
            unique=True,
            sqlite_where=sa.text(
                "state IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'held', 'on_hold', 'provisional', 'verified')"
            ),
            postgresql_where=sa.text(
                "state IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'held', 'on_hold', 'provisional', 'verified')"
            ),
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
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("pledge_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_fingerprint", sa.String(), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["child_case.id"], name=op.f("fk_assignment_case_id_child_case")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_assignment_device_id_device")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_assignment_pledge_id_pledge")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("id", "case_id", name=op.f("uq_assignment_id_case_id")),
        sa.UniqueConstraint("pledge_id", name=op.f("uq_assignment_pledge_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_assignment_public_id")),
    )
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_index(
            "one_assignment_of_device",
            ["device_id"],
            unique=True,
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )

    op.create_table(
        "choosing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("number_hash", sa.String(), nullable=False),
        sa.Column("last4", sa.String(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("deals", sa.Integer(), nullable=False),
        sa.Column("pledge_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("deals BETWEEN 0 AND 3", name=op.f("ck_choosing_refreshes")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_choosing_pledge_id_pledge")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_choosing_programme_id_programme")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choosing")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_choosing_token_hash")),
    )
    with op.batch_alter_table("choosing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_choosing_at"), ["at"], unique=False)

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

    op.create_table(
        "handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("clerk_id", sa.Integer(), nullable=False),
        sa.Column("witness_id", sa.Integer(), nullable=False),
        sa.Column("verifier_id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("method IN ('code', 'signature')", name=op.f("ck_handover_known_method")),
        sa.CheckConstraint(
            "recipient IN ('father', 'foster', 'grandparent', 'mother', 'relative')",
            name=op.f("ck_handover_known_recipient"),
        ),
        sa.CheckConstraint("clerk_id <> witness_id", name=op.f("ck_handover_clerk_and_witness")),
        sa.CheckConstraint(
            "verifier_id <> clerk_id AND verifier_id <> witness_id", name=op.f("ck_handover_never_the_verifier")
        ),
        sa.ForeignKeyConstraint(
            ["assignment_id", "case_id"],
            ["assignment.id", "assignment.case_id"],
            name=op.f("fk_handover_assignment_id_assignment"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id", "verifier_id"],
            ["child_case.id", "child_case.verifier_id"],
            name=op.f("fk_handover_case_id_child_case"),
        ),
        sa.ForeignKeyConstraint(["clerk_id"], ["person.id"], name=op.f("fk_handover_clerk_id_person")),
        sa.ForeignKeyConstraint(["witness_id"], ["person.id"], name=op.f("fk_handover_witness_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.create_index(
            "one_final_handover",
            ["assignment_id"],
            unique=True,
            sqlite_where=sa.text("is_final"),
            postgresql_where=sa.text("is_final"),
        )


def downgrade() -> None:
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.drop_index("one_final_handover", sqlite_where=sa.text("is_final"), postgresql_where=sa.text("is_final"))

    op.drop_table("handover")
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
    with op.batch_alter_table("choosing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_choosing_at"))

    op.drop_table("choosing")
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index(
            "one_assignment_of_device",
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )

    op.drop_table("assignment")
    with op.batch_alter_table("public_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_public_row_campaign_id_id"))
        batch_op.drop_index(batch_op.f("ix_public_row_at"))

    op.drop_table("public_row")
    with op.batch_alter_table("pledge", schema=None) as batch_op:
        batch_op.drop_index(
            "one_active_pledge_of_voucher",
            sqlite_where=sa.text(
                "state IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'held', 'on_hold', 'provisional', 'verified')"
            ),
            postgresql_where=sa.text(
                "state IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'held', 'on_hold', 'provisional', 'verified')"
            ),
        )
        batch_op.drop_index(
            "one_active_pledge_for_child",
            sqlite_where=sa.text(
                "state IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'held', 'on_hold', 'provisional', 'verified')"
            ),
            postgresql_where=sa.text(
                "state IN ('allocated', 'at_station', 'confirmed', 'handed_over', 'held', 'on_hold', 'provisional', 'verified')"
            ),
        )
        batch_op.drop_index(batch_op.f("ix_pledge_voucher_id"))
        batch_op.drop_index(batch_op.f("ix_pledge_state_programme_id"))
        batch_op.drop_index(batch_op.f("ix_pledge_saver_id"))
        batch_op.drop_index(batch_op.f("ix_pledge_case_id"))

    op.drop_table("pledge")
    op.drop_table("ledger_day")
    with op.batch_alter_table("contribution", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contribution_person_id"))
        batch_op.drop_index(batch_op.f("ix_contribution_campaign_id_state_message_state"))

    op.drop_table("contribution")
    op.drop_table("consent")
    with op.batch_alter_table("child_vault", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_child_vault_guardian_phone_hash"))

    op.drop_table("child_vault")
    op.drop_table("budget_line")
    op.drop_table("programme")
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_state_model_code"))
        batch_op.drop_index(batch_op.f("ix_device_agreement_id"))

    op.drop_table("device")
    with op.batch_alter_table("child_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_child_case_state_county_code"))
        batch_op.drop_index(batch_op.f("ix_child_case_county_code"))

    op.drop_table("child_case")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_state_ends_on"))

    op.drop_table("campaign")
    with op.batch_alter_table("bank_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_row_voucher_id"))
        batch_op.drop_index(batch_op.f("ix_bank_row_file_id"))

    op.drop_table("bank_row")
    op.drop_table("voucher")
    op.drop_table("bank_file")
    op.drop_table("agreement")
    op.drop_table("receipt_series")
    op.drop_table("partner")
    op.drop_table("organisation")
    op.drop_table("ledger_check")
    op.drop_table("draw_seed")
    op.drop_table("device_model")
    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_day"))
        batch_op.drop_index(batch_op.f("ix_deal_choosing_id"))

    op.drop_table("deal")
