"""How far an import of another house's giving has come, so that it goes on where it was interrupted."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock
from marketplace.core.db import Base


class GivingImport(Base):
    """One row, and none in a house that began its own giving. `manifest_sha256` names the export that is being read."""

    __tablename__ = "giving_import"
    __table_args__ = (CheckConstraint("id = 1", "only_one"), CheckConstraint("lines >= 0", "counts"))
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    manifest_sha256: Mapped[str]
    file: Mapped[str] = mapped_column(default="")  # the one that is being read
    lines: Mapped[int] = mapped_column(default=0)  # of it that are in
    begun_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None]
