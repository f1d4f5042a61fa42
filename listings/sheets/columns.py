"""The one list of a sheet's columns. Chinese and English headings are both understood, in any order. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from marketplace.core.forms import tidy
from marketplace.core.records import record

LOOKED_AT_FOR_HEADINGS: Final = 10  # rows: above the headings a sheet may have a title
FEWEST_HEADINGS: Final = 2
LONGEST_HEADING: Final = 100  # characters: what follows is no word for a column
BRACKETED: Final = re.compile(r"[(（\[【].*?[)）\]】]")


@record
class Column:
    """`also` are other words that people write above it."""

    key: str
    zh: str
    en: str
    also: tuple[str, ...] = ()
    width: int = 12
    is_read: bool = True  # else it stands in an export for the eye alone


COLUMNS: Final = (
    Column("number", "货号", "Article number", ("商家编码", "商品编号", "自编号", "sku", "article no.")),
    Column("code", "平台编号", "Code", ("商品代码", "listing code")),
    Column("category", "类别", "Category", ("分类", "类目", "品类")),
    Column("title", "品名", "Product name", ("商品名称", "名称", "标题", "name", "title"), 24),
    Column("unit", "包装", "Packaging", ("规格", "单位", "unit", "pack")),
    Column("price", "单价（元）", "Price (yuan)", ("价格", "售价", "price per pack")),
    Column("stock", "库存", "Stock", ("现有库存", "数量", "库存数量", "packs in stock")),
    Column("seen_stock", "导出时库存", "Stock when exported"),
    Column("village", "产地村镇", "Town and village", ("产地", "乡镇村", "village"), 18),
    Column("story", "介绍", "Description", ("商品介绍", "描述", "story"), 40),
    Column("weight", "净重（克）", "Net weight (grams)", ("weight",)),
    Column("months", "收获月份", "Harvest months", ("月份", "上市月份", "harvest month")),
    Column("minimum", "起卖份数", "At least (packs)", ("最少份数", "起订量", "minimum", "minimum quantity")),
    Column("tier_from", "满几份优惠", "Lower price from", ("起批量", "优惠起点")),
    Column("tier_price", "优惠价（元）", "Lower price (yuan)", ("批发价",)),
    Column("shelf_life", "保质期（天）", "Shelf life (days)"),
    Column("storage", "储存方法", "Storage advice", ("保存方法", "储存"), 18),
    Column("certificates", "证书", "Papers", ("证件", "资质", "certificates"), 30),
    Column("pictures", "图片", "Pictures", ("图片文件", "照片", "picture"), 18),
    Column("state", "状态", "State", is_read=False),
)
BY_KEY: Final = {column.key: column for column in COLUMNS}
KEYS: Final = tuple(BY_KEY)


def plain(heading: str) -> str:
    """Without what stands in brackets, marks of what is needed, blanks and capitals."""
    return re.sub(r"[\s*＊:：_]", "", BRACKETED.sub("", str(tidy(heading[:LONGEST_HEADING])))).lower()


BY_HEADING: Final = {
    plain(words): column.key
    for column in COLUMNS
    for words in (column.zh, column.en, column.key, *column.also)
    if plain(words) not in {"lowerprice"}
} | {"lowerprice": "tier_price"}


@record
class Heading:
    """Where the headings stand and what they say: the key of each place, "" where nobody knows the word."""

    row: int  # counted from 0
    keys: tuple[str, ...]
    unknown: tuple[str, ...]
    twice: tuple[str, ...]


def find_heading(rows: Sequence[Sequence[str]]) -> Heading | None:
    """The first of the upper rows that names two columns or more."""
    for place, cells in enumerate(rows[:LOOKED_AT_FOR_HEADINGS]):
        keys = tuple(BY_HEADING.get(plain(cell), "") for cell in cells)
        known = [key for key in keys if key]
        if len(set(known)) >= FEWEST_HEADINGS:
            unknown = tuple(str(tidy(cell))[:40] for cell, key in zip(cells, keys, strict=True) if not key and cell.strip())
            return Heading(place, keys, unknown, tuple(sorted({key for key in known if known.count(key) > 1})))
    return None
