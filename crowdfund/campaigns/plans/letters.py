"""What a giver is told of their plan, in their own language, once for each fact."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final, NamedTuple

from flask_babel import gettext as _, lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns import giving
from crowdfund.campaigns.models import Campaign, Contribution, Organisation
from crowdfund.campaigns.plans import links
from crowdfund.campaigns.plans.models import Plan
from marketplace.core import languages
from marketplace.core.formats import full_date, short_date, yuan
from marketplace.notifications import messages
from marketplace.notifications.preferences import MessageKind

ASKED: Final = "asked"
UNPAID, STUDENT_LEFT, PLACE_OVER = "unpaid", "student_left", "place_over"  # why a sponsor's plan ends by itself
STUDENT_GONE: Final = _l(
    "The student whom you sponsored in “%(title)s” has left the school, so your monthly gift has ended by itself. "
    "Nothing is charged any more; what was not paid to the school yet stays with the campaign, for other students."
)
STUDENT_THROUGH: Final = _l(
    "The place that you sponsored in “%(title)s” has come to its end, so your monthly gift has ended by itself. Nothing is "
    "charged any more. Thank you for staying until here."
)


class Words(NamedTuple):
    """Of the campaign, in the giver's language."""

    campaign: str
    title: str
    ends_on: date


def received(session: Session, plan: Plan, gift: Contribution) -> None:
    """A month's gift has arrived, and when the next one follows."""
    with speaking(session, plan) as words:
        told = {"sum": yuan(gift.fen), "title": words.title, "url": stop_url(plan)}
        if plan.next_on is None or plan.next_on > words.ends_on:
            text = _("Your %(sum)s has reached “%(title)s”. Thank you. Your monthly gift: %(url)s", **told)
        elif plan.mandate:
            text = _(
                "Your %(sum)s has reached “%(title)s”. Thank you. Next: %(next)s, %(next_day)s, from your card, "
                "then every month. To stop: %(url)s",
                **told | ahead(plan, plan.next_on),
            )
        else:
            text = _(
                "Your %(sum)s has reached “%(title)s”. Thank you. Next: %(next)s, %(next_day)s, by a link that we send you, "
                "then every month. To stop: %(url)s",
                **told | ahead(plan, plan.next_on),
            )
        send(session, plan, f"received:{gift.public_id}", text)


def pay_link(session: Session, plan: Plan, gift: Contribution) -> None:
    """The day of a plan that cannot be charged by itself."""
    with speaking(session, plan) as words:
        told = {"sum": yuan(gift.fen), "title": words.title, "url": pay_url(words.campaign, gift), "stop": stop_url(plan)}
        text = _(
            "Today is the day of your monthly gift, %(sum)s for “%(title)s”. One tap to give: %(url)s Nothing is taken "
            "unless you do. To stop: %(stop)s",
            **told,
        )
        send(session, plan, f"link:{gift.public_id}", text)


def failed(session: Session, plan: Plan, gift: Contribution, *, again_on: date | None, wants_confirmation: bool) -> None:
    """No money was taken. `again_on`: when the card is tried again, None if only its giver can pay now."""
    with speaking(session, plan) as words:
        told = {"sum": yuan(gift.fen), "title": words.title, "url": pay_url(words.campaign, gift), "stop": stop_url(plan)}
        if again_on:
            text = _(
                "Your monthly %(sum)s for “%(title)s” could not be charged; no money was taken. We try again on %(day)s, "
                "or you give it here with one tap: %(url)s To stop: %(stop)s",
                **told,
                day=day_words(plan, again_on),
            )
        elif wants_confirmation:
            text = _(
                "Your bank wants you to confirm your monthly %(sum)s for “%(title)s”; no money was taken. One tap to give: "
                "%(url)s To stop: %(stop)s",
                **told,
            )
        else:
            text = _(
                "Your monthly %(sum)s for “%(title)s” could not be charged; no money was taken, and we do not try again. "
                "One tap to give: %(url)s To stop: %(stop)s",
                **told,
            )
        send(session, plan, f"failed:{gift.public_id}:{again_on or 'last'}", text)


