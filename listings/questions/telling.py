"""What a seller is told of a question that reached them: about which goods, and where they answer it.

The words stand on the page alone: whoever asked may still take them away. Who sells here reads Chinese."""

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from listings.models import Listing
from listings.questions.models import Question
from marketplace.accounts.models import Person
from marketplace.core.languages import DEFAULT, speaking
from marketplace.core.settings import settings
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind


def tell_seller(session: Session, row: Question) -> None:
    """Once for each question."""
    seller, listing = session.get_one(Person, row.seller_id), session.get_one(Listing, row.listing_id)
    told = {"goods": listing.title_zh, "link": f"{settings().base_url}/seller/questions/{row.public_id}"}
    with speaking(DEFAULT):
        text = _("Somebody asks about “%(goods)s”. Read it and answer here: %(link)s", **told)
    messages.tell(session, seller, fact=f"question_asked:{row.public_id}", text=text, kind=MessageKind.QUESTIONS)
