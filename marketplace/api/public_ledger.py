"""From rows of the public ledger to the JSON face: a fixed number of statements."""

from sqlalchemy.orm import Session

from crowdfund.campaigns import ledger_figures, ledger_rows
from marketplace.api.ledger_schemas import LedgerAnswer, LedgerQuery, LedgerRow
from marketplace.core.errors import NotFound
from marketplace.payments.gateways import current_book


def rows(session: Session, campaign: str, asked: LedgerQuery) -> LedgerAnswer:
    """One page of a campaign's sealed rows. Raises NotFound for a campaign that the public does not know."""
    named, book = ledger_figures.find(session, campaign), current_book()
    if not named.is_public:
        raise NotFound(campaign)
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
