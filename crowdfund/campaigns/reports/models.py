"""A report on a campaign, drafted by one person and published by another; from then on nothing of it changes."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crowdfund.campaigns.reports.states import REPORT, ReportState
from marketplace.core import clock, ids, triggers
from marketplace.core.db import Base
from marketplace.core.partial import only

WAITS = text("state = 'drafted'")


class CampaignReport(Base):
    """`content` is what was published, as canonical JSON (ADR 36); its hash and that of the paper stand beside it."""

    __tablename__ = "campaign_report"
    __table_args__ = (
        CheckConstraint("kind IN ('periodic', 'full')", "known_kind"),
        CheckConstraint("until >= since", "dates"),
        CheckConstraint("publisher_id IS NULL OR publisher_id <> drafter_id", "two_people"),
        CheckConstraint(
            "(state = 'published') = (publisher_id IS NOT NULL AND published_at IS NOT NULL AND content <> ''"
            " AND sha256 <> '' AND paper_sha256 <> '')",
            "published_whole",
        ),
        Index("one_draft_at_a_time", "campaign_id", unique=True, info=only(WAITS)),
        Index(None, "campaign_id", "state", "until"),
    )
    TRANSITIONS = REPORT
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=ids.public_id)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    state: Mapped[ReportState] = mapped_column(default=ReportState.DRAFTED)
    kind: Mapped[str]
    book: Mapped[str]
    since: Mapped[date]  # first and last day, in Shanxi
    until: Mapped[date]
    words_zh: Mapped[str]  # what was done
    drafter_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    drafted_at: Mapped[datetime] = mapped_column(default=clock.now)
    publisher_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    published_at: Mapped[datetime | None]
    content: Mapped[str] = mapped_column(Text, default="")
    sha256: Mapped[str] = mapped_column(default="")
    paper_sha256: Mapped[str] = mapped_column(default="")  # of the PDF, which lies in the media folder under this name


KEPT = "a report that was published or withdrawn is never changed"
triggers.register(
    triggers.Guard("campaign_report", "UPDATE", "OLD.state <> 'drafted'", KEPT),
    triggers.Guard("campaign_report", "DELETE", "TRUE", KEPT),
    triggers.Guard("campaign_report", "TRUNCATE", "TRUE", KEPT),
)
