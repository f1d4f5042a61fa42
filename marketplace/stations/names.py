"""What stations are called, for floors that know only their codes."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.formats import language
from marketplace.stations.models import Station


def names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    """code -> name in the reader's language; codes without a station are left out."""
    column = Station.name_en if language() == "en" else Station.name_zh
    found = select(Station.code, column.label("name")).where(Station.code.in_(codes))
    return {row.code: row.name for row in session.execute(found)}
