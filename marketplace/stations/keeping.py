"""What a station's manager says of it: when it is open, and how many parcels it can pack a day."""

from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.errors import NotFound
from marketplace.core.page_versions import raise_versions
from marketplace.stations.models import Station


def keep(
    session: Session, *, station: str, opening_hours_zh: str, opening_hours_en: str, daily_capacity: int, actor: str
) -> None:
    """Public pages show it at once; promises of new orders follow it. Raises NotFound."""
    row = session.get(Station, station, with_for_update=True)
    if row is None:
        raise NotFound(station)
    row.opening_hours_zh, row.opening_hours_en, row.daily_capacity = opening_hours_zh, opening_hours_en, daily_capacity
    raise_versions(session, tags={"stations", f"station:{station}"})
    why = f"{opening_hours_zh}; {daily_capacity}"
    audit.record(session, actor=actor, action="station.kept", subject=f"station:{station}", why=why)
