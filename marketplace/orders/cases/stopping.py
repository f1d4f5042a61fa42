"""What an open case stops: its parcel does not settle before it ends. An appeal that waits counts as open."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from marketplace.core.errors import Refusal
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal
from marketplace.orders.cases.states import OPEN_CASE, AppealState


class CaseIsOpen(Refusal):
    message = _l("An after-sales case about this parcel is still open. Once it ends, the parcel can be confirmed.")


def stopped_parcels() -> Select[int]:
    """SQL: the rows of parcels that do not settle now; for `column.in_(...)`."""
    stopped = select(AfterSalesCase.parcel_id)
    stopped = stopped.outerjoin(CaseAppeal, CaseAppeal.case_id == AfterSalesCase.id)
    return stopped.where(or_(AfterSalesCase.state.in_(sorted(OPEN_CASE)), CaseAppeal.state == AppealState.ASKED))


def is_stopped(session: Session, parcel_id: int) -> bool:
    return session.scalar(stopped_parcels().where(AfterSalesCase.parcel_id == parcel_id).limit(1)) is not None
