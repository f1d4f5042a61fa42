"""What the law and good sense want before strangers are asked for money; what is missing is named by its field."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l

from crowdfund.campaigns.mirrors.platforms import is_address_of
from crowdfund.campaigns.models import BudgetLine, Campaign, Organisation
from marketplace.core.errors import Refusal

FILED_BEFORE: Final = timedelta(days=10)
Missing = dict[str, LazyString]

WANTED: Final[dict[str, LazyString]] = {
    "title_zh": _l("What is it called?"),
    "story_zh": _l("Say what it is about."),
    "purpose_zh": _l("What is the money for? Say it in one sentence."),
    "beneficiaries_zh": _l("Who benefits?"),
    "criteria_zh": _l("How are they chosen? This is published."),
    "region_zh": _l("Where is it?"),
    "leader_zh": _l("Who is responsible?"),
    "bank_account_zh": _l("Which account does the money go to?"),
    "residue_zh": _l("What happens to leftover money?"),
}


class NotReady(Refusal):
    """Something is missing; `missing` says what, by field."""

    status = 422
    message = _l("Something is still missing.")

    def __init__(self, missing: Missing) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


def for_review(campaign: Campaign, budget: Sequence[BudgetLine]) -> Missing:
    """What a reviewer must be able to read."""
    missing: Missing = {name: words for name, words in WANTED.items() if not filled(getattr(campaign, name))}
    if sum(line.fen for line in budget) != campaign.goal_fen:
        missing["budget"] = _l("The lines of the budget must add up to the goal.")
    if campaign.past_goal == "next_project" and not filled(campaign.next_project_zh):
        missing["next_project_zh"] = _l("Name the project that receives what comes in after the goal.")
    if campaign.channel == "mirror" and not is_address_of(campaign.platform, campaign.platform_url):
        missing["platform_url"] = _l("Which page of which platform does it live on?")
    return missing


def for_opening(campaign: Campaign, budget: Sequence[BudgetLine], organisation: Organisation, today: date) -> Missing:
    """All of that, and what the authorities must have, on the day it opens."""
    missing = for_review(campaign, budget)
    if not (organisation.certificate_from <= today and campaign.ends_on <= organisation.certificate_until):
        missing["organisation"] = _l("The organisation's certificate must be valid from today to the last day.")
    if not filled(campaign.filing_number):
        missing["filing_number"] = _l("The campaign needs its filing number.")
    if campaign.filed_on is None:
        missing["filed_on"] = _l("When was it filed?")
    elif campaign.filed_on + FILED_BEFORE > campaign.starts_on:
        missing["filed_on"] = _l("It must be filed at least ten days before it starts.")
    if today < campaign.starts_on:
        missing["starts_on"] = _l("It has not started yet.")
    if today > campaign.ends_on:
        missing["ends_on"] = _l("Its last day has passed.")
    return missing


def certificate(organisation: Organisation, today: date) -> Missing:
    """To go on with what was opened within a former one."""
    if organisation.certificate_from <= today <= organisation.certificate_until:
        return {}
    return {"organisation": _l("The organisation has no certificate that is valid today.")}


def filled(value: Any) -> bool:
    return bool(str(value or "").strip())
