"""News of a presale, for everybody and for good."""

from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from crowdfund.presales import drafting
from crowdfund.presales.models import PresaleUpdate
from crowdfund.presales.states import PresaleState as P
from marketplace.core import clock, ids, outbox, page_cache
from marketplace.core.db import add_rows
from marketplace.core.errors import NotFound, Refusal

TOLD: Final = "presale.told"  # the outbox's topic
SPOKEN_OF: Final = frozenset({P.LIVE, P.WAITING_FUNDS, P.SUCCESSFUL, P.DELIVERING})


class NobodyReadsIt(Refusal):
    message = _l("News can be told while the presale is open or being sent.")


def tell(session: Session, *, presale: str, text: str, seller: int) -> str:
    """Its public id. Raises NotFound, NobodyReadsIt."""
    row = drafting.get(session, presale)
    if row.seller_id != seller:
        raise NotFound(presale)
    if row.state not in SPOKEN_OF:
        raise NobodyReadsIt(presale)
    public_id, now = ids.public_id(), clock.now()
    add_rows(session, PresaleUpdate, {"public_id": public_id, "presale_id": row.id, "text": text, "at": now})
    outbox.put(session, TOLD, presale=presale, update=public_id, at=now.isoformat())
    page_cache.expire(session, drafting.tag_of(presale))
    return public_id
