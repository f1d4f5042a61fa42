"""The one list of columns of platforms' files, and how a row's cells are read; described in docs/mirrors.md."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from listings.sheets.columns import plain
from marketplace.core import clock
from marketplace.core.formats import mask_name
from marketplace.core.forms import tidy
from marketplace.core.money import without_thousands
from marketplace.core.records import record

LOOKED_AT: Final = 20  # lines: above the headings a platform may say whose file it is
LONGEST_NUMBER: Final = 64
MOST_REPEATED: Final = 40  # characters of what was typed, where it is named again
AHEAD: Final = timedelta(days=1)  # a platform's clock, or its day, may be ahead of ours
LARGEST_FEN: Final = 10_000_000_000
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "number": (
        *(
            "交易单号",
            "交易号",
            "订单号",
            "订单编号",
            "捐赠单号",
            "捐赠编号",
            "捐款单号",
            "流水号",
            "支付单号",
            "交易流水号",
        ),
        *("order number", "order no.", "transaction id", "transaction number", "donation id", "number"),
    ),
    "time": (
        "捐赠时间",
        "捐款时间",
        "支付时间",
        "交易时间",
        "捐赠日期",
        "时间",
        "日期",
        "time",
        "date",
        "donated at",
        "paid at",
    ),
    "sum": ("捐赠金额", "捐款金额", "交易金额", "支付金额", "实收金额", "金额", "amount", "sum", "donation amount"),
    "name": (
        "捐赠人",
        "捐款人",
        "捐赠者",
        "爱心网友",
        "昵称",
        "捐赠人昵称",
        "用户昵称",
        "姓名",
        "donor",
        "name",
        "nickname",
    ),
    "anonymous": ("是否匿名", "匿名", "anonymous"),
    "state": ("状态", "交易状态", "订单状态", "支付状态", "退款状态", "state", "status"),
}
NEEDED: Final = ("number", "time", "sum")
BY_HEADING: Final = {plain(word): key for key, words in WORDS.items() for word in words}
NAMED: Final = frozenset({"", "否", "不匿名", "实名", "no", "n", "false", "0"})
PAID: Final = frozenset(
    {"", "成功", "支付成功", "捐赠成功", "交易成功", "已支付", "已完成", "未退款", "无退款", "paid", "success", "succeeded"}
)
RETURNED: Final = frozenset({"已退款", "全额退款", "退款成功", "refunded"})
NAMELESS: Final = ("匿名", "爱心网友", "爱心人士", "热心网友", "anonymous")
SUM: Final = re.compile(r"\d{1,9}(\.\d{1,2})?0*")
TIMES: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y%m%d%H%M%S", "%Y%m%d")
IN_TIMES: Final = str.maketrans({"/": "-", ".": "-", "年": "-", "月": "-", "日": " ", "T": " ", "：": ":"})


@record
class Said:
    """A gift as the file tells of it; the name is gone already."""

    number: str
    at: datetime
    fen: int
    shown_as: str


class Wrong(Exception):
    """What cannot be read of a row: (column, code, what was written)."""

    def __init__(self, problems: list[tuple[str, str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


class Flaw(ValueError):
    """Of one cell; its text is the code."""


def find_heading(lines: Sequence[Sequence[str]]) -> tuple[int, dict[str, int]] | None:
    """The line that names number, time and sum, counted from 0, and the place of each column that we know."""
    for row, cells in enumerate(lines[:LOOKED_AT]):
        places: dict[str, int] = {}
        for place, cell in enumerate(cells):
            if key := BY_HEADING.get(plain(cell)):
                places.setdefault(key, place)
        if all(key in places for key in NEEDED):
            return row, places
    return None


def read_row(cells: Sequence[str], places: dict[str, int]) -> Said:
    """Raises Wrong with all that is wrong."""
    typed = {key: str(tidy(cells[place])) if place < len(cells) else "" for key, place in places.items()}
    found: dict[str, object] = {}
    problems: list[tuple[str, str, str]] = []
    for key, read in (("number", number), ("time", moment), ("sum", fen), ("anonymous", hides), ("state", stayed)):
        try:
            found[key] = read(typed.get(key, ""))
        except Flaw as flaw:
            problems.append((key, str(flaw), typed.get(key, "")[:MOST_REPEATED]))
    if problems:
        raise Wrong(problems)
    shown_as = "" if found["anonymous"] else shown_name(typed.get("name", ""))
    value = found["sum"] if found["state"] else 0
    return Said(str(found["number"]), found["time"], value, shown_as)  # type: ignore[arg-type]


def number(text: str) -> str:
    """As table programs keep long numbers too: with a quote or a tab before them."""
    bare = text.strip("`'\t ")
    if not bare:
        raise Flaw("missing")
    if len(bare) > LONGEST_NUMBER:
        raise Flaw("too_long")
    if re.fullmatch(r"\d(\.\d+)?[Ee]\+\d+", bare):
        raise Flaw("rounded")  # 1.23E+27: the table program has lost the number
    return bare


def moment(text: str) -> datetime:
    """As the clocks of China say it."""
    bare = " ".join(text.strip("`'\t ").translate(IN_TIMES).split()).strip("- ")
    for form in TIMES:
        try:
            found = datetime.strptime(bare, form)  # noqa: DTZ007 - its zone follows
        except ValueError:
            continue
        if not 2008 <= found.year < 2100:
            raise Flaw("time")
        at = found.replace(tzinfo=clock.SHANGHAI).astimezone(UTC)
        if at > clock.now() + AHEAD:
            raise Flaw("future")  # else everybody reads that the files go up to then
        return at
    raise Flaw("missing" if not text else "time")


def fen(text: str) -> int:
    """A sum in yuan as platforms write it ("¥1,000.00元"), in fen. Raises Flaw."""
    bare = without_thousands(text.strip("`'\t ")).removeprefix("¥").removeprefix("￥").removesuffix("元").strip()
    if not bare:
        raise Flaw("missing")
    if not SUM.fullmatch(bare):
        raise Flaw("sum")
    whole = int(Decimal(bare) * 100)
    if not 0 < whole <= LARGEST_FEN:
        raise Flaw("sum")
    return whole


def hides(text: str) -> bool:
    """What nobody understands hides the name."""
    return text.strip().lower() not in NAMED


def stayed(text: str) -> bool:
    """Whether the money is there still."""
    word = text.strip().lower()
    if word in PAID:
        return True
    if word in RETURNED:
        return False
    raise Flaw("state")


def shown_name(text: str) -> str:
    """Never the whole name: its owner has allowed the platform to show it, not us."""
    bare = text.strip("`'\t *＊")
    return "" if not bare or any(bare.lower().startswith(word) for word in NAMELESS) else mask_name(bare)
