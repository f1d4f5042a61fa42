"""Listings come and go as sheets: imports, their rows and pictures, and the seller's own article number."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEPT = "article_number IS NOT NULL AND state <> 'archived'"


def upgrade() -> None:
    op.create_table(
        "listing_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "comparing",
                "unreadable",
                "ready",
                "applying",
                "applied",
                "undoing",
                "undone",
                "dropped",
                name="importstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("station_code", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sheet", sa.String(), nullable=False),
        sa.Column("pictures", sa.String(), nullable=False),
        sa.Column("submits", sa.Boolean(), nullable=False),
        sa.Column("only_good", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("done >= 0 AND total >= 0", name=op.f("ck_listing_import_figures")),
        sa.ForeignKeyConstraint(["seller_id"], ["person.id"], name=op.f("fk_listing_import_seller_id_person")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_listing_import_station_code_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_import")),
        sa.UniqueConstraint("public_id", name=op.f("uq_listing_import_public_id")),
    )
    with op.batch_alter_table("listing_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_listing_import_seller_id_id"), ["seller_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_listing_import_state_next_at"), ["state", "next_at"], unique=False)

    op.create_table(
        "listing_import_picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("made", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["listing_import.id"], name=op.f("fk_listing_import_picture_import_id_listing_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_import_picture")),
        sa.UniqueConstraint("import_id", "name", name=op.f("uq_listing_import_picture_import_id_name")),
    )
    op.create_table(
        "listing_import_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("flaws", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("was", sa.JSON(), nullable=False),
        sa.Column("entry", sa.JSON(), nullable=False),
        sa.Column("stock_change", sa.Integer(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["listing_import.id"], name=op.f("fk_listing_import_row_import_id_listing_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_import_row")),
        sa.UniqueConstraint("import_id", "number", name=op.f("uq_listing_import_row_import_id_number")),
    )
    with op.batch_alter_table("listing_import_row", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_listing_import_row_import_id_verdict_number"), ["import_id", "verdict", "number"], unique=False
        )

    op.add_column("listing", sa.Column("article_number", sa.String(), nullable=True))
    op.create_index(
        "uq_listing_article_number",
        "listing",
        ["seller_id", "article_number"],
        unique=True,
        sqlite_where=sa.text(KEPT),
        postgresql_where=sa.text(KEPT),
    )


def downgrade() -> None:
    op.drop_index("uq_listing_article_number", "listing")
    op.drop_column("listing", "article_number")

    with op.batch_alter_table("listing_import_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_import_row_import_id_verdict_number"))

    op.drop_table("listing_import_row")
    op.drop_table("listing_import_picture")
    with op.batch_alter_table("listing_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_import_state_next_at"))
        batch_op.drop_index(batch_op.f("ix_listing_import_seller_id_id"))

    op.drop_table("listing_import")
