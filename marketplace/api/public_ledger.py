"""From rows of the public ledger to the JSON face: a fixed number of statements."""

from sqlalchemy.orm import Session

from crowdfund.campaigns import ledger_figures, ledger_rows, spent
from marketplace.api.gift_schemas import (
    DisbursementItem,
    DisbursementsAnswer,
    DisbursementsQuery,
    EvidenceItem,
    InvoiceLine,
    PublicGift,
    PublicGiftsAnswer,
    RepaymentItem,
)
from marketplace.api.ledger_schemas import (
    AnyRow,
    LedgerAnswer,
    LedgerQuery,
    LedgerRow,
    WholeLedgerAnswer,
    WholeLedgerQuery,
)
from marketplace.core.errors import NotFound
from marketplace.payments.gateways import current_book


def public_one(session: Session, campaign: str) -> ledger_figures.Named:
    """Raises NotFound, also for one that is known to its list alone."""
    named = ledger_figures.find(session, campaign)
    if not named.is_public:
        raise NotFound(campaign)
    return named


def rows(session: Session, campaign: str, asked: LedgerQuery) -> LedgerAnswer:
    """One page of a campaign's sealed rows. Raises NotFound for a campaign that the public does not know."""
    named, book = public_one(session, campaign), current_book()
    wanted = ledger_rows.Asked(before=asked.before)
    page = ledger_rows.page(session, wanted, book=book, campaign=named.id, size=asked.per_page)
    return LedgerAnswer(
        campaign=named.public_id,
        book=book,
        balance_fen=ledger_figures.figures(session, book, named.id).balance_fen,
        rows=[
            LedgerRow(
                number=row.number,
                at=row.at,
                kind=row.kind,
                who=row.who,
                what=row.what,
                fen=row.fen,
                balance_fen=row.campaign_fen or 0,
                hash=row.hash,
            )
            for row in page.rows
        ],
        next_before=page.older or None,
        url=f"/ledger/{named.public_id}",
    )


def gifts(session: Session, campaign: str, asked: LedgerQuery) -> PublicGiftsAnswer:
    """One page of a campaign's gifts, as its sealed rows have them: no more about a giver than they say for ever."""
    named, book = public_one(session, campaign), current_book()
    wanted = ledger_rows.Asked(before=asked.before, kind="gift")
    page = ledger_rows.page(session, wanted, book=book, campaign=named.id, size=asked.per_page)
    return PublicGiftsAnswer(
        campaign=named.public_id,
        book=book,
        gifts=[PublicGift(number=row.number, at=row.at, who=row.who, fen=row.fen, hash=row.hash) for row in page.rows],
        next_before=page.older or None,
    )


def everything(session: Session, asked: WholeLedgerQuery) -> WholeLedgerAnswer:
    """One page of all campaigns' sealed rows."""
    book, names = current_book(), tuple(AnyRow.model_fields)
    wanted = ledger_rows.Asked(before=asked.before, kind=asked.kind)
    page = ledger_rows.page(session, wanted, book=book, size=asked.per_page)
    return WholeLedgerAnswer(
        book=book,
        balance_fen=ledger_figures.figures(session, book, 0).balance_fen,
        rows=[AnyRow(**{name: getattr(row, name) for name in names}) for row in page.rows],
        next_before=page.older or None,
        url="/ledger",
    )


def disbursements(session: Session, campaign: str, asked: DisbursementsQuery) -> DisbursementsAnswer:
    """One page of what a campaign has paid, with what proves it. Raises NotFound as `rows` does."""
    named, book = public_one(session, campaign), current_book()
    paid, older = spent.page(session, campaign=named.id, book=book, before=asked.before, size=asked.per_page)
    found = [disbursement(named.public_id, each) for each in paid]
    return DisbursementsAnswer(campaign=named.public_id, book=book, disbursements=found, next_before=older or None)


def disbursement(campaign: str, paid: spent.Payment) -> DisbursementItem:
    names = ("fen", "purpose", "budget_line", "beyond_why", "provider", "invoice_number", "paid_at", "evidence_due_on")
    return DisbursementItem(
        **{name: getattr(paid, name) for name in names},
        disbursement=paid.public_id,
        is_overdue=paid.is_overdue,
        lines=[InvoiceLine(what=line.what, fen=line.fen) for line in paid.lines],
        evidence=[evidence(proof) for proof in paid.evidence],
        repayments=[
            RepaymentItem(**{name: getattr(each, name) for name in RepaymentItem.model_fields}) for each in paid.repayments
        ],
        url=f"/ledger/{campaign}/disbursements/{paid.public_id}",
    )


def evidence(proof: spent.Proof) -> EvidenceItem:
    place = f"/evidence/{proof.public_id}" if proof.public_id else None
    return EvidenceItem(kind=proof.kind, words=proof.words, sha256=proof.sha256, at=proof.at, url=place)
