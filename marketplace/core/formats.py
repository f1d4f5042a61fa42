"""How money, dates, numbers and names are written, in Chinese and in English.

Pure: every function takes the language ("zh" or "en"); `install` hands them to Jinja with the reader's own."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import wraps
from typing import Any, Final

from flask import Flask, has_request_context
from flask_babel import get_locale, gettext as _
from markupsafe import Markup, escape

from marketplace.core.money import decimals
from marketplace.core.settings import settings

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991
MINUS: Final = "\u2212"
WEEKDAYS_ZH: Final = "一二三四五六日"
WEEKDAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS_EN: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TEN_THOUSAND_YUAN: Final = 10_000_00
GRAMS_PER_JIN: Final = 500
ADDRESS: Final = re.compile(r"(https?://[^\s“”，。；）]+)")
PIECE_WORDS_EN: Final = {"个": "piece", "只": "piece", "枚": "piece", "穗": "ear", "张": "sheet", "盒": "box", "双": "pair"}


def yuan(fen: int) -> str:
    """A payable sum: "¥1,234.50", and "−¥30.00" with a true minus."""
    whole, rest = yuan_parts(fen)
    return f"{MINUS}¥{whole[1:]}.{rest}" if fen < 0 else f"¥{whole}.{rest}"


def amount(units: int, currency: str) -> str:
    """A sum in its smallest unit, of any currency: "¥39.80", "42.98 HKD", "1,200 JPY"."""
    if currency == "CNY":
        return yuan(units)
    whole, rest = divmod(abs(units), 10 ** decimals(currency))
    parts = f".{rest:0{decimals(currency)}}" if decimals(currency) else ""
    return f"{MINUS if units < 0 else ''}{whole:,}{parts} {currency}"


def yuan_parts(fen: int) -> tuple[str, str]:
    """Yuan and fen apart, for prices whose fen are set smaller: 3980 gives ("39", "80")."""
    whole, rest = divmod(abs(fen), 100)
    return f"{MINUS if fen < 0 else ''}{whole:,}", f"{rest:02}"


def signed_yuan(fen: int) -> str:
    """A movement in a book: "+¥10.00" or "−¥4,815.00"."""
    return yuan(fen) if fen < 0 else f"+{yuan(fen)}"


def statistic(fen: int, language: str) -> str:
    """A sum that nobody pays: "¥9.47万" from ten thousand yuan on (Chinese only), to two decimals, half up."""
    if language != "zh" or abs(fen) < TEN_THOUSAND_YUAN:
        return yuan(fen)
    hundredths = (abs(fen) + 5000) // 10_000
    return f"{MINUS if fen < 0 else ''}¥{hundredths // 100:,}.{hundredths % 100:02}万"


def is_chinese(text: str) -> bool:
    """Whether it has Chinese characters: a page in another language says so to those who have it read aloud."""
    return any("\u3400" <= letter <= "\u9fff" for letter in text)


def count(number: int) -> str:
    return f"{MINUS if number < 0 else ''}{abs(number):,}"


def in_shanghai(moment: datetime | date) -> datetime | date:
    """The moment as the clock in Taiyuan shows it. A moment without a zone (as SQLite returns it) is UTC."""
    if not isinstance(moment, datetime):
        return moment
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(SHANGHAI)


def local_date(moment: datetime | date, language: str) -> str:
    """ "10月18日 周五" or "18 Oct, Fri"."""
    day = in_shanghai(moment)
    if language == "zh":
        return f"{day.month}月{day.day}日 周{WEEKDAYS_ZH[day.weekday()]}"
    return f"{day.day} {MONTHS_EN[day.month - 1]}, {WEEKDAYS_EN[day.weekday()]}"


def short_date(moment: datetime | date, language: str) -> str:
    """ "10月18日" or "18 Oct": for a day within a sentence."""
    day = in_shanghai(moment)
    return f"{day.month}月{day.day}日" if language == "zh" else f"{day.day} {MONTHS_EN[day.month - 1]}"


def full_date(moment: datetime | date, language: str) -> str:
    """ "2026年10月18日" or "18 Oct 2026": for papers, and for a span that may reach into another year."""
    day = in_shanghai(moment)
    return f"{day.year}年{short_date(day, language)}" if language == "zh" else f"{short_date(day, language)} {day.year}"


def month_and_year(moment: datetime | date, language: str) -> str:
    """ "2026年10月" or "Oct 2026": where the day is nobody's business."""
    day = in_shanghai(moment)
    return f"{day.year}年{day.month}月" if language == "zh" else f"{MONTHS_EN[day.month - 1]} {day.year}"


def month_range(first: int, last: int, language: str) -> str:
    """ "9-11月" or "Sep to Nov"; a single month by itself."""
    if language == "zh":
        return f"{first}月" if first == last else f"{first}-{last}月"
    names = [MONTHS_EN[first - 1], MONTHS_EN[last - 1]]
    return names[0] if first == last else " to ".join(names)


