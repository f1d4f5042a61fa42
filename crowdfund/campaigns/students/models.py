"""A student's place under an alias, who sponsors it, its terms, and proofs of enrolment. No name stands here."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.states import (
    SCHOOL_TERM,
    SPONSORSHIP,
    STUDENT_PLACE,
    PlaceState,
    SponsorshipState,
    TermState,
)
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.core.partial import only

STAGES = ("primary", "junior", "senior", "vocational", "college")
LEFT_BEHIND = "left behind:"  # before a public id: what could be compared stayed in another house
RUNNING = text("state IN ('offered', 'held', 'taken')")
LIVING = text("state <> 'ended'")
WAITING = text("verdict = ''")
KNOWN_STAGES = ", ".join(f"'{stage}'" for stage in STAGES)


class StudentPlace(Base):
    """One student of a student-aid campaign, known by an alias. Whom it means only the school and the organisation know:
    `student` is a keyed hash of the number under which the school keeps them, to be compared with each proof."""

    __tablename__ = "student_place"
    __table_args__ = (
        CheckConstraint("month_fen > 0", "costs_something"),
        CheckConstraint(f"stage IN ({KNOWN_STAGES})", "known_stage"),
        Index("one_place_a_student", "student", unique=True, info=only(RUNNING)),
        Index(None, "campaign_id", "state"),
    )
    TRANSITIONS = STUDENT_PLACE
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    state: Mapped[PlaceState] = mapped_column(default=PlaceState.OFFERED)
    alias_zh: Mapped[str] = mapped_column(unique=True)
    alias_en: Mapped[str]
    stage: Mapped[str]
    student: Mapped[str]
    month_fen: Mapped[int] = mapped_column(BigInteger)
    published_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Sponsorship(Base):
    """A plan that is given for one place: at most one at a time for either of them."""

    __tablename__ = "sponsorship"
    __table_args__ = (
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", "ended_once"),
        Index("one_sponsor_a_place", "place_id", unique=True, info=only(LIVING)),
        Index("one_place_a_plan", "plan_id", unique=True, info=only(LIVING)),
        Index(None, "plan_id"),
    )
    TRANSITIONS = SPONSORSHIP
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    place_id: Mapped[int] = mapped_column(ForeignKey("student_place.id"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    state: Mapped[SponsorshipState] = mapped_column(default=SponsorshipState.BEGUN)
    began_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(default="")


class SchoolTerm(Base):
    """A term of one place. It is opened with its whole sum set aside in the campaign's account, or not at all."""

    __tablename__ = "school_term"
    __table_args__ = (
        UniqueConstraint("place_id", "starts_on"),
        CheckConstraint("fen > 0", "costs_something"),
        CheckConstraint("ends_on > starts_on", "dates"),
        CheckConstraint("(state = 'billed') = (disbursement_id IS NOT NULL)", "billed_on_a_payment"),
        Index(None, "disbursement_id"),
    )
    TRANSITIONS = SCHOOL_TERM
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    place_id: Mapped[int] = mapped_column(ForeignKey("student_place.id"))
    state: Mapped[TermState] = mapped_column(default=TermState.OPENED)
    book: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    fen: Mapped[int] = mapped_column(BigInteger)
    proof_due_on: Mapped[date]
    opened_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    disbursement_id: Mapped[int | None] = mapped_column(ForeignKey("disbursement.id"))
    report_zh: Mapped[str] = mapped_column(default="")  # what its sponsor reads of it
    reported_at: Mapped[datetime | None]


class EnrolmentProof(Base):
    """A school's paper that a student is enrolled. It names them, so it is kept encrypted, only until a second person has
    seen it; its hash stays."""

    __tablename__ = "enrolment_proof"
    __table_args__ = (
        CheckConstraint("verdict IN ('', 'accepted', 'refused', 'dropped')", "known_verdict"),
        CheckConstraint("seen_by IS NULL OR seen_by <> added_by", "two_people"),
        CheckConstraint("(verdict IN ('accepted', 'refused')) = (seen_by IS NOT NULL)", "seen_by_somebody"),
        CheckConstraint("(verdict = '') = (paper IS NOT NULL)", "forgotten_once_seen"),
        Index("one_waiting_proof", "term_id", unique=True, info=only(WAITING)),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    term_id: Mapped[int] = mapped_column(ForeignKey("school_term.id"), index=True)
    sha256: Mapped[str]
    paper: Mapped[str | None] = mapped_column(Encrypted("enrolment_proof.paper"), deferred=True)  # base64
    added_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    verdict: Mapped[str] = mapped_column(default="")
    seen_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    seen_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(default="")


SEEN = "EXISTS (SELECT 1 FROM enrolment_proof p WHERE p.term_id = NEW.id AND p.verdict = 'accepted')"
UNSEEN = triggers.Guard(
    "school_term",
    "UPDATE",
    f"NEW.fen <> OLD.fen OR NEW.place_id <> OLD.place_id OR (NEW.state IN ('enrolled', 'billed') AND NOT {SEEN})",
    "a term keeps its sum and its place and is released on a proof that somebody has seen",
)
DECIDED = triggers.Guard(
    "enrolment_proof",
    "UPDATE",
    "OLD.verdict <> '' OR NEW.sha256 <> OLD.sha256 OR NEW.term_id <> OLD.term_id OR NEW.added_by <> OLD.added_by",
    "what was seen of a proof is not changed",
)
KEPT = triggers.Guard("enrolment_proof", "DELETE", "1 = 1", "enrolment_proof is append-only")
triggers.register(UNSEEN, DECIDED, KEPT)
