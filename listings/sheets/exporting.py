"""A seller's goods as a sheet, and the empty one to begin with. What is exported and sent back unchanged changes nothing."""

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from listings.sheets import cells, goods, papers
from listings.sheets.columns import COLUMNS, Column
from listings.sheets.parsing import Categories
from listings.sheets.reading import MOST_ROWS
from listings.words import STATES
from marketplace.core.csv_rows import row as csv_row

MARK: Final = "\ufeff"  # by which table programs know UTF-8
NUMBERS: Final = frozenset({"price", "stock", "seen_stock", "weight", "minimum", "tier_from", "tier_price", "shelf_life"})
SUMS: Final = frozenset({"price", "tier_price"})
KIND_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def headings(language: str) -> list[str]:
    return [column.en if language == "en" else column.zh for column in COLUMNS]


def lines(session: Session, person_id: int) -> Iterator[list[str]]:
    """Every pack that is not removed, cell by cell; what packs of the same goods share stands in the first one's row."""
    categories = goods.categories(session)
    for pack in goods.of_seller(session, person_id):
        said = cells.of_pack(pack, categories) | {"state": str(STATES[pack.state])}
        if not pack.is_first:
            said |= dict.fromkeys(goods.OF_THE_GOODS, "")
        yield [said[column.key] for column in COLUMNS]


def as_csv(rows: Iterator[list[str]], language: str) -> bytes:
    return (MARK + csv_row(headings(language)) + "".join(map(csv_row, rows))).encode()


def as_xlsx(rows: Iterator[list[str]], language: str, categories: Categories) -> bytes:
    """With a second sheet that says what may stand where; text is text, so that no cell is a formula."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        sheet = book.add_worksheet(_("Goods"))
        bold, plain, sums = (book.add_format(how) for how in ({"bold": True}, {"num_format": "@"}, {"num_format": "0.00"}))
        for place, column in enumerate(COLUMNS):
            sheet.set_column(
                place, place, column.width, sums if column.key in SUMS else None if column.key in NUMBERS else plain
            )
        sheet.freeze_panes(1, 0)
        chosen = {"validate": "list", "source": f"='{_('What may stand here')}'!$D$2:$D${len(categories.names) + 1}"}
        place = next(place for place, column in enumerate(COLUMNS) if column.key == "category")
        sheet.data_validation(1, place, MOST_ROWS, place, {**chosen, "ignore_blank": True, "error_type": "warning"})
        sheet.write_row(0, 0, headings(language), bold)
        for number, row in enumerate(rows, start=1):
            write_row(sheet, number, row)
        explain(book.add_worksheet(_("What may stand here")), bold, language, categories)
    return buffer.getvalue()


def write_row(sheet: Any, number: int, row: Sequence[str]) -> None:
    for place, (column, text) in enumerate(zip(COLUMNS, row, strict=True)):
        if text and column.key in NUMBERS:
            sheet.write_number(number, place, float(text))
        elif text:
            sheet.write_string(number, place, text)


def explain(sheet: Any, bold: Any, language: str, categories: Categories) -> None:
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 70)
    sheet.set_column(3, 3, 20)
    sheet.write_row(0, 0, [_("Column"), _("What may stand here"), "", _("Categories")], bold)
    said = explanations()
    names = list(categories.names.values())
    for place in range(max(len(COLUMNS), len(names))):
        if place < len(COLUMNS):
            column: Column = COLUMNS[place]
            sheet.write_string(place + 1, 0, column.en if language == "en" else column.zh)
            sheet.write_string(place + 1, 1, said[column.key])
        if place < len(names):
            sheet.write_string(place + 1, 3, names[place])


def explanations() -> dict[str, str]:
    """What stands in each column, for people who fill it in."""
    return {
        "number": _("A number of your own for these goods, such as A001. By it they are known the next time."),
        "code": _("Our code. Leave it empty for new goods."),
        "category": _("One of the categories on the right."),
        "title": _("2 to 40 characters."),
        "unit": _("How it is packed: 5斤箱, 500g×2袋, 30枚."),
        "price": _("What a pack costs in yuan, such as 39.80."),
        "stock": _("How many packs there are, a whole number."),
        "seen_stock": _("Leave it as it is: by it we see what was sold since the export."),
        "village": _("Where it comes from."),
        "story": _("Who grew it, where, how it tastes. 10 to 500 characters."),
        "weight": _("Only where the pack does not say what it weighs, such as eggs or a gift box."),
        "months": _("Such as 9、10 or 9-11. Empty: all year."),
        "minimum": _("How many packs somebody has to take at least; empty: one."),
        "tier_from": _("From how many packs on it costs less; may be empty."),
        "tier_price": _("What a pack costs then; may be empty."),
        "shelf_life": _("A whole number of days; may be empty."),
        "storage": _("May be empty."),
        "certificates": _(
            "Kind, what it says and its number, with colons between them, such as 有机：有机小米：CN-123; "
            "several with semicolons. Kinds: %(kinds)s. May be empty.",
            kinds="、".join(zh for zh, _en in papers.KINDS.values()),
        ),
        "pictures": _("Names of files in the ZIP beside the sheet, with commas between them; may be empty."),
        "state": _("For your eye alone; it is not read."),
    }
