"""What whoever pointed goods out is told: what the province has decided and why, never what others said."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy.orm import Session

from listings.complaints.models import Complaint
from listings.complaints.states import ComplaintState as C
from listings.models import Listing
from marketplace.accounts.models import Person
from marketplace.core.languages import speaking
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

TEXTS: Final[dict[C, LazyString]] = {
    C.UPHELD: _l("You pointed out “%(title)s”. The province has taken it off sale. Reason: %(why)s. Thank you for looking."),
    C.DISMISSED: _l("You pointed out “%(title)s”. The province has looked at it and left it as it is. Reason: %(why)s"),
}


def tell(session: Session, row: Complaint, listing: Listing) -> None:
    """Once for each complaint; who has no account and left no address has asked not to be told."""
    with speaking(row.language):
        title = listing.title_en if row.language == "en" and listing.title_en else listing.title_zh
        text = str(TEXTS[row.state]) % {"title": title, "why": row.answer}
    fact = f"complaint_decided:{row.public_id}"
    if row.reporter_id is not None:
        messages.tell(session, session.get_one(Person, row.reporter_id), fact=fact, text=text, kind=MessageKind.ACCOUNT)
    elif row.address:
        messages.send(session, fact=fact, address=row.address, text=text)
