"""Rows that everybody may read, written in the transaction that moves the money."""

import hashlib
import unicodedata
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.models import PublicRow
from marketplace.core import clock
from marketplace.core.db import add_rows
from marketplace.core.money import Money
from marketplace.core.sealing import canonical
from marketplace.ledger.models import Entry

SOURCE: Final = {"refund": "gift", "return": "gift", "unmatch": "match"}  # whose money a row moves


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
    moves: str = "",
) -> None:
    """One movement of a campaign's money, positive into it. `reference` is the key of the entry: a second row for
    the same raises IntegrityError. `who` is shown for ever: an alias, a provider, or nothing for anonymous.

    `moves`, of what goes back or comes again: what the entry of the gift (its public id) or of the match (fund and gift) is
    about; the row names that one's row, and nobody else."""
    commitment = named(session, SOURCE[kind], moves) if moves else commitment
    who, what = plain(who), plain(what)
    row = {"kind": kind, "campaign_id": campaign_id, "book": book, "fen": amount.fen, "at": clock.now()}
    words = {"who": who, "what": what, "reference": reference, "commitment": commitment}
    add_rows(session, PublicRow, row | words)


def named(session: Session, kind: str, about: str) -> str:
    """By what a later row names the one by which this money came, so that anybody can tell which it is (docs/ledger.md)."""
    mine = select(PublicRow.reference).join(Entry, Entry.key == PublicRow.reference)
    reference = session.scalars(mine.where(Entry.reference == about, PublicRow.kind == kind)).one()
    return hashlib.sha256(canonical({"kind": kind, "reference": reference})).hexdigest()


def plain(text: str) -> str:
    """One line without control characters: what is sealed must read alike everywhere, a CSV file included."""
    return " ".join("".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text).split())
