"""What the telecom gets of a device to activate: its numbers, and that the guardian agrees; nothing of the child."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges.models import Assignment, Consent, Device
from marketplace.core import audit, clock, csv_rows

COLUMNS: Final = ("imei", "iccid", "model", "consent_given_on", "consent_text")


def telecom_list(session: Session, *, actor: str) -> str:
    """CSV of the devices that are for a child whose guardian agrees to it now, in the order they were reserved.

    Who took it out, and how many rows, stays in the audit log."""
    wanted = (
        select(Device.imei, Device.iccid, Device.model_code, Consent.given_at, Consent.text_version)
        .join(Assignment, (Assignment.device_id == Device.id) & Assignment.released_at.is_(None))
        .join(Consent, Consent.case_id == Assignment.case_id)
        .where(Consent.purpose == "share_telecom", Consent.withdrawn_at.is_(None))
        .order_by(Assignment.id)
    )
    found = session.execute(wanted).all()
    audit.record(session, actor=actor, action="telecom.list", subject="programme", rows=len(found))
    rows = [
        (imei, iccid, model, clock.local(given_at).date().isoformat(), version)
        for imei, iccid, model, given_at, version in found
    ]
    return "".join(csv_rows.row(cells) for cells in (COLUMNS, *rows))
