"""Pictures of a case show what somebody had at home: half a year after it has ended they are deleted.

So are those of an institution's claim, half a year after its station has answered: they lie in the same folder.
What was sent with a form that was refused, and never came again, goes after a day."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from listings import pictures
from listings.models import Consent
from marketplace.core import clock
from marketplace.core.db import db
from marketplace.core.settings import settings
from marketplace.orders.cases.models import AfterSalesCase, CaseAppeal, CasePicture
from marketplace.orders.cases.states import OPEN_CASE, AppealState
from marketplace.orders.institutions.models import GoodsCheck, GoodsCheckPicture

KEPT_FOR: Final = timedelta(days=180)
MOST: Final = 500  # in one turn
SHOWING: Final = (CasePicture.digest, GoodsCheckPicture.digest, Consent.picture_digest)  # all that lies in this folder


def forget(session: Session) -> None:
    """The worker's hourly step."""
    before = clock.now() - KEPT_FOR
    digests = forget_cases(session, before) | forget_claims(session, before)
    for column in SHOWING:
        digests -= set(session.scalars(select(column).where(column.in_(digests))))
    for digest in digests:
        pictures.remove(settings().private_media_folder, digest)


def sweep() -> None:
    """The worker's: pictures that belong to nothing."""
    shown = {digest for column in SHOWING for digest in db.session.scalars(select(column)) if digest}
    db.session.rollback()
    pictures.sweep(settings().private_media_folder, shown)


def forget_cases(session: Session, before: datetime) -> set[str]:
    """What the deleted rows showed."""
    lasting = or_(CaseAppeal.state == AppealState.ASKED, CaseAppeal.decided_at >= before)
    old = select(CasePicture.id, CasePicture.digest).join(AfterSalesCase, AfterSalesCase.id == CasePicture.case_id)
    old = old.outerjoin(CaseAppeal, CaseAppeal.case_id == AfterSalesCase.id)
    old = old.where(AfterSalesCase.state.not_in(sorted(OPEN_CASE)), AfterSalesCase.decided_at < before)
    found = session.execute(old.where(or_(CaseAppeal.id.is_(None), ~lasting)).order_by(CasePicture.id).limit(MOST)).all()
    session.execute(delete(CasePicture).where(CasePicture.id.in_([row.id for row in found])))
    return {row.digest for row in found}


def forget_claims(session: Session, before: datetime) -> set[str]:
    """As `forget_cases`."""
    old = select(GoodsCheckPicture.id, GoodsCheckPicture.digest)
    old = old.join(GoodsCheck, GoodsCheck.id == GoodsCheckPicture.check_id).where(GoodsCheck.ended_at < before)
    found = session.execute(old.order_by(GoodsCheckPicture.id).limit(MOST)).all()
    session.execute(delete(GoodsCheckPicture).where(GoodsCheckPicture.id.in_([row.id for row in found])))
    return {row.digest for row in found}
