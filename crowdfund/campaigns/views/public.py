"""/campaigns: what is being collected for, and how far it is. Nothing of the shop stands on these pages."""

from typing import Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crowdfund.campaigns import giving, queries, telling
from crowdfund.campaigns.invited import gate
from crowdfund.campaigns.plans import periods
from crowdfund.campaigns.reports import standing
from crowdfund.campaigns.students import words as student_words
from marketplace.accounts.permissions import requires
from marketplace.core import clock, page_cache
from marketplace.core.db import db

bp = Blueprint("campaigns", __name__)
KINDS: Final = ("donation", "student_aid")


@bp.get("/campaigns")
@requires("campaign.browse")
def list_campaigns() -> ResponseReturnValue:
    """Two groups, never mixed; an unknown kind shows both."""
    page_cache.tags("giving", "stations", "ledger")
    asked = request.args.get("kind", "")
    kinds = [kind for kind in KINDS if asked not in KINDS or kind == asked]
    groups = [queries.group(db.session(), kind) for kind in kinds]
    current = f"/campaigns?kind={asked}" if asked in KINDS else ""
    shown: dict[str, object] = {"groups": groups, "kinds": telling.KINDS, "state_words": telling.STATES}
    shown["late"] = standing.late(db.session())
    return render_template("campaigns/index.html", **shown, current=current, smallest_fen=giving.smallest_fen())


@bp.get("/campaigns/<campaign>")
@requires("campaign.browse")
def show_campaign(campaign: str) -> ResponseReturnValue:
    page_cache.tags("stations", f"campaign:{campaign}")
    session = db.session()
    page = telling.page(session, campaign)
    late = standing.of(session, campaign)
    told = {"late": late, "stages": student_words.STAGES, "is_monthly_possible": is_monthly_possible(page.card)}
    return render_template("campaigns/show.html", page=page, **told, **shared(page.card.kind))


def is_monthly_possible(card: queries.Card) -> bool:
    """A second month comes before its last day, and whoever asks is not on a closed list, which is for single gifts."""
    return periods.after(clock.today(), clock.today()) <= card.ends_on and card.channel != gate.DIRECTED


def shared(kind: str) -> dict[str, object]:
    """What the templates of a campaign need besides it."""
    current = f"/campaigns?kind={kind}"
    words = {
        "kinds": telling.KINDS,
        "row_words": telling.ROWS,
        "past_goal": telling.PAST_GOAL,
        "state_words": telling.STATES,
    }
    return {"current": current, "smallest_fen": giving.smallest_fen(), **words}
