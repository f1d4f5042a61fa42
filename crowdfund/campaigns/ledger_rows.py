"""Rows of the public ledger for pages, newest first: a page goes on below the number that the one before ended with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.chain import CHAIN
from crowdfund.campaigns.disbursing import overdue
from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.ledger_figures import NOT_PUBLIC
from crowdfund.campaigns.ledger_models import SealedRow
from crowdfund.campaigns.models import Campaign, Disbursement, Evidence, PublicRow
from crowdfund.campaigns.receipts import NUMBER
from crowdfund.campaigns.repayments import queries as repaid
from crowdfund.campaigns.shown_receipts import rows_of
from crowdfund.campaigns.totals import waits_for_its_seal
from marketplace.core import clock
from marketplace.core.db import Columns, rows
from marketplace.core.formats import in_language
from marketplace.core.sealing import Seal

PAGE: Final = 20
KINDS: Final = ("gift", "match", "unmatch", "refund", "return", "disbursement", "repayment", "correction")
OVERDUE: Final = "overdue"  # payments whose evidence is late
ANONYMOUS: Final = frozenset({"匿名", "anonymous"})
LONGEST_NUMBER: Final = 15
LARGEST_NUMBER: Final = 2**31 - 1  # that a row can have; PostgreSQL compares with nothing larger
PAYMENT: Final = "disburse:"
REPAYMENT: Final = "repaid:"
CORRECTION: Final = "repaid_undone:"
OF_PROVIDERS: Final = ("disbursement", "repayment", "correction")  # what no giver moved


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows; what is empty does not narrow."""

    campaign: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None
    q: str = ""
    before: int = 0

    @property
    def is_narrowed(self) -> bool:
        return bool(self.kind or self.since or self.until or self.q)

    def query(self, **changed: Any) -> str:
        """The address's part behind the question mark, with these changes."""
        names = ("campaign", "kind", "since", "until", "q", "before")
        values = {name: getattr(self, name) for name in names} | changed
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class ShownRow:
    """`number` is 0, and there is neither hash nor balance, until the row is sealed."""

    number: int
    at: datetime
    kind: str
    campaign: str
    campaign_title: str
    who: str
    what: str
    fen: int
    campaign_fen: int | None
    book_fen: int | None
    hash: str
    reference: str
    evidence: tuple[str, ...] = ()  # the kinds of files that prove it
    came_of: str = ""  # the payment of which a provider paid this back, or did not after all

    @property
    def disbursement(self) -> str:
        """The public id of the payment that this row shows, or of which something came back; empty for others."""
        return self.reference.removeprefix(PAYMENT) if self.kind == "disbursement" else self.came_of


@dataclass(frozen=True, slots=True)
class ShownPage:
    waiting: Sequence[ShownRow]  # written, not sealed yet; on the first page only
    rows: Sequence[ShownRow]
    older: int  # where the next page goes on; 0 at the end


def page(session: Session, asked: Asked, *, book: str, campaign: int = 0, size: int = PAGE) -> ShownPage:
    """Six statements at most, whatever the length. `campaign` is an id; 0 means all."""
    narrow = narrowed(asked, by_receipt(session, asked.q))
    found = [shown(row) for row in rows(session, sealed(narrow, book, campaign).limit(size + 1))]
    waits = [] if asked.before or asked.is_narrowed else rows(session, waiting(book, campaign))
    page_rows = with_evidence(session, with_payments(session, found[:size]))
    older = page_rows[-1].number if len(found) > size else 0
    return ShownPage(with_payments(session, [shown(row) for row in waits]), page_rows, older)


COLUMNS: Final[tuple[Any, ...]] = (
    *(PublicRow.at, PublicRow.kind, PublicRow.who, PublicRow.what, PublicRow.fen, PublicRow.reference),
    *(Campaign.public_id, Campaign.title_zh, Campaign.title_en, Campaign.channel),
)


def sealed(narrow: list[Any], book: str = "", campaign: int = 0) -> Columns:
    wanted = select(SealedRow.number, SealedRow.campaign_fen, SealedRow.book_fen, Seal.hash, *COLUMNS)
    wanted = wanted.join(PublicRow, PublicRow.id == SealedRow.row_id).join(Campaign, Campaign.id == SealedRow.campaign_id)
    wanted = wanted.join(Seal, (Seal.chain == CHAIN) & (Seal.number == SealedRow.number))
    wanted = wanted.where(*narrow).order_by(SealedRow.number.desc())
    wanted = wanted.where(SealedRow.book == book) if book else wanted
    return wanted.where(SealedRow.campaign_id == campaign) if campaign else wanted


