"""Our answer to a dispute: words, and a picture or a PDF where there is one. Once sent it is with the bank, for good."""

from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.db import in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, Refusal
from marketplace.core.forms import tidy
from marketplace.payments.disputes import following
from marketplace.payments.disputes.models import Dispute, DisputeEvidence
from marketplace.payments.disputes.states import ANSWERABLE
from marketplace.payments.gateway_news import RemoteDispute
from marketplace.payments.gateways import Invalid, gateways, unknown_unless_answered

LARGEST: Final = 5 * 2**20  # bytes
BEGINNINGS: Final = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


class NoSuchPaper(Refusal):
    status = 422
    message = _l("A PDF, JPEG or PNG of at most 5 MB, please.")


@dataclass(frozen=True)
class Paper:
    """A file as it was sent to us: its type is what its first bytes say."""

    name: str
    type: str
    content: bytes


def paper(name: str, content: bytes) -> Paper:
    """Raises NoSuchPaper."""
    kind = next((kind for start, kind in BEGINNINGS.items() if content.startswith(start)), None)
    if kind is None or len(content) > LARGEST:
        raise NoSuchPaper(name)
    return Paper(tidy(name)[:100], kind, content)


def answer(*, dispute: str, words: str, file: Paper | None, actor: str) -> None:
    """Kept first, then told to the gateway; whoever was interrupted in between sends the same words again.

    Outside any transaction. Raises NotFound, IllegalTransition where nothing is asked any more, GatewayError."""
    gateway, remote_id, evidence = in_transaction(keep, dispute=dispute, words=words, file=file, actor=actor)
    asked = gateways().get(gateway)
    try:
        with unknown_unless_answered(f"dispute {dispute}"):
            told = asked.answer_dispute(remote_id, words, key=f"dispute_evidence:{evidence}:submit")
    except Invalid as refusal:  # answered on the gateway's own pages, or decided: we hear of it now
        in_transaction(following.apply, remote=asked.fetch_dispute(remote_id), gateway=gateway, why="asked")
        raise IllegalTransition(dispute) from refusal
    in_transaction(record, remote=told, gateway=gateway, dispute=dispute, actor=actor)


def record(session: Session, *, remote: RemoteDispute, gateway: str, dispute: str, actor: str) -> None:
    """The gateway has taken it."""
    following.apply(session, remote=remote, gateway=gateway, why="answered")
    audit.record(session, actor=actor, action="dispute.answered", subject=f"dispute:{dispute}")


def keep(session: Session, *, dispute: str, words: str, file: Paper | None, actor: str) -> tuple[str, str, str]:
    """The same words with the same paper twice are one answer."""
    row = session.scalar(select(Dispute).where(Dispute.public_id == dispute).with_for_update())
    if row is None:
        raise NotFound(dispute)
    if row.state not in ANSWERABLE:
        raise IllegalTransition(dispute)
    said = select(DisputeEvidence).where(DisputeEvidence.dispute_id == row.id, DisputeEvidence.words == words)
    content = file.content if file else None
    known = next((each for each in session.scalars(said) if each.content == content), None)
    if known is None:
        known = DisputeEvidence(dispute_id=row.id, words=words, actor=actor)
        if file:
            known.file_name, known.file_type, known.content = file.name, file.type, file.content
        session.add(known)
        session.flush()
    return row.gateway, row.remote_id, known.public_id
