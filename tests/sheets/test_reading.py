"""Sheets as people's programs write them: encodings, digits, line breaks, merged cells, formulas; and what is no sheet."""

import io
import re
import time
import zipfile
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from listings.forms import DetailsForm
from listings.sheets import reading
from listings.sheets.columns import COLUMNS, find_heading
from listings.sheets.parsing import PARSERS
from listings.sheets.reading import Unreadable
from listings.sheets.states import ImportState as I
from listings.sheets.wrong import Wrong
from tests.sheets.conftest import HEADINGS, MILLET, STORY, Trader, as_csv, as_xlsx, changed, latest, rows, wrong

LINES = [["货号", "品名"], ["A1", "米，\n油"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_every_encoding_and_delimiter_says_the_same(encoding: str, delimiter: str) -> None:
    text = f'货号{delimiter}品名\r\nA1{delimiter}"米，\n油"\r\n'
    assert reading.read(text.encode(encoding))[0] == LINES


def test_cells_of_a_workbook_are_text_as_people_read_it() -> None:
    raw = as_xlsx(["货号", "价"], ["007", 39.8], ["008", 13.3 * 3], [9, 10.0], [True, 1e20])
    assert reading.read(raw)[0] == [["货号", "价"], ["007", "39.8"], ["008", "39.9"], ["9", "10"], ["True", "1e+20"]]


def workbook(write: Any) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        write(book, book.add_worksheet())
    return buffer.getvalue()


def test_a_formula_counts_as_its_result_and_one_without_is_said() -> None:
    def write(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["货号", "价"])
        sheet.write_formula(1, 1, "=30+9.8", None, 39.8)
        sheet.write_formula(2, 1, "=30+9.8", None, "")
        sheet.write_formula(3, 1, "=1/0", None, "#DIV/0!")
        sheet.write(3, 0, "A3")

    found, flaws = reading.read(workbook(write))
    assert found[1] == ["", "39.8"] and flaws == [(2, 1, "formula"), (3, 1, "formula")]


def test_what_csv_calls_a_formula_is_said_but_not_a_number_kept_as_text() -> None:
    found, flaws = reading.read("货号,品名\n=\"007\",=1+1\n'=A,'-b\n".encode())
    assert found[1][0] == "007" and found[2] == ["=A", "-b"] and flaws == [(1, 1, "formula")]


def test_merged_downwards_is_filled_and_merged_across_is_said() -> None:
    def write(book: Any, sheet: Any) -> None:
        plain = book.add_format()
        sheet.merge_range(0, 0, 0, 2, "合作社的货", plain)
        sheet.write_row(1, 0, ["货号", "品名", "产地"])
        sheet.write_column(2, 0, ["A1", "A2", "A3"])
        sheet.merge_range(2, 2, 3, 2, "次村", plain)
        sheet.merge_range(4, 1, 4, 2, "小米", plain)

    found, flaws = reading.read(workbook(write))
    assert [row[2] for row in found[2:4]] == ["次村", "次村"]
    assert [flaw for flaw in flaws if flaw[0] > 1] == [(4, 1, "merged"), (4, 2, "merged")]
    heading = find_heading(found)
    assert heading is not None and heading.row == 1 and heading.keys == ("number", "title", "village")


def test_a_hidden_first_sheet_is_passed_by() -> None:
    def write(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, "secret")
        second = book.add_worksheet()
        second.write(0, 0, "seen")
        second.activate()
        second.set_first_sheet()
        sheet.hide()

    assert reading.read(workbook(write))[0] == [["seen"]]


@pytest.mark.parametrize("column", COLUMNS)
def test_headings_are_known_in_both_languages(column: Any) -> None:
    for words in (column.zh, column.en.upper(), column.key, f"*{column.zh}（必填）"):
        found = find_heading([[words, "品名" if column.key != "title" else "货号"]])
        assert found is not None and found.keys[0] == column.key, words


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b" \n", "empty"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "old_excel"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "not_a_sheet"),
        (b"a,b\n\xff\xff\xff", "encoding"),
        (b"a,b\0\n", "not_a_sheet"),
        (b"PK\x03\x04broken", "broken"),
        (zipped(("a.txt", b"hello")), "not_a_sheet"),
        (zipped(("xl/workbook.xml", b"<no"), ("xl/worksheets/sheet1.xml", b"<")), "broken"),
        (zipped(("xl/workbook.xml", bytes(40 * 2**20))), "zip_ratio"),
        (zipped(("../x", b"")), "zip_names"),
        (b"a,b\n" * 20_500, "too_many_rows"),
        (as_csv(*[["x", "y"]] * 10_011), "too_many_rows"),
    ],
)
def test_what_is_no_sheet_is_told_apart(raw: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        reading.read(raw)
    assert refused.value.code == code


@pytest.mark.parametrize("opened", [b"<c r='%d' ", b"<c>%d", b"<f><c r='%d'>", b"<c><f/><v %d "])
def test_cells_that_never_end_take_no_time(opened: bytes) -> None:
    """In a comment behind the cells; looked at from each of them to the end, this took minutes of the worker."""
    sheet = workbook(lambda _book, page: page.write_formula(0, 0, "=1", value=""))
    never = b"<!--" + b"".join(opened % number for number in range(100_000)) + b"--></worksheet>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet)) as archive, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as hostile:
        for name in archive.namelist():
            content = archive.read(name)
            hostile.writestr(name, content.replace(b"</worksheet>", never) if name.endswith("sheet1.xml") else content)
    started = time.process_time()
    reading.answer(buffer.getvalue())
    assert time.process_time() - started < 5


def test_brackets_that_never_close_take_no_time() -> None:
    started = time.process_time()
    assert find_heading([["(" * 4_000] * 60] * 10) is None
    assert time.process_time() - started < 1


def test_a_cell_far_away_is_refused_before_it_takes_memory(trader: Trader, apart: None) -> None:
    def write(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADINGS)
        sheet.write(1_048_575, 16_383, "x")

    trader.compared(workbook(write), name="far.xlsx")
    assert latest().state is I.UNREADABLE and (latest().problem or {})["code"] == "spans_too_much"


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (as_csv(["一", "二"], ["三", "四"]), "找不到表头"),
        (as_csv(["品名", "库存"], ["米", "1"]), "两列都没有"),
        (as_csv(["货号", "库存", "数量"], ["A", "1", "2"]), "“库存”这一列有两个"),
        (as_csv(HEADINGS), "什么都没有"),
        (b"PK\x03\x04" + bytes(900), "文件坏了"),
    ],
)
def test_the_page_says_what_is_wrong_with_a_whole_sheet(trader: Trader, sheet: bytes, words: str) -> None:
    row = trader.compared(sheet)
    assert row.state is I.UNREADABLE and words in trader.page(row)


