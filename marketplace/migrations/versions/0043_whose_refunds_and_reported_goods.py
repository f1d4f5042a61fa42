"""Quality counts every refund and says on whom it fell; goods are pointed out to the province, which may look once more."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

CAUSES = ("on_seller", "on_station", "on_province", "not_sent", "called_off", "replaced", "lighter")
OPEN = "state = 'open' AND reporter_fingerprint IS NOT NULL"
AT_LEAST = " AND ".join(f"{cause} >= 0" for cause in CAUSES)
EACH = f"{AT_LEAST} AND refunded_lately = {' + '.join(CAUSES)}"


def upgrade() -> None:
    op.drop_table("quality_count")  # the worker counts again in its first turn: from the orders, as ever
    make_counts("sold", *(sa.Column(cause, sa.Integer(), nullable=False) for cause in CAUSES), causes=EACH)
    make_complaints()
    make_second_looks()


def downgrade() -> None:
    op.drop_table("listing_second_look")
    op.drop_table("listing_complaint")
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


def make_complaints() -> None:
    table = "listing_complaint"
    op.create_table(
        table,
        *columns_of_a_decision(),
        sa.Column("fault", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("reporter_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("reporter_fingerprint", sa.String(), nullable=True),
        sa.Column("station_code", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f(f"ck_{table}_decided_some_day")),
        sa.CheckConstraint("(state = 'open') = (answer = '')", name=op.f(f"ck_{table}_decided_in_words")),
        sa.CheckConstraint("(state = 'open') = (decided_by IS NULL)", name=op.f(f"ck_{table}_decided_by_somebody")),
        sa.CheckConstraint("reporter_id IS NULL OR address IS NULL", name=op.f(f"ck_{table}_one_way_to_tell")),
        sa.CheckConstraint("station_code IS NULL OR reporter_id IS NOT NULL", name=op.f(f"ck_{table}_stations_have_people")),
        foreign(table, "listing_id", "listing.id"),
        foreign(table, "reporter_id", "person.id"),
        foreign(table, "station_code", "station.code"),
        foreign(table, "decided_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    )
    with op.batch_alter_table(table, schema=None) as batch_op:
        for names in (["listing_id", "state", "id"], ["state", "id"], ["station_code", "id"], ["reporter_id"]):
            batch_op.create_index(batch_op.f(f"ix_{table}_{'_'.join(names)}"), names, unique=False)
        only_one(batch_op, "one_open_complaint_each", ["listing_id", "reporter_fingerprint"], OPEN)


def make_second_looks() -> None:
    table = "listing_second_look"
    op.create_table(
        table,
        *columns_of_a_decision(),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name=op.f(f"ck_{table}_decided_some_day")),
        sa.CheckConstraint(
            "state IN ('asked', 'dropped') OR (answer <> '' AND decided_by IS NOT NULL)",
            name=op.f(f"ck_{table}_decided_in_words"),
        ),
        foreign(table, "listing_id", "listing.id"),
        foreign(table, "asked_by", "person.id"),
        foreign(table, "decided_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    )
    with op.batch_alter_table(table, schema=None) as batch_op:
        for names in (["state", "id"], ["listing_id"], ["asked_by"]):
            batch_op.create_index(batch_op.f(f"ix_{table}_{'_'.join(names)}"), names, unique=False)
        only_one(batch_op, "one_second_look_waits", ["listing_id"], "state = 'asked'")


def columns_of_a_decision() -> list[sa.Column[Any]]:
    """What both tables have."""
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("listing_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
    ]


def foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}_{target.partition('.')[0]}"))


def only_one(batch_op: Any, name: str, columns: list[str], rows: str) -> None:
    batch_op.create_index(name, columns, unique=True, sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
