"""Who raises money for what, what was given, what was spent, and the rows of it that everybody may read."""

from datetime import date, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.states import (
    CAMPAIGN,
    CONTRIBUTION,
    DISBURSEMENT,
    PUBLIC,
    CampaignState,
    ContributionState,
    DisbursementState,
)
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted
from marketplace.core.partial import only

OPENED = ", ".join(f"'{state}'" for state in sorted(PUBLIC))
SHOWN = text("message_state = 'shown'")
UNSEEN = text("wants_public AND is_picture AND faces IS NULL")


class Organisation(Base):
    """A charity with its public-fundraising certificate: only such a one may ask the public for money (Charity Law)."""

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint("certificate_until > certificate_from", "certificate_dates"),)
    code: Mapped[str] = mapped_column(primary_key=True)  # the scope of its officers' roles
    name_zh: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    credit_code: Mapped[str] = mapped_column(unique=True)
    certificate_number: Mapped[str]
    certificate_from: Mapped[date]
    certificate_until: Mapped[date]
    address_zh: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    is_demo: Mapped[bool] = mapped_column(default=False)


class Campaign(Base):
    """One purpose that the public is asked to give for. What the Charity Law wants said stands in columns, not in prose.

    The purpose is locked at the first gift; `past_goal` is chosen before the start."""

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("goal_fen > 0", "has_goal"),
        CheckConstraint("kind IN ('donation', 'student_aid')", "known_kind"),
        CheckConstraint("channel IN ('own_site', 'mirror', 'directed')", "known_channel"),
        CheckConstraint("past_goal IN ('stop', 'stretch', 'next_project')", "known_past_goal"),
        CheckConstraint("ends_on >= starts_on", "dates"),
        CheckConstraint("reviewer_id IS NULL OR reviewer_id <> owner_id", "two_people"),
        CheckConstraint(
            f"state NOT IN ({OPENED}) OR (reviewer_id IS NOT NULL AND filing_number <> '' AND filed_on IS NOT NULL)",
            "opened_as_the_law_wants",
        ),
        Index(None, "state", "ends_on"),
    )
    TRANSITIONS = CAMPAIGN
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    organisation_code: Mapped[str] = mapped_column(ForeignKey("organisation.code"))
    state: Mapped[CampaignState] = mapped_column(default=CampaignState.DRAFT)
    kind: Mapped[str] = mapped_column(default="donation")
    channel: Mapped[str] = mapped_column(default="own_site")
    platform: Mapped[str] = mapped_column(default="")  # of a mirrored one: where its gifts are given
    platform_url: Mapped[str] = mapped_column(default="")
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))  # who handles it in the county
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    title_zh: Mapped[str] = mapped_column(default="")
    title_en: Mapped[str] = mapped_column(default="")
    story_zh: Mapped[str] = mapped_column(default="")
    purpose_zh: Mapped[str] = mapped_column(default="")
    beneficiaries_zh: Mapped[str] = mapped_column(default="")
    criteria_zh: Mapped[str] = mapped_column(default="")  # who may benefit, as published
    region_zh: Mapped[str] = mapped_column(default="")
    leader_zh: Mapped[str] = mapped_column(default="")
    bank_account_zh: Mapped[str] = mapped_column(default="")  # as the law wants it shown: bank and last digits
    residue_zh: Mapped[str] = mapped_column(default="")  # what happens to what is left
    filing_number: Mapped[str] = mapped_column(default="")
    filed_on: Mapped[date | None]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    goal_fen: Mapped[int] = mapped_column(BigInteger)
    past_goal: Mapped[str] = mapped_column(default="stop")
    next_project_zh: Mapped[str] = mapped_column(default="")
    unit_fen: Mapped[int | None]  # what one piece costs: "¥22.50 is one book"
    unit_zh: Mapped[str] = mapped_column(default="")
    unit_en: Mapped[str] = mapped_column(default="")
    milestones_zh: Mapped[list[str]] = mapped_column(JSON, default=list)
    drawings: Mapped[list[str]] = mapped_column(JSON, default=list)  # one or two kinds for the cover
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class BudgetLine(Base):
    """What part of the goal is for what; the lines of a campaign add up to its goal."""

    __tablename__ = "budget_line"
    __table_args__ = (
        UniqueConstraint("campaign_id", "position"),
        UniqueConstraint("campaign_id", "id"),
        CheckConstraint("fen > 0", "is_something"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    position: Mapped[int]
    name_zh: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    fen: Mapped[int] = mapped_column(BigInteger)


class Contribution(Base):
    """One gift. Who gave it stands here encrypted; what everybody may read of it is `shown_as`, fixed when it is given."""

    __tablename__ = "contribution"
    __table_args__ = (
        CheckConstraint("fen > 0", "gives_something"),
        CheckConstraint("anonymity IN ('named', 'masked', 'anonymous')", "known_anonymity"),
        CheckConstraint("message_state IN ('', 'waiting', 'shown', 'kept_back')", "known_message_state"),
        Index(None, "campaign_id", "state", "message_state"),
        Index("words_shown", "campaign_id", "received_at", info=only(SHOWN)),
        Index(None, "person_id"),
    )
    TRANSITIONS = CONTRIBUTION
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    token_hash: Mapped[str] = mapped_column(unique=True)  # of the secret link by which a guest sees it again
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    state: Mapped[ContributionState] = mapped_column(default=ContributionState.INTENT)
    book: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(default="CNY")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    anonymity: Mapped[str] = mapped_column(default="anonymous")
    shown_as: Mapped[str] = mapped_column(default="")  # the name in public rows; empty: anonymous
    giver: Mapped[str | None] = mapped_column(Encrypted("contribution.giver"))  # the name for the receipt
    contact: Mapped[str | None] = mapped_column(Encrypted("contribution.contact"))  # where the receipt goes
    salt: Mapped[str] = mapped_column(default="")  # of the commitment to the giver's name in the public row
    message: Mapped[str] = mapped_column(default="")
    message_state: Mapped[str] = mapped_column(default="")  # shown only after an officer has read it
    language: Mapped[str] = mapped_column(default="zh_CN")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    received_at: Mapped[datetime | None]


NOT_REJECTED = text("state <> 'rejected'")  # what was rejected may be asked for again, put right


class Disbursement(Base):
    """Money of one campaign to a provider, on an invoice: asked for by one person, approved by another."""

    __tablename__ = "disbursement"
    __table_args__ = (
        ForeignKeyConstraint(["campaign_id", "budget_line_id"], ["budget_line.campaign_id", "budget_line.id"]),
        CheckConstraint("fen > 0", "pays_something"),
        CheckConstraint("approver_id IS NULL OR approver_id <> requester_id", "two_people"),
        Index(None, "campaign_id", "state"),
        Index("no_invoice_twice", "provider_credit_code", "invoice_number", unique=True, info=only(NOT_REJECTED)),
    )
    TRANSITIONS = DISBURSEMENT
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    budget_line_id: Mapped[int]
    state: Mapped[DisbursementState] = mapped_column(default=DisbursementState.REQUESTED)
    book: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)
    purpose_zh: Mapped[str]
    provider_zh: Mapped[str]
    provider_credit_code: Mapped[str]
    invoice_number: Mapped[str]
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    requested_at: Mapped[datetime] = mapped_column(default=clock.now)
    paid_at: Mapped[datetime | None]
    bank_reference: Mapped[str] = mapped_column(default="")
    beyond_why: Mapped[str] = mapped_column(default="")  # why more than planned for its item; public
    evidence_due_on: Mapped[date | None]  # 30 days after it was paid; until then, after the bank was told


class Evidence(Base):
    """What proves that a disbursement was spent as said: a hashed file or a sentence with its date."""

    __tablename__ = "evidence"
    __table_args__ = (
        CheckConstraint("overruled_by IS NULL OR overruled_by <> added_by", "another_overrules"),
        CheckConstraint(
            "NOT is_public OR file_name = '' OR (is_picture AND COALESCE(faces, -1) = 0) OR overruled_by IS NOT NULL",
            "looked_at_first",
        ),
        Index("evidence_unseen", "id", info=only(UNSEEN)),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    disbursement_id: Mapped[int] = mapped_column(ForeignKey("disbursement.id"), index=True)
    kind: Mapped[str]  # invoice, photo, list
    words_zh: Mapped[str] = mapped_column(default="")
    sha256: Mapped[str]  # of the file as it was sent
    file_name: Mapped[str] = mapped_column(default="")  # in the media folder; empty for a sentence
    is_public: Mapped[bool] = mapped_column(default=False)  # else everybody reads its hash only: there may be faces, names
    is_picture: Mapped[bool] = mapped_column(default=False)
    wants_public: Mapped[bool] = mapped_column(default=False)  # public as soon as it has been looked at
    faces: Mapped[int | None]  # how many were found; -1: it could not be looked at
    looked_at: Mapped[datetime | None]
    overruled_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    overruled_why: Mapped[str] = mapped_column(default="")
    added_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def is_refused(self) -> bool:
        """A face was found, or nobody could look, and nobody has overruled it."""
        return self.wants_public and self.faces not in {None, 0} and self.overruled_by is None


class PublicRow(Base):
    """One row of the public ledger as it was when its money moved; written with the entry, sealed within a second.

    `who` is what may be shown for ever; the giver's true name is only committed to, so that erasing it breaks no chain."""

    __tablename__ = "public_row"
    __table_args__ = (
        UniqueConstraint("reference", "kind"),
        CheckConstraint(
            "(kind IN ('gift', 'match', 'return', 'repayment') AND fen > 0) OR "
            "(kind IN ('unmatch', 'refund', 'disbursement', 'correction') AND fen < 0)",
            "known_kind",
        ),
        Index(None, "campaign_id", "id"),
        Index(None, "campaign_id", "book", "kind", "fen"),  # what it raised, without a look at the rows
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    book: Mapped[str]
    kind: Mapped[str]  # gift, match, unmatch, refund, return, disbursement, repayment, correction
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    fen: Mapped[int] = mapped_column(BigInteger)  # into the campaign positive
    who: Mapped[str]
    what: Mapped[str] = mapped_column(default="")
    commitment: Mapped[str] = mapped_column(default="")
    reference: Mapped[str]  # of the ledger's entry: its key


GIVEN = "EXISTS (SELECT 1 FROM contribution c WHERE c.campaign_id = OLD.id AND c.state = 'received')"
OTHER_PURPOSE = triggers.Guard(
    "campaign", "UPDATE", f"OLD.purpose_zh <> NEW.purpose_zh AND {GIVEN}", "the purpose is locked at the first gift"
)
OTHER_CHANNEL = triggers.Guard(
    "campaign",
    "UPDATE",
    f"OLD.state IN ({OPENED}) AND (OLD.channel <> NEW.channel OR OLD.past_goal <> NEW.past_goal)",
    "how a campaign raises money, and what happens beyond its goal, is locked when it opens",
    of="channel",
)
TAKEN_ELSEWHERE = triggers.Guard(
    "contribution",
    "INSERT",
    "EXISTS (SELECT 1 FROM campaign c WHERE c.id = NEW.campaign_id AND c.channel = 'mirror')",
    "gifts of a mirrored campaign are given on its platform",
    of="mirror",
)
RAISED = (
    "SELECT COALESCE(SUM(r.fen), 0) FROM public_row r WHERE r.campaign_id = NEW.campaign_id AND r.book = NEW.book"
    " AND r.kind IN ('gift', 'match', 'unmatch', 'refund', 'return')"
)
BEYOND_THE_GOAL = triggers.Guard(
    "public_row",
    "INSERT",
    "NEW.kind IN ('gift', 'match') AND EXISTS (SELECT 1 FROM campaign c WHERE c.id = NEW.campaign_id"
    f" AND c.past_goal = 'stop' AND NEW.fen > c.goal_fen - ({RAISED}))",
    "this campaign stops at its goal",  # its row is locked by whoever adds to it (room.py), so that nobody adds meanwhile
    of="goal",
)
triggers.register(*triggers.append_only("public_row"), OTHER_PURPOSE, OTHER_CHANNEL, TAKEN_ELSEWHERE, BEYOND_THE_GOAL)