def by_receipt(session: Session, text: str) -> list[str] | None:
    """The references of the rows that a receipt is about; None where the text is no receipt's number."""
    if not NUMBER.fullmatch(text.upper()):
        return None
    return [row.key for row in rows(session, rows_of(text.upper()))]


def narrowed(asked: Asked, references: list[str] | None) -> list[Any]:
    which: list[Any] = []
    if asked.before:
        which.append(SealedRow.number < min(asked.before, LARGEST_NUMBER))
    if asked.kind == OVERDUE:
        late = select(PAYMENT + Disbursement.public_id).where(overdue())
        which += [SealedRow.kind == "disbursement", PublicRow.reference.in_(late)]
    elif asked.kind:
        which.append(SealedRow.kind == asked.kind)
    if asked.since:
        which.append(SealedRow.at >= clock.start_of(asked.since))
    if asked.until:
        which.append(SealedRow.at < clock.start_of(asked.until + timedelta(days=1)))
    if references is not None:
        return [*which, of_rows(PublicRow.reference.in_(references))]
    return which + matching(asked.q)


def matching(text: str) -> list[Any]:
    """A row's number, or part of what stands in the row."""
    if not text:
        return []
    if text.isascii() and text.isdigit():
        number = int(text) if len(text) <= LONGEST_NUMBER else 0
        return [SealedRow.number == (number if number <= LARGEST_NUMBER else 0)]
    if text.lower() in ANONYMOUS:
        return [PublicRow.who == "", SealedRow.kind.not_in(OF_PROVIDERS)]
    return [of_rows(PublicRow.who.contains(text, autoescape=True) | PublicRow.what.contains(text, autoescape=True))]


def of_rows(which: Any) -> Any:
    """These rows, found before any is joined: few they may be, and the ledger is long."""
    return SealedRow.row_id.in_(select(PublicRow.id).where(which))


def waiting(book: str, campaign: int) -> Columns:
    """Rows that the sealer has not come to yet."""
    wanted = select(*COLUMNS).join(Campaign, Campaign.id == PublicRow.campaign_id)
    wanted = wanted.where(waits_for_its_seal(), PublicRow.book == book)
    wanted = wanted.where(PublicRow.campaign_id == campaign) if campaign else wanted
    return wanted.order_by(PublicRow.id.desc()).limit(PAGE)


def shown(row: Any) -> ShownRow:
    values = row._mapping
    return ShownRow(
        number=values.get("number", 0),
        at=row.at,
        kind=row.kind,
        campaign=row.public_id,
        campaign_title=str(NOT_PUBLIC) if row.channel == gate.DIRECTED else in_language(row.title_zh, row.title_en),
        who=row.who,
        what=row.what,
        fen=row.fen,
        campaign_fen=values.get("campaign_fen"),
        book_fen=values.get("book_fen"),
        hash=values.get("hash", ""),
        reference=row.reference,
    )


def with_evidence(session: Session, found: list[ShownRow]) -> list[ShownRow]:
    """The same rows, with the kinds of files that prove the payments among them."""
    paid = {row.disbursement for row in found if row.kind == "disbursement"}
    if not paid:
        return found
    wanted = select(Disbursement.public_id, Evidence.kind).join(Evidence, Evidence.disbursement_id == Disbursement.id)
    wanted = wanted.where(Disbursement.public_id.in_(paid)).order_by(Evidence.id)
    kinds: dict[str, dict[str, None]] = {}
    for proof in rows(session, wanted):
        kinds.setdefault(proof.public_id, {})[proof.kind] = None
    return [
        replace(row, evidence=tuple(kinds.get(row.disbursement, ()))) if row.kind == "disbursement" else row for row in found
    ]


def with_payments(session: Session, found: list[ShownRow]) -> list[ShownRow]:
    """The same rows; those of money that came back, and their corrections, know the payment of which it did."""
    names = {row.reference: row.reference.partition(":")[2] for row in found if row.kind in OF_PROVIDERS[1:]}
    if not names:
        return found
    payments = repaid.payments_of(session, list(names.values()))
    return [replace(row, came_of=payments.get(names[row.reference], "")) if row.reference in names else row for row in found]