def test_gbk_and_full_width_digits_of_a_whole_sheet(trader: Trader, apart: None, session: Session) -> None:
    line = changed(MILLET, price="￥１，２００．５０元", stock="４０")
    trader.compared(as_csv(HEADINGS, line, encoding="gb18030"))
    assert [(row.entry["price"], row.entry["stock"]) for row in rows(session)] == [(120_050, 40)]


BAD: dict[str, tuple[dict[str, str], str, str]] = {
    "no title": ({"title": ""}, "title", "missing_for_new"),
    "a long title": ({"title": "米" * 41}, "title", "length"),
    "a short story": ({"story": "好"}, "story", "length"),
    "no such category": ({"category": "飞机"}, "category", "no_category"),
    "a part of a category's name": ({"category": "鸡"}, "category", "nearly_category"),
    "a price of nothing": ({"price": "0"}, "price", "price_range"),
    "a price below nothing": ({"price": "-39.80"}, "price", "price_range"),
    "a price of thirds": ({"price": "1.333"}, "price", "finer_than_fen"),
    "a price with a comma for a point": ({"price": "39,80"}, "price", "not_a_sum"),
    "a stock with a comma for a point": ({"stock": "10,5"}, "stock", "not_whole"),
    "half a pack": ({"stock": "1.5"}, "stock", "not_whole"),
    "too many packs": ({"stock": "1000001"}, "stock", "out_of_range"),
    "more packs than there are grains": ({"stock": "9" * 30}, "stock", "out_of_range"),
    "less than none": ({"stock": "－3"}, "stock", "out_of_range"),
    "a pack of a ton": ({"unit": "2000斤箱"}, "unit", "unit"),
    "a pack that says nothing": ({"unit": "礼盒"}, "weight", "no_weight"),
    "no number": ({"number": ""}, "number", "no_key"),
    "a long number": ({"number": "9" * 41}, "number", "length"),
}


@pytest.mark.parametrize("name", BAD)
def test_each_mistake_has_its_row_column_reason_and_remedy(trader: Trader, session: Session, name: str) -> None:
    cells, column, code = BAD[name]
    row = trader.compared(as_csv(HEADINGS, changed(MILLET, number="A9"), (), changed(MILLET, **cells)))
    assert wrong(session) == [(4, column, code)]
    assert "第 4 行" in trader.page(row)
    listed_errors = trader.client.get(f"/seller/imports/{row.public_id}/errors.csv").data.decode("utf-8-sig").splitlines()
    assert listed_errors[0] == "行,列,填的是,原因,怎么改" and listed_errors[1].startswith("4,") and len(listed_errors) == 2


