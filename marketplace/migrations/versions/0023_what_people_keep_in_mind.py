"""Favourites: packs that people keep in mind, and what they want to be told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "favourite",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("variant_code", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_price_fen", sa.Integer(), nullable=False),
        sa.Column("tells_price", sa.Boolean(), nullable=False),
        sa.Column("tells_return", sa.Boolean(), nullable=False),
        sa.Column("wish_fen", sa.Integer(), nullable=True),
        sa.Column("told_price_fen", sa.Integer(), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("was_away", sa.Boolean(), nullable=False),
        sa.Column("was_out_of_season", sa.Boolean(), nullable=False),
        sa.Column("seen_version", sa.Integer(), nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.CheckConstraint("saved_price_fen > 0", name=op.f("ck_favourite_saved_price")),
        sa.CheckConstraint("wish_fen IS NULL OR wish_fen > 0", name=op.f("ck_favourite_wish")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_favourite_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_favourite")),
        sa.UniqueConstraint("person_id", "variant_code", name=op.f("uq_favourite_person_id_variant_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_favourite_public_id")),
    )
    with op.batch_alter_table("favourite", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_favourite_variant_code"), ["variant_code"], unique=False)
        batch_op.create_index(
            "favourite_watched",
            ["looked_on"],
            unique=False,
            sqlite_where=sa.text("tells_price OR tells_return"),
            postgresql_where=sa.text("tells_price OR tells_return"),
        )


def downgrade() -> None:
    with op.batch_alter_table("favourite", schema=None) as batch_op:
        batch_op.drop_index(
            "favourite_watched",
            sqlite_where=sa.text("tells_price OR tells_return"),
            postgresql_where=sa.text("tells_price OR tells_return"),
        )
        batch_op.drop_index(batch_op.f("ix_favourite_variant_code"))

    op.drop_table("favourite")
