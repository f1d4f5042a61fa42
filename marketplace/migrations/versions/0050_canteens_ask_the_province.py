"""An institution asks the province once where its station did not agree to a claim."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

WORDS: Final = ("appeal_words", "appeal_answer")
WHEN: Final = ("appealed_at", "appeal_answered_at")
CHECKS: Final = {
    "ck_goods_check_appeals_against_a_refusal": "appealed_at IS NULL OR state = 'rejected'",
    "ck_goods_check_is_asked_before_it_is_answered": "(appeal_answered_at IS NULL) = (appeal_is_granted IS NULL) "
    "AND (appeal_answered_at IS NULL OR appealed_at IS NOT NULL)",
}


def upgrade() -> None:
    with op.batch_alter_table("goods_check", schema=None) as batch_op:
        for name in WHEN:
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        for name in WORDS:
            batch_op.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("appeal_is_granted", sa.Boolean(), nullable=True))
    with op.batch_alter_table("goods_check", schema=None) as batch_op:
        for name in WORDS:
            batch_op.alter_column(name, existing_type=sa.String(), existing_nullable=False, server_default=None)
        for name, rule in CHECKS.items():
            batch_op.create_check_constraint(batch_op.f(name), rule)


def downgrade() -> None:
    """What was asked and answered is forgotten; what was credited stays."""
    with op.batch_alter_table("goods_check", schema=None) as batch_op:
        for name in CHECKS:
            batch_op.drop_constraint(batch_op.f(name), type_="check")
    with op.batch_alter_table("goods_check", schema=None) as batch_op:
        for name in (*WHEN, *WORDS, "appeal_is_granted"):
            batch_op.drop_column(name)
