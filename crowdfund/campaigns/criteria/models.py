"""A campaign's limits, and whom its payments reached: nobody outside of them, whatever the application thinks."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.encryption import Encrypted


class CampaignCriteria(Base):
    """What holds for each beneficiary. A campaign without this row published its criteria in words alone."""

    __tablename__ = "campaign_criteria"
    __table_args__ = (CheckConstraint("most > 0 AND each_fen > 0", "allows_something"),)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    most: Mapped[int]
    each_fen: Mapped[int] = mapped_column(BigInteger)


class CriteriaCounty(Base):
    """One of the counties in which the beneficiaries are."""

    __tablename__ = "criteria_county"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign_criteria.campaign_id"), primary_key=True)
    county_code: Mapped[str] = mapped_column(ForeignKey("county.code"), primary_key=True)


class Beneficiary(Base):
    """Somebody, or a school or household, whom a payment reached. Everybody sees how many and where, nobody who."""

    __tablename__ = "beneficiary"
    __table_args__ = (
        ForeignKeyConstraint(["campaign_id", "county_code"], ["criteria_county.campaign_id", "criteria_county.county_code"]),
        UniqueConstraint("campaign_id", "key"),  # nobody twice
        CheckConstraint("fen > 0", "gets_something"),
        Index(None, "disbursement_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    campaign_id: Mapped[int]
    disbursement_id: Mapped[int] = mapped_column(ForeignKey("disbursement.id"))
    county_code: Mapped[str]
    name: Mapped[str] = mapped_column(Encrypted("beneficiary.name"))
    key: Mapped[str]  # a keyed hash of the name: it can be compared and not read
    fen: Mapped[int] = mapped_column(BigInteger)
    added_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)


LIMITS = "campaign_criteria c WHERE c.campaign_id = NEW.campaign_id"
BACK = (
    "(SELECT COALESCE(SUM(p.fen), 0) FROM repayment p WHERE p.disbursement_id = d.id AND p.decided_at IS NOT NULL"
    " AND p.refused_why = '' AND p.corrected_at IS NULL)"
)
UNPROVED = f"(d.state = 'paid' OR (d.state = 'evidenced' AND d.fen = {BACK}))"  # what came back in full bought nothing yet
OUTSIDE = (
    f"NEW.fen > (SELECT c.each_fen FROM {LIMITS}) OR "
    f"(SELECT COUNT(*) FROM beneficiary b WHERE b.campaign_id = NEW.campaign_id) >= (SELECT c.most FROM {LIMITS}) OR "
    "NOT EXISTS (SELECT 1 FROM disbursement d WHERE d.id = NEW.disbursement_id AND d.campaign_id = NEW.campaign_id "
    f"AND {UNPROVED} AND d.fen >= NEW.fen + "
    "(SELECT COALESCE(SUM(b.fen), 0) FROM beneficiary b WHERE b.disbursement_id = NEW.disbursement_id))"
)
PROVED = f"EXISTS (SELECT 1 FROM disbursement d WHERE d.id = OLD.disbursement_id AND NOT {UNPROVED})"
OF_REPAYMENTS = ("repayment", "repayment_correction")  # the second comes with the column that says what was corrected


def fixed(row: str) -> str:
    """SQL: givers have read them, or are about to."""
    return f"EXISTS (SELECT 1 FROM campaign c WHERE c.id = {row}.campaign_id AND c.state NOT IN ('draft', 'needs_work'))"


PROMISED = "published criteria are a promise"
triggers.register(
    triggers.Guard(
        "beneficiary",
        "INSERT",
        OUTSIDE,
        "outside the published criteria",
        lock="'beneficiary' || NEW.campaign_id",
        reads=("disbursement", "campaign_criteria", *OF_REPAYMENTS),
    ),
    triggers.Guard("beneficiary", "UPDATE", "OLD.key <> NEW.key OR OLD.fen <> NEW.fen", "a beneficiary is not changed"),
    triggers.Guard("beneficiary", "DELETE", PROVED, "the payment is proved", reads=("disbursement", *OF_REPAYMENTS)),
    *(
        triggers.Guard(table, event, fixed("OLD" if event == "DELETE" else "NEW"), PROMISED, reads=("campaign",))
        for table in ("campaign_criteria", "criteria_county")
        for event in ("INSERT", "UPDATE", "DELETE")
    ),
)
