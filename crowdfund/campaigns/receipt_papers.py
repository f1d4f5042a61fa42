"""Receipts as PDF, in Chinese: they are the law's papers. Set by typst in a process of its own (adr/0014)."""

import io
import subprocess
from pathlib import Path
from typing import Any, Final

from flask_babel import gettext as _, lazy_gettext as _l

from crowdfund.campaigns.capitals import capitals
from crowdfund.campaigns.shown_receipts import Shown
from marketplace.core import typesetting
from marketplace.core.errors import Refusal
from marketplace.core.formats import yuan
from marketplace.core.languages import speaking
from marketplace.core.settings import settings

SHEET: Final = Path(__file__).with_name("receipt.typ")
CHINESE: Final = "zh_Hans_CN"


class PaperNotSet(Refusal):
    status = 503
    message = _l("The PDF could not be made right now. Please try again.")


def set_paper(paper: dict[str, Any]) -> bytes:
    """Outside any transaction: it takes a moment. Raises PaperNotSet."""
    try:
        return typesetting.make(paper, SHEET)
    except subprocess.SubprocessError as error:
        raise PaperNotSet(str(paper["name"])) from error


def address_of(receipt: Shown) -> str:
    """Where anybody who holds the paper sees whether it is valid."""
    return f"{settings().base_url.rstrip('/')}/receipts/{receipt.number}?code={receipt.check_code}"


def drawn(address: str) -> str:
    import segno  # for papers only; a web process does without

    picture = io.BytesIO()
    segno.make(address, error="m").save(picture, kind="svg", scale=3, border=4)
    return picture.getvalue().decode()


def of(receipt: Shown) -> dict[str, Any]:
    """What receipt.typ shows of a receipt whose check code is known."""
    with speaking(CHINESE):
        numbers = f"{_('Receipt number')} {receipt.number} · {_('Check code')} {receipt.check_code}"
        notes = [receipt.organisation, f"{_('Unified social credit code')} {receipt.credit_code}"]
        return {
            "size": "a4" if receipt.year else "a5",
            "title": _("Donation receipt"),
            "name": numbers,
            "band": _("Test money, not a receipt for a charitable gift") if receipt.book == "test" else "",
            "void": "" if receipt.is_valid else _("Void"),
            "facts": facts(receipt),
            "columns": ["", "wide", "", "fen"],
            "heads": [_("Received on"), _("Campaign given to"), _("Filing number"), _("Amount")],
            "rows": [
                [gift.received_on.isoformat(), gift.campaign_title, gift.filing_number, yuan(gift.fen)]
                for gift in receipt.gifts
            ],
            "notes": [*notes, _("Scan it to see whether this receipt is valid.")],
            "code": drawn(address_of(receipt)),
        }


def facts(receipt: Shown) -> list[list[str]]:
    rows = [[_("Given by"), receipt.giver or _("Anonymous")]]
    if receipt.year:
        rows.append([_("Gifts of the year"), str(receipt.year)])
    else:
        rows.append([_("Campaign given to"), receipt.campaign_title])
    rows += [[_("Amount"), yuan(receipt.fen)], [_("In words"), f"人民币 {capitals(receipt.fen)}"]]  # allowed: the law's way
    if receipt.received_on:
        rows.append([_("Received on"), receipt.received_on.isoformat()])
    rows.append([_("Issued on"), receipt.issued_on.isoformat()])
    if receipt.filing_number:
        rows.append([_("Filing number"), receipt.filing_number])
    return rows
