"""Places of somebody with an account, by their public ids: for programs, which know no secret links."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.presales import queries
from crowdfund.presales.models import Backing
from crowdfund.presales.queries import Place
from marketplace.core.errors import NotFound


def find(session: Session, place: str, person: int) -> Place:
    """Raises NotFound for every other's."""
    found = queries.places(session, (Backing.public_id == place) & (Backing.person_id == person))
    if not found:
        raise NotFound(place)
    return found[0]


def page(session: Session, person: int, *, before: str, size: int) -> tuple[list[Place], str]:
    """The latest first, below the place `before`; and where the next page goes on, nothing where this was the last."""
    mine = Backing.person_id == person
    if before:
        known = select(Backing.id).where(Backing.public_id == before, Backing.person_id == person)
        mine &= Backing.id < known.scalar_subquery()
    found = queries.places(session, mine, most=size + 1)
    return found[:size], found[size - 1].id if len(found) > size else ""
