"""The hearts on lists and grids of goods: for whoever is signed in; a stranger's page is kept for everybody and has none."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy.orm import Session

from listings.cards import Card
from listings.following import queries
from marketplace.accounts.models import Person

KEPT: Final = "kept"
OPEN: Final = "open"


def on(session: Session, person: Person | None, shown: Iterable[Card]) -> Mapping[str, str]:
    """By pack, whether this person keeps it in mind; nothing for strangers. One statement."""
    if person is None:
        return {}
    packs = [card.variant for card in shown if card.variant]
    kept = queries.kept_among(session, person.id, packs)
    return {pack: KEPT if pack in kept else OPEN for pack in packs}
