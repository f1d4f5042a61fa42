"""Rows for tables as some migration left them: no model of today knows those."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Date, DateTime, Engine, Float, Integer, MetaData, insert, select
from sqlalchemy.types import TypeEngine

SHOP: dict[str, list[dict[str, Any]]] = {
    "county": [{"code": "140430", "name_zh": "沁县", "name_en": "Qinxian", "prefecture_code": "1404"}],
    "station": [{"code": "140430", "name_zh": "沁县站", "name_en": "Qinxian Station", "phone": "0355-000"}],
    "category": [{"code": "grain-millet", "name_zh": "小米", "name_en": "Millet"}],
    "person": [{"id": 1, "public_id": "p1", "name": "王芳"}],
    "listing": [{"id": 1, "code": "G1", "state": "published", "seller_id": 1, "title_zh": "沁州黄", "sold": 7}],
    "variant": [
        {"id": 1, "code": "G1-1", "listing_id": 1, "unit_zh": "5斤袋", "price_fen": 3980, "on_hand": 9, "reserved": 2}
    ],
    "ledger_account": [{"id": 1, "kind": "gateway_clearing"}, {"id": 2, "kind": "buyer_clearing"}],
    "line": [
        {"id": 1, "entry_id": 1, "account_id": 1, "amount": 3980},
        {"id": 2, "entry_id": 1, "account_id": 2, "amount": -3980},
    ],
    "entry": [{"id": 1, "key": "capture:1", "kind": "capture", "book": "test", "reference": "SX-1"}],
}
REFERENCES = {
    "station_code": "140430",
    "category_code": "grain-millet",
    "seller_id": 1,
    "commodity": "CNY",
    "owner": "",
    "book": "test",
    "channel": "own_site",
}


def put_in(engine: Engine, what: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    """These rows, what else a table wants filled with something of its type. Returns the columns of each table."""
    metadata = MetaData()
    metadata.reflect(engine, only=list(what))
    with engine.begin() as connection:
        for name, rows in what.items():
            table = metadata.tables[name]
            for row in rows:
                wanted = [column for column in table.c if not column.nullable and column.name not in row]
                rest = {column.name: REFERENCES.get(column.name, filler(column.type)) for column in wanted}
                connection.execute(insert(table).values({**rest, **row}))
    return {name: [column.name for column in metadata.tables[name].c] for name in what}


def filler(kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, DateTime):
        return datetime(2026, 11, 1, tzinfo=UTC)
    if isinstance(kind, Date):
        return date(2026, 11, 1)
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, JSON):
        return []
    return 1 if isinstance(kind, Integer | Float) else ""


def rows_of(engine: Engine, columns: dict[str, list[str]]) -> dict[str, list[dict[str, Any]]]:
    metadata = MetaData()
    metadata.reflect(engine, only=list(columns))
    with engine.connect() as connection:
        return {
            name: [
                dict(row) for row in connection.execute(select(*(metadata.tables[name].c[one] for one in wanted))).mappings()
            ]
            for name, wanted in columns.items()
        }
