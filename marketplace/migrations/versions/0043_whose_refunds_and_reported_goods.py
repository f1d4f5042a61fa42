"""Quality counts every refund and says on whom it fell."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

CAUSES = ("on_seller", "on_station", "on_province", "not_sent", "called_off", "replaced", "lighter")
AT_LEAST = " AND ".join(f"{cause} >= 0" for cause in CAUSES)
EACH = f"{AT_LEAST} AND refunded_lately = {' + '.join(CAUSES)}"


def upgrade() -> None:
    op.drop_table("quality_count")  # the worker counts again in its first turn: from the orders, as ever
    make_counts("sold", *(sa.Column(cause, sa.Integer(), nullable=False) for cause in CAUSES), causes=EACH)


def downgrade() -> None:
    op.drop_table("quality_count")
    make_counts("delivered")


def make_counts(of: str, *more: sa.Column[int], causes: str = "") -> None:
    figures = (f"{of}_lately", "refunded_lately", of, "refunded")
    checks = [
        sa.CheckConstraint(f"0 <= refunded AND refunded <= {of}", name=op.f("ck_quality_count_ever")),
        sa.CheckConstraint(f"0 <= refunded_lately AND refunded_lately <= {of}_lately", name=op.f("ck_quality_count_lately")),
    ]
    if causes:
        checks.append(sa.CheckConstraint(causes, name=op.f("ck_quality_count_each_has_a_cause")))
    op.create_table(
        "quality_count",
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in figures),
        *more,
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        *checks,
        sa.PrimaryKeyConstraint("owner_kind", "owner", name=op.f("pk_quality_count")),
    )
