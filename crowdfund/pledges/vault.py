"""The vault: who a child is. Sealed row by row, opened in one place, by named roles, and never without a trace."""

import base64
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crowdfund.pledges.models import ChildCase, ChildVault
from crowdfund.pledges.refusals import ChildKnown, NotYourCase, VaultClosed
from marketplace.core import audit, ciphers, clock
from marketplace.core.encryption import fingerprint
from marketplace.core.transitions import subject_of

READERS: Final = frozenset({"verifier", "children_officer"})


@dataclass(frozen=True)
class Identity:
    """What identifies a child. It is never logged, put on a public page, or kept anywhere else."""

    name: str
    identity_number: str
    birth_date: date
    school: str
    guardian: str
    guardian_phone: str

    def __repr__(self) -> str:
        return "Identity(...)"  # a traceback or a log line must not tell


@dataclass(frozen=True)
class Reader:
    """Who opens the vault, and by which of their roles."""

    actor: str
    roles: frozenset[str]


def put(session: Session, case: ChildCase, identity: Identity, *, guardian_ending: str = "") -> None:
    """Seal it for good; of the guardian's identity document only the fingerprint of its ending is kept.

    Raises ChildKnown where this child has a case already."""
    key = ciphers.new_key()
    row = ChildVault(
        case_id=case.id,
        identity_hash=fingerprint(identity.identity_number, "child"),
        guardian_phone_hash=fingerprint(identity.guardian_phone, "phone"),
        guardian_identity_hash=ending_hash(guardian_ending),
        data_key=base64.b64encode(key).decode(),
        sealed=seal(key, case.public_id, identity),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise ChildKnown from None


def read(session: Session, case: ChildCase, *, reader: Reader, why: str) -> Identity:
    """The one way in: for a verifier or the children's officer, with a reason, kept in the audit log for ever.

    Raises NotYourCase, VaultClosed."""
    by = min(reader.roles & READERS, default="")
    if not by:
        raise NotYourCase(case.public_id)
    found = session.execute(select(ChildVault.data_key, ChildVault.sealed).where(ChildVault.case_id == case.id)).first()
    if found is None or found.data_key is None or found.sealed is None:
        raise VaultClosed(case.public_id)
    audit.record(session, actor=reader.actor, action="child_vault.read", subject=subject_of(case), why=why, role=by)
    return unseal(base64.b64decode(found.data_key), case.public_id, found.sealed)


def destroy(session: Session, case: ChildCase, *, actor: str, why: str) -> bool:
    """Destroy the row's key, and with it the row: also in backups, once the wraps in them have aged out."""
    gone = {
        "data_key": None,
        "sealed": None,
        "identity_hash": None,
        "guardian_phone_hash": None,
        "guardian_identity_hash": None,
        "destroyed_at": clock.now(),
    }
    swap = update(ChildVault).where(ChildVault.case_id == case.id, ChildVault.destroyed_at.is_(None)).values(gone)
    if session.scalar(swap.returning(ChildVault.case_id)) is None:
        return False
    audit.record(session, actor=actor, action="child_vault.destroyed", subject=subject_of(case), why=why)
    return True


def is_destroyed(session: Session, case: ChildCase) -> bool:
    """Nothing is left of who this child is."""
    gone = select(ChildVault.case_id).where(ChildVault.case_id == case.id, ChildVault.destroyed_at.is_not(None))
    return session.scalar(gone) is not None


def ending_hash(ending: str) -> str | None:
    """By which the endings of two identity documents are compared; None where there is nothing to compare."""
    return fingerprint(ending, "identity.ending") if ending else None


def is_guardian(session: Session, case: ChildCase, *, phones: set[str], identity: str | None) -> bool:
    """A keyed hash of one of these phones, or of this ending of an identity document, is the guardian's: compared without
    opening anything."""
    endings = [identity] if identity else []  # what is not known on both sides is equal to nothing
    same = ChildVault.guardian_phone_hash.in_(phones) | ChildVault.guardian_identity_hash.in_(endings)
    return session.scalar(select(ChildVault.case_id).where(ChildVault.case_id == case.id, same)) is not None


def seal(key: bytes, purpose: str, identity: Identity) -> str:
    content = asdict(identity) | {"birth_date": identity.birth_date.isoformat()}
    return ciphers.encrypt(key, json.dumps(content, ensure_ascii=False), f"child_vault:{purpose}")


def unseal(key: bytes, purpose: str, sealed: str) -> Identity:
    plain = ciphers.decrypt(key, sealed, f"child_vault:{purpose}")
    content = json.loads(plain)
    return Identity(**content | {"birth_date": date.fromisoformat(content["birth_date"])})