def local_time(moment: datetime) -> str:
    return in_shanghai(moment).strftime("%H:%M")


def local_datetime(moment: datetime, language: str) -> str:
    """ "10月18日 14:32" or "18 Oct, 14:32"."""
    return f"{short_date(moment, language)}{' ' if language == 'zh' else ', '}{local_time(moment)}"


def weight(grams: int, language: str) -> str:
    """Goods in 斤 for Chinese readers ("2.5斤"), in kilograms for English ones ("1.25 kg")."""
    if language == "zh":
        return f"{thousandths(grams * 1000 // GRAMS_PER_JIN)}斤"
    return f"{grams} g" if grams < 1000 else f"{thousandths(grams)} kg"


def kilograms(grams: int) -> str:
    """Parcels and labels, in both languages: "4.98 kg"."""
    return f"{thousandths(grams)} kg"


def thousandths(number: int) -> str:
    """1250 is "1.25": a decimal without superfluous noughts, and without floats."""
    return f"{number // 1000:,}.{number % 1000:03}".rstrip("0").rstrip(".")


def measure_price(price_fen: int, measure: str, amount: int, word: str, language: str) -> str:
    """What one unit of measure costs, so that packs compare: "¥7.96/斤", "¥18.06/升", "¥1.40/枚".

    `amount` is grams for "weight", millilitres for "volume", pieces for "piece"; any other measure has no such price.
    `word` is the measure word of pieces. Rounded half up to the fen."""
    if amount <= 0:
        return ""
    if measure == "weight":
        fen = rounded(price_fen * GRAMS_PER_JIN, amount)
        return f"{yuan(fen)}/斤" if language == "zh" else f"{yuan(fen)} per 500 g"
    if measure == "volume":
        fen = rounded(price_fen * 1000, amount)
        return f"{yuan(fen)}/升" if language == "zh" else f"{yuan(fen)} per litre"
    if measure == "piece":
        fen = rounded(price_fen, amount)
        return f"{yuan(fen)}/{word}" if language == "zh" else f"{yuan(fen)} per {PIECE_WORDS_EN.get(word, 'piece')}"
    return ""


def price_per_kilogram(price_fen: int, grams: int) -> str:
    """The bracket behind the price per 500 g: "¥15.92/kg"."""
    return f"{yuan(rounded(price_fen * 1000, grams))}/kg"


def rounded(dividend: int, divisor: int) -> int:
    """Whole-number division, half up."""
    return (2 * dividend + divisor) // (2 * divisor)


def mask_phone(number: str) -> str:
    """138****2045. A number too short to hide anything in is hidden whole."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 11 else "*" * len(number)


def mask_name(name: str) -> str:
    """王**: the first character and nothing about how many follow."""
    return f"{name.strip()[:1]}**"


def linked(text: str) -> Markup:
    """A message in which a word to press stands for each address (Chinese leaves no space before them).

    Ours alone: a message may quote what others wrote, and nobody shall be led elsewhere by us."""
    return Markup("").join(
        Markup('<a class="link" href="{}">{}</a>').format(part, _("Open")) if is_ours(part) else escape(part)
        for part in ADDRESS.split(text)
    )


def is_ours(address: str) -> bool:
    return address.startswith(f"{settings().base_url}/")


SAME_FOR_ALL: Final[tuple[Callable[..., Any], ...]] = (
    yuan,
    amount,
    yuan_parts,
    signed_yuan,
    count,
    is_chinese,
    local_time,
    kilograms,
    price_per_kilogram,
    mask_phone,
    mask_name,
    linked,
)
BY_LANGUAGE: Final[tuple[Callable[..., str], ...]] = (
    statistic,
    local_date,
    short_date,
    full_date,
    month_and_year,
    local_datetime,
    weight,
    measure_price,
)


def language() -> str:
    """The reader's language: "zh" or "en"."""
    locale = get_locale() if has_request_context() else None
    return "en" if locale is not None and locale.language == "en" else "zh"


def in_language(chinese: str, english: str) -> str:
    """What has a name in both, in the reader's; in Chinese where nobody wrote an English one."""
    return english if language() == "en" and english else chinese


def for_the_reader(function: Callable[..., str]) -> Callable[..., str]:
    """The same function with the reader's language as its last argument."""

    @wraps(function)
    def read(*args: Any) -> str:
        return function(*args, language())

    return read


def install(app: Flask) -> None:
    """Register the filters that templates use."""
    app.jinja_env.filters.update({function.__name__: function for function in SAME_FOR_ALL})
    app.jinja_env.filters.update({function.__name__: for_the_reader(function) for function in BY_LANGUAGE})
    app.jinja_env.globals["reader_language"] = language
