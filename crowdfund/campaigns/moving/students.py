"""What becomes of sponsored students in another house, where neither their sponsors' plans nor their papers are."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.states import PlaceState, TermState
from crowdfund.campaigns.students.models import SchoolTerm, StudentPlace
from marketplace.core.transitions import transition_all

OPERATOR = "operator"
PLAN_STAYED = "the sponsor's plan stayed in the other house"
PAPER_STAYED = "the paper stayed in the other house"


def without_sponsors(session: Session) -> None:
    """A place is offered again, with its terms and what is set aside for them; a proof that waited has to come again."""
    for state in (PlaceState.HELD, PlaceState.TAKEN):
        places = session.scalars(select(StudentPlace.public_id).where(StudentPlace.state == state)).all()
        told = {"actor": OPERATOR, "why": PLAN_STAYED}
        transition_all(session, StudentPlace, places, PlaceState.OFFERED, expected=state, **told)
    terms = session.scalars(select(SchoolTerm.public_id).where(SchoolTerm.state == TermState.PROVED)).all()
    told = {"actor": OPERATOR, "why": PAPER_STAYED}
    transition_all(session, SchoolTerm, terms, TermState.OPENED, expected=TermState.PROVED, **told)
