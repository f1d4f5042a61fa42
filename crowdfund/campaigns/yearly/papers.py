"""A year's gifts as a table and as a PDF, for somebody's own records: no receipt, and it says so."""

from typing import Any, Final

from flask_babel import gettext as _

from crowdfund.campaigns.yearly.queries import Year
from marketplace.core import csv_rows
from marketplace.core.formats import yuan

HEAD: Final = (
    "received_on",
    "campaign",
    "organisation",
    "filing_number",
    "given",
    "went_back",
    "stayed",
    "receipt",
    "book",
)


def as_csv(year: Year) -> bytes:
    """UTF-8 with a byte order mark; sums in yuan."""
    lines: list[tuple[str, ...]] = [HEAD]
    lines += [
        (
            *(gift.received_on.isoformat(), gift.title, gift.organisation, gift.filing_number),
            *(csv_rows.yuan(fen) for fen in (gift.fen, gift.back_fen, gift.stayed_fen)),
            *(gift.receipt, year.book),
        )
        for gift in year.gifts
    ]
    return ("\ufeff" + "".join(csv_rows.row(line) for line in lines)).encode()


def as_paper(year: Year) -> dict[str, Any]:
    """What receipt.typ shows, in the reader's language."""
    return {
        "size": "a4",
        "title": _("My gifts in %(year)s", year=year.year),
        "name": _("For your own records. This is no receipt; the numbers of the receipts stand beside the gifts."),
        "band": _("Test money, not a receipt for a charitable gift") if year.book == "test" else "",
        "void": "",
        "facts": [
            [_("Given"), yuan(year.fen)],
            [_("Went back"), yuan(year.fen - year.stayed_fen)],
            [_("Stayed"), yuan(year.stayed_fen)],
        ],
        "columns": ["", "wide", "wide", "fen", "fen", ""],
        "heads": [_("Received on"), _("Campaign given to"), _("Organisation"), _("Given"), _("Stayed"), _("Receipt")],
        "rows": [
            [
                *(gift.received_on.isoformat(), gift.title, gift.organisation),
                *(yuan(gift.fen), yuan(gift.stayed_fen), gift.receipt),
            ]
            for gift in year.gifts
        ],
        "notes": [],
        "code": "",
    }
