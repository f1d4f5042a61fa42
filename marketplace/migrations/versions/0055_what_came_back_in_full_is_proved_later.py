"""Whom a payment reached can be entered also where it counts as proved only because all of it came back."""

revision = "0055"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The guards of the database are put up anew after every migration."""


def downgrade() -> None:
    """As above."""