def card_ends(session: Session, plan: Plan) -> None:
    """The card is good for some weeks more; told once for each card."""
    if plan.card_ends_on is None:
        raise ValueError(f"plan {plan.public_id}: no card's end is known")
    with speaking(session, plan) as words:
        text = _(
            "The card that pays your monthly %(sum)s for “%(title)s” is good until %(day)s. To give with another card from "
            "then on: %(url)s",
            sum=yuan(plan.fen),
            title=words.title,
            day=full_date(plan.card_ends_on, "en" if is_english(plan) else "zh"),
            url=stop_url(plan),
        )
        send(session, plan, f"card_ends:{plan.public_id}:{plan.card_ends_on.isoformat()}", text)


def campaign_waits(session: Session, plan: Plan) -> None:
    """Told once, however many months the campaign is paused."""
    with speaking(session, plan) as words:
        text = _(
            "“%(title)s” is paused, so nothing is charged for your monthly gift meanwhile. "
            "It goes on when the campaign does: %(url)s",
            title=words.title,
            url=stop_url(plan),
        )
        send(session, plan, f"waits:{plan.public_id}", text)


def uncertified(session: Session, plan: Plan) -> None:
    """Told once for each certificate that has ended."""
    until = session.scalars(
        select(Organisation.certificate_until)
        .join(Campaign, Campaign.organisation_code == Organisation.code)
        .where(Campaign.id == plan.campaign_id)
    ).one()
    with speaking(session, plan) as words:
        text = _(
            "“%(title)s” is paused, because its organisation has no valid certificate for public fundraising right now. "
            "Nothing is charged for your monthly gift meanwhile; it goes on when a new certificate is confirmed: %(url)s",
            title=words.title,
            url=stop_url(plan),
        )
        send(session, plan, f"uncertified:{plan.public_id}:{until.isoformat()}", text)


def stopped(session: Session, plan: Plan, *, why: str) -> None:
    """The last letter, in the words of why it is over."""
    with speaking(session, plan) as words:
        told = {"title": words.title}
        if why == ASKED:
            text = _(
                "Your monthly gift to “%(title)s” is stopped. Nothing is charged any more; a charge that was already on its "
                "way is refunded by itself.",
                **told,
            )
        elif why == UNPAID:
            text = _(
                "Two monthly gifts to “%(title)s” in a row did not arrive, so your sponsorship has ended by itself and "
                "nothing is charged any more. The student's running term is paid for all the same. Thank you for what "
                "you gave.",
                **told,
            )
        elif why in {STUDENT_LEFT, PLACE_OVER}:
            text = (STUDENT_GONE if why == STUDENT_LEFT else STUDENT_THROUGH) % told
            text += " " + _("To sponsor another student: %(url)s", url=links.absolute(f"/campaigns/{words.campaign}"))
        else:
            text = _(
                "“%(title)s” takes no more gifts, so your monthly gift has ended by itself. Nothing is charged any more. "
                "Thank you.",
                **told,
            )
        send(session, plan, f"stopped:{plan.public_id}", text)


@contextmanager
def speaking(session: Session, plan: Plan) -> Iterator[Words]:
    campaign = select(Campaign.public_id, Campaign.title_zh, Campaign.title_en, Campaign.ends_on).where(
        Campaign.id == plan.campaign_id
    )
    row = session.execute(campaign).one()
    with languages.speaking(plan.language):
        title = row.title_en if is_english(plan) and row.title_en else row.title_zh
        yield Words(row.public_id, title, row.ends_on)


def ahead(plan: Plan, day: date) -> dict[str, str]:
    return {"next": yuan(plan.fen), "next_day": day_words(plan, day)}


def day_words(plan: Plan, day: date) -> str:
    return short_date(day, "en" if is_english(plan) else "zh")


def is_english(plan: Plan) -> bool:
    return plan.language.startswith("en")


def pay_url(campaign: str, gift: Contribution) -> str:
    return links.absolute(f"/campaigns/{campaign}/gifts/{giving.link_token(gift.public_id)}")


def stop_url(plan: Plan) -> str:
    return links.absolute(links.url_of(plan.public_id))


def send(session: Session, plan: Plan, fact: str, text: str) -> None:
    messages.send(
        session, fact=f"plan_{fact}", address=plan.contact, text=text, person_id=plan.person_id, kind=MessageKind.GIFTS
    )
