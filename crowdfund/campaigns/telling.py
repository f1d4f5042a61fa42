"""A campaign in words and pictures, in the reader's language: what its page says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask_babel import LazyString, gettext as _, lazy_gettext as _l
from sqlalchemy.orm import Session

from crowdfund.campaigns import drafting, giving, queries, spending
from crowdfund.campaigns.criteria.publishing import Limits, limits_of
from crowdfund.campaigns.matching.queries import Matching, of_campaign
from crowdfund.campaigns.mirrors import queries as mirrors
from crowdfund.campaigns.mirrors.queries import Given
from crowdfund.campaigns.models import BudgetLine, Campaign, Organisation
from crowdfund.campaigns.organisations import standing
from crowdfund.campaigns.queries import Card, LedgerLine, Payment
from crowdfund.campaigns.spending import Spending
from crowdfund.campaigns.states import CampaignState
from crowdfund.campaigns.students import queries as students
from crowdfund.campaigns.teams import queries as teams
from marketplace.core.formats import in_language, language, short_date, yuan
from marketplace.core.memory import remembered
from marketplace.core.strata import WIDE, Layer, Section, section
from marketplace.core.timeline import Stop
from marketplace.payments.gateways import current_book

KINDS: Final[dict[str, LazyString]] = {"donation": _l("Small gifts"), "student_aid": _l("Student aid")}
STATES: Final[dict[CampaignState, LazyString]] = {
    CampaignState.DRAFT: _l("draft"),
    CampaignState.SUBMITTED: _l("waiting for review"),
    CampaignState.NEEDS_WORK: _l("needs work"),
    CampaignState.APPROVED: _l("approved"),
    CampaignState.LIVE: _l("open for gifts"),
    CampaignState.PAUSED: _l("paused"),
    CampaignState.ENDED: _l("ended"),
    CampaignState.CANCELLED: _l("cancelled early"),
    CampaignState.DISBURSING: _l("being spent"),
    CampaignState.REPORTED: _l("reported"),
    CampaignState.CLOSED: _l("closed"),
}
DEEDS: Final[dict[str, LazyString]] = {  # of the audit log, beside the states that a campaign reaches
    "changed": _l("text changed"),
    "filed": _l("filing entered"),
    "criteria_set": _l("limits set"),
    "invited": _l("somebody put on the list"),
    "uninvited": _l("somebody taken off the list"),
    "update_told": _l("update published"),
    "picture_taken_back": _l("picture taken back"),
}
ROWS: Final[dict[str, LazyString]] = {
    "gift": _l("gave"),
    "match": _l("matched"),
    "unmatch": _l("took a match back"),
    "refund": _l("was refunded"),
    "return": _l("refund did not arrive"),
    "disbursement": _l("paid out"),
    "repayment": _l("paid back"),
    "correction": _l("not paid back after all"),
}
ANONYMITY: Final[dict[str, LazyString]] = {
    "masked": _l("first character only, as in 王**"),
    "named": _l("full name"),
    "anonymous": _l("anonymous"),
}
GIVING_LINKS: Final[tuple[tuple[str, LazyString], ...]] = (
    ("/campaigns?kind=donation", _l("Small gifts")),
    ("/campaigns?kind=student_aid", _l("Student aid")),
    ("/pledges", _l("You deposit, we donate")),
    ("/ledger", _l("Sunshine ledger")),
)
PAST_GOAL: Final[dict[str, LazyString]] = {
    "stop": _l("No more gifts are taken once the goal is reached."),
    "stretch": _l("Gifts beyond the goal go to the same purpose."),
    "next_project": _l("Gifts beyond the goal go to the next project:"),
}
CHANNELS: Final[dict[str, LazyString]] = {
    "own_site": _l("here, from everybody"),
    "mirror": _l("on a designated platform; we lead there"),
    "directed": _l("here, from a closed list only"),
}
CHIPS: Final = (660, 2000, 5000)
DEAR: Final = 20_000  # a unit above it is no sum to propose to everybody


@dataclass(frozen=True, eq=False)  # what was rendered of it is kept by it
class Shown:
    """Everything a campaign's page shows."""

    card: Card
    facts: Campaign
    organisation: str
    is_demo_organisation: bool
    credit_code: str
    certificate: str
    certificate_until: date
    is_uncertified: bool  # paused until its organisation has a valid certificate again
    story: tuple[str, ...]
    chips: tuple[int, ...]
    proposed: int
    unit: str
    budget: Section
    sentence: str
    spending: Spending
    steps: tuple[Stop, ...]
    lines: tuple[LedgerLine, ...]
    rows: int
    balance_fen: int
    words: tuple[tuple[str, str], ...]
    matching: Matching
    teams: tuple[teams.Shown, ...]
    limits: Limits | None
    places: tuple[students.Place, ...]  # of students who wait for a sponsor
    sponsored: int
    elsewhere: tuple[Given, ...]  # the latest gifts on a mirrored campaign's platform

    @property
    def bar(self) -> list[tuple[int, str]]:
        """The shares of what was raised, of a thousand: what givers gave, and behind it what was added to that."""
        raised, share = self.card.raised_fen, self.card.share
        added = -(-share * min(self.matching.matched_fen, raised) // raised) if raised > 0 else 0  # something shows of it
        return [(share - added, "give"), (added, "match")] if added else [(share, "give")]


def tags_of(_value: Shown, public_id: str) -> tuple[str]:
    return (f"campaign:{public_id}",)


@remembered("stations", by=tags_of, kilobytes=24)
def page(session: Session, public_id: str) -> Shown:
    """Eleven statements, two more of student aid, one of what is paused.

    Raises NotFound for what is not shown to everybody."""
    card, campaign, organisation = queries.find(session, public_id)
    budget = drafting.budget_of(session, campaign.id)
    lines = queries.ledger_lines(session, campaign.id)
    words = queries.words(session, campaign.id)
    drawing = section([Layer(in_language(line.name_zh, line.name_en), line.fen) for line in budget], span=WIDE)
    piece_fen = piece(campaign.unit_fen)
    matching = of_campaign(session, campaign.id)
    is_aid = campaign.kind == "student_aid"
    number = campaign.id
    session.expunge(campaign)
    left = card.raised_fen - card.spent_fen  # as the books say, which the audit proves; they have a line for every gift
    return Shown(
        card=card,
        facts=campaign,
        organisation=in_language(organisation.name_zh, organisation.name_en),
        is_demo_organisation=organisation.is_demo,
        credit_code=organisation.credit_code,
        certificate=organisation.certificate_number,
        certificate_until=organisation.certificate_until,
        is_uncertified=card.state is CampaignState.PAUSED and standing.is_waiting(session, public_id),
        story=tuple(part.strip() for part in campaign.story_zh.splitlines() if part.strip()),
        chips=chips(piece_fen),
        proposed=proposed(piece_fen),
        unit=in_language(campaign.unit_zh, campaign.unit_en),
        budget=drawing,
        sentence=said(budget),
        spending=spending.of(session, public_id, book=current_book(), left_words=_("still in the account"), left_fen=left),
        steps=tuple(steps(card, campaign, organisation, queries.paid_out(session, campaign.id))),
        lines=tuple(lines),
        rows=card.rows,
        balance_fen=left,
        words=tuple(words),
        matching=matching,
        teams=tuple(teams.of_campaign(session, public_id)),
        limits=limits_of(session, campaign.id),
        places=students.offered(session, public_id) if is_aid else (),
        sponsored=students.sponsored_now(session, campaign.id) if is_aid else 0,
        elsewhere=tuple(mirrors.latest(session, number)) if card.elsewhere else (),
    )


def piece(unit_fen: int | None) -> int | None:
    """What one piece costs, where that can be given at all."""
    return unit_fen if unit_fen and unit_fen >= giving.smallest_fen() else None


def chips(unit_fen: int | None) -> tuple[int, ...]:
    """Three sums to choose from; one of them is what one piece costs, where that is a sum for everybody."""
    if unit_fen is None or unit_fen > DEAR or unit_fen in CHIPS:
        return CHIPS
    return tuple(sorted((CHIPS[0], unit_fen, CHIPS[2])))


def proposed(unit_fen: int | None) -> int:
    """The chip that is chosen at first."""
    return unit_fen if unit_fen is not None and unit_fen <= DEAR else CHIPS[1]


def said(budget: Sequence[BudgetLine]) -> str:
    """The drawing in one sentence."""
    return str(_(", ")).join(f"{in_language(line.name_zh, line.name_en)} {yuan(line.fen)}" for line in budget)


def steps(card: Card, campaign: Campaign, organisation: Organisation, payments: Sequence[Payment]) -> list[Stop]:
    """How far it is, the latest first: on top what was promised for afterwards, the last of it first."""
    ahead = [Stop("ahead", words) for words in reversed(campaign.milestones_zh)]
    over = card.state not in queries.OPEN_NOW
    done = []
    after = [payment for payment in payments if campaign.closed_at and payment.paid_at >= campaign.closed_at]
    before = payments[len(after) :]
    if over and campaign.closed_at:
        told = _("%(sum)s was raised", sum=yuan(card.elsewhere.fen if card.elsewhere else card.raised_fen))
        if card.state is CampaignState.CANCELLED and card.elsewhere:
            told = _("Gifts go back on the platform, by its rules.")
        elif card.state is CampaignState.CANCELLED:
            told = _("%(sum)s was refunded to the givers", sum=yuan(card.returned_fen))
        title = _("Called off") if card.state is CampaignState.CANCELLED else _("Ended")
        done.append(Stop("done", title, short_date(campaign.closed_at, language()), told))
    elif card.state is CampaignState.PAUSED:
        done.append(Stop("now", _("Paused"), "", _("No gifts are taken meanwhile.")))
    else:
        done.append(Stop("now", _("Open for gifts"), "", _("until %(day)s", day=short_date(card.ends_on, language()))))
    done = [*(paid(card, payment) for payment in after), *done, *(paid(card, payment) for payment in before)]
    opened = short_date(campaign.opened_at, language()) if campaign.opened_at else ""
    done.append(Stop("done", _("Opened"), opened, _("Requested by one officer, approved by another.")))
    filed = short_date(campaign.filed_on, language()) if campaign.filed_on else ""
    name = in_language(organisation.name_zh, organisation.name_en)
    done.append(Stop("done", _("Filed"), filed, f"{name} {campaign.filing_number}"))
    return [*([] if card.state is CampaignState.CANCELLED else ahead), *done]


def paid(card: Card, payment: Payment) -> Stop:
    """Money that went to a provider, and whether it was proved."""
    title = _("%(sum)s to %(name)s", sum=yuan(payment.fen), name=payment.provider)
    proof = (
        _("evidence provided") if payment.is_proved else _("evidence by %(day)s", day=short_date(payment.due_on, language()))
    )
    back = [_("%(sum)s of it was paid back", sum=yuan(payment.repaid_fen))] if payment.repaid_fen else []
    text = str(_(", ")).join([payment.purpose, *back, proof])
    url = f"/ledger/{card.id}/disbursements/{payment.id}"
    return Stop("done", title, short_date(payment.paid_at, language()), text, url=url, url_words=str(_("See the evidence")))
