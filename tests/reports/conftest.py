"""Organisations and campaigns as the public ledger's tests make them, opened and ended on a day of the test's own."""

from datetime import datetime
from typing import Any

from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.reports import content, publishing
from marketplace.core.db import db, in_transaction
from tests.public_ledger.conftest import Giving, giving, make_giving, real_giving

__all__ = ["giving", "make_giving", "real_giving"]


def opened(giving: Giving, at: datetime, **given: Any) -> Campaign:
    return giving.campaign(opened_at=at, **given)


def publish(giving: Giving, report: str, paper: str = "ab" * 32) -> None:
    """Read and published by the other officer."""
    row = publishing.get(db.session(), report)
    seen = content.hash_of(content.canonical(content.of(db.session(), row)))
    in_transaction(publishing.publish, report=report, publisher_id=giving.approver, seen=seen, paper_sha256=paper)


def report(giving: Giving, campaign: Campaign, kind: str = "periodic", words: str = "买书，上架。") -> str:
    """Drafted and published today."""
    made = draft(giving, campaign, kind, words)
    publish(giving, made)
    return made


def draft(giving: Giving, campaign: Campaign, kind: str = "periodic", words: str = "买书，上架。") -> str:
    told = {"campaign": campaign.public_id, "kind": kind, "words": words}
    return in_transaction(publishing.draft, officer_id=giving.officer, **told)