def test_a_category_that_is_nearly_named_is_offered(trader: Trader) -> None:
    row = trader.compared(as_csv(HEADINGS, changed(MILLET, category="鸡"), changed(MILLET, number="A2", category="飞机")))
    page = trader.page(row)
    assert "没有“鸡”这个类别。" in page and "是不是：鸡蛋？" in page and page.count("是不是：") == 1


def test_a_row_without_a_number_says_all_that_is_wrong_at_once(trader: Trader, session: Session) -> None:
    trader.compared(as_csv(HEADINGS, changed(MILLET, number="", price="-1", stock="x")))
    assert wrong(session) == [(2, "number", "no_key"), (2, "price", "price_range"), (2, "stock", "not_whole")]


def test_the_same_goods_twice_are_said_at_the_later_row(trader: Trader, session: Session) -> None:
    trader.done(as_csv(HEADINGS, MILLET))
    (mine,) = [row.target for row in rows(session)]
    sheet = as_csv(("货号", "平台编号", "库存"), ("A001", "", "1"), ("A001", "", "2"), ("", mine, "3"))
    trader.compared(sheet)
    assert [(row, code) for row, _column, code in wrong(session)] == [(3, "repeated"), (4, "repeated")]


def test_months_and_lower_prices(trader: Trader, session: Session) -> None:
    heads = (*HEADINGS, "收获月份", "满几份优惠", "优惠价", "净重", "保质期", "储存方法")
    good = (*MILLET, "11月至2月、5", "10", "50", "", "30", "阴凉处")
    trader.compared(as_csv(heads, good, (*changed(MILLET, number="B"), "2026-09-10", "10", "", "", "", "")))
    entry = rows(session)[0].entry
    assert (entry["months"], entry["tiers"], entry["shelf_life"]) == ([1, 2, 5, 11, 12], [[10, 5000]], 30)
    assert wrong(session) == [(3, "months", "months"), (3, "tier_price", "tier_incomplete")]
    assert entry["story"] == STORY


def test_the_bounds_are_those_of_the_form(trader: Trader) -> None:
    tried = {
        "title": ["", "米", "米" * 2, "米" * 40, "米" * 41],
        "stock": ["0", "1000000", "1000001", "x"],
        "weight": ["0", "1", "100000", "100001"],
        "shelf_life": ["0", "3650", "3651"],
        "tier_from": ["1", "2", "10000", "10001"],
        "price": ["0", "0.01", "100000", "100000.01", "1,200", "1,20", "¥3元", "1.234"],
        "storage": ["x" * 60, "x" * 61],
        "unit": ["5斤箱", "礼盒", "900斤箱", "x" * 21],
    }
    with trader.app.test_request_context():
        for name, texts in tried.items():
            for text in filter(None, texts):
                form = DetailsForm(MultiDict({name: text}))
                try:
                    PARSERS[name](text)
                    is_right = True
                except Wrong:
                    is_right = False
                own = [DetailsForm.validate_unit] if name == "unit" else []
                assert form[name].validate(form, own) is is_right, (name, text)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_commas_of_descriptions_part_no_columns(delimiter: str) -> None:
    told = [
        f"油厚{sign}香{sign}糯{sign}黄{sign}新{sign}净{sign}细{sign}甜\n煮粥{sign}焖饭" for sign in ("，", ";", "；", "、")
    ]
    rows_of = [delimiter.join(["货号", "品名", "介绍"])] + [
        f'A{place}{delimiter}米{delimiter}"{story}"' for place, story in enumerate(told)
    ]
    assert reading.read("\r\n".join(rows_of).encode())[0][1:] == [
        [f"A{place}", "米", story] for place, story in enumerate(told)
    ]


@pytest.mark.parametrize("below", ["", "\r\nA2,豆\r\nA3,面"])
def test_a_quotation_mark_that_is_never_closed_swallows_no_rows(below: str) -> None:
    with pytest.raises(Unreadable) as refused:
        reading.read(f'货号,品名\r\nA0,"米"\r\nA1,"谷{below}'.encode())
    assert (refused.value.code, refused.value.values) == ("open_quote", {"row": 3})


def test_a_formula_without_result_is_said_also_where_everything_is_named_x() -> None:
    def write(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["货号", "价"])
        sheet.write_formula(1, 1, "=30+9.8", None, "")
        sheet.write(1, 0, "A1")

    plain, buffer = workbook(write), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            raw = old.read(name)
            if name.startswith("xl/worksheets/"):
                raw = re.sub(rb"<(/?)(?=\w)", rb"<\1x:", raw).replace(b"xmlns=", b"xmlns:x=")
            new.writestr(name, raw)
    assert reading.read(buffer.getvalue())[1] == [(1, 1, "formula")]
