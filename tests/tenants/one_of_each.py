"""A row of every table, each of the one that its keys name, and all of them of one person, one station, one organisation.

So there is something of everything that a stranger could ask for by its name, new tables included, without anybody teaching
it. The rows fit no state and no sum; whoever may not see them must never come so far as to notice."""

from typing import Any, Final

from sqlalchemy.orm import Session

from marketplace.accounts.models import Person
from marketplace.core.db import Base
from tests import factories
from tests.anything import anything_for
from tests.factories import STATION

OF_ONE: Final = frozenset({"person", "station", "county"})
"""There is one already."""


def one_of_each(session: Session, person: Person) -> dict[str, dict[str, Any]]:
    """Their columns, by table; `person` is whose they are. To be called `without_rules`."""
    factories.make_station(STATION)
    kinds = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
    rows: dict[str, Any] = {"person": session.get_one(Person, person.id)}
    for name in ("station", "county"):
        rows[name] = session.get_one(kinds[name], STATION)
    for table in Base.metadata.sorted_tables:
        if table.name not in OF_ONE and table.name in kinds:
            row = kinds[table.name]()
            for column in table.columns:
                attribute = kinds[table.name].__mapper__.get_property_by_column(column).key
                value = value_of(column, rows)
                if value is not None:
                    setattr(row, attribute, value)
            session.add(row)
            session.flush()
            rows[table.name] = row
    found = {name: {each.key: getattr(row, each.key) for each in row.__mapper__.column_attrs} for name, row in rows.items()}
    session.commit()
    return found


def value_of(column: Any, rows: dict[str, Any]) -> Any:
    """None: its default, or nothing."""
    if (known := named(column.name, rows)) is not None and not column.foreign_keys:
        return known
    for key in column.foreign_keys:
        parent = rows.get(key.column.table.name)
        if parent is not None:
            return getattr(parent, type(parent).__mapper__.get_property_by_column(key.column).key)
    is_counted = column.primary_key and column.autoincrement in (True, "auto") and column.type.python_type is int
    return None if column.default is not None or column.nullable or is_counted else anything_for(column)


def named(name: str, rows: dict[str, Any]) -> Any:
    """What columns without a key are called after."""
    owner = rows["person"]
    return {
        "seller_public_id": owner.public_id,
        "owner": owner.public_id,
        "owner_kind": "seller",
        "station_code": STATION,
        "county_code": STATION,
        "scope_id": STATION,
    }.get(name)
