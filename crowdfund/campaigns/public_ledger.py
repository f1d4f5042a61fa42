"""Rows that everybody may read, written in the transaction that moves the money."""

import unicodedata

from sqlalchemy.orm import Session

from crowdfund.campaigns.models import PublicRow
from marketplace.core import clock
from marketplace.core.db import add_rows
from marketplace.core.money import Money


def write(
    session: Session,
    *,
    kind: str,
    campaign_id: int,
    book: str,
    amount: Money,
    who: str,
    what: str = "",
    reference: str,
    commitment: str = "",
) -> None:
    """One movement of a campaign's money, positive into it. `reference` is the key of the entry: a second row for
    the same raises IntegrityError. `who` is shown for ever: an alias, a provider, or nothing for anonymous."""
    who, what = plain(who), plain(what)
    row = {"kind": kind, "campaign_id": campaign_id, "book": book, "fen": amount.fen, "at": clock.now()}
    words = {"who": who, "what": what, "reference": reference, "commitment": commitment}
    add_rows(session, PublicRow, row | words)


def plain(text: str) -> str:
    """One line without control characters: what is sealed must read alike everywhere, a CSV file included."""
    return " ".join("".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text).split())
