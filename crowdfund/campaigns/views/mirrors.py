"""/charity/campaigns/<campaign>/files: a platform's file is sent, looked at, taken or dropped; differences are decided."""

from typing import Any, Final

from flask import Blueprint, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.campaigns import desk
from crowdfund.campaigns.mirrors import queries, taking, wording
from crowdfund.campaigns.mirrors.forms import FileForm
from crowdfund.campaigns.mirrors.states import AT_WORK, Decision, Verdict
from crowdfund.campaigns.models import Campaign
from crowdfund.campaigns.views.frame import OFFICER, organisations, page
from listings.sheets import storing
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.forms import tidy
from marketplace.core.steps import take_step

SECONDS: Final = 2  # between two looks of a page without script
STEPS: Final = {"taking": taking.confirm, "dropping": taking.drop}

bp = Blueprint("mirrors", __name__, url_prefix="/charity/campaigns/<campaign>/files")


@bp.get("")
@requires("campaign.keep")
def list_files(campaign: str) -> ResponseReturnValue:
    return list_page(own(campaign), FileForm())


@bp.post("")
@requires("campaign.draft")
def create_file(campaign: str) -> ResponseReturnValue:
    """Kept, for the worker to compare. Sent again under the same key, it is one file."""
    row, form, sent = own(campaign, OFFICER), FileForm(request.form), request.files.get("file")
    if not sent or not sent.filename:
        form.file.errors = [_("Choose the file that the platform made.")]
        return list_page(row, form, 422)
    kept = ""
    try:
        kept = storing.keep_sheet(sent.stream)
        scope, key, _body = form.idempotency(f"mirror:{campaign}:{g.person.id}")
        told: dict[str, Any] = {"campaign": campaign, "person": g.person.id, "kept_as": kept}
        told["idempotency"] = (scope, key, {"file": storing.digest_of(kept)})
        name = in_transaction(idempotency.once, taking.receive, file_name=str(tidy(sent.filename)), **told)
    except (storing.SheetTooLarge, taking.NotMirrored, taking.OneIsOpen, idempotency.KeyReused) as refusal:
        storing.drop(kept)
        form.file.errors = [str(refusal.message)]
        return list_page(row, form, refusal.status)
    except Exception:
        storing.drop(kept)  # nobody knows of it
        raise
    if queries.find(db.session(), row.id, name).kept_as != kept:
        storing.drop(kept)  # it came a second time
    return redirect(url_for(".show_file", campaign=campaign, name=name), 303)


@bp.get("/<name>")
@requires("campaign.keep")
def show_file(campaign: str, name: str) -> ResponseReturnValue:
    """How far it is, then what it says; ?show= one kind of rows, ?after= those behind a line."""
    row, session = own(campaign), db.session()
    file = queries.find(session, row.id, name)
    tally = queries.tally(session, file.id)
    counts = {str(Verdict.CHANGED): tally.changed, str(Verdict.REFUSED): tally.refused, str(Verdict.NEW): tally.new}
    asked, after = request.args.get("show", ""), request.args.get("after", "")
    show = asked if asked in counts else next((verdict for verdict, count in counts.items() if count), "new")
    is_at_work = file.state in AT_WORK
    shown: dict[str, Any] = {"row": row, "file": file, "tally": tally, "counts": counts, "show": show}
    shown |= {"is_at_work": is_at_work, "words": wording, "may_take": is_officer(row)}
    start = int(after) if is_number(after) else 0
    shown["rows"] = None if is_at_work else queries.rows(session, file.id, show, start)
    answer = make_response(page("charity/mirror_file.html", "campaigns", **shown))
    if is_at_work:
        answer.headers["Refresh"] = f"{SECONDS}; url={url_for('.show_file', campaign=campaign, name=name)}"
    return answer


@bp.post("/<name>/<step>")
@requires("campaign.draft")
def create_step(campaign: str, name: str, step: str) -> ResponseReturnValue:
    if step not in STEPS:
        raise NotFound(step)
    own(campaign, OFFICER)
    back = url_for(".show_file", campaign=campaign, name=name)
    return take_step(STEPS[step], back, campaign=campaign, name=name, person=g.person.id)


@bp.post("/<name>/differences/<difference>/<decision>")
@requires("campaign.draft")
def create_decision(campaign: str, name: str, difference: str, decision: str) -> ResponseReturnValue:
    """On one difference, called by its line in the file."""
    if decision not in {str(Decision.FOLLOWED), str(Decision.KEPT)} or not is_number(difference):
        raise NotFound(difference)
    own(campaign, OFFICER)
    back = url_for(".show_file", campaign=campaign, name=name, show=str(Verdict.CHANGED))
    told: dict[str, Any] = {"number": int(difference), "decision": decision, "person": g.person.id}
    return take_step(taking.decide, back, campaign=campaign, name=name, **told)


def own(campaign: str, *roles: str) -> Campaign:
    """Raises NotFound for another organisation's."""
    row, _organisation = desk.get(db.session(), campaign, organisations(*roles))
    return row


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9


def is_officer(row: Campaign) -> bool:
    return row.organisation_code in organisations(OFFICER)


def list_page(row: Campaign, form: FileForm, status: int = 200) -> ResponseReturnValue:
    shown: dict[str, Any] = {"row": row, "form": form, "files": queries.files(db.session(), row.id)}
    shown |= {"words": wording, "may_take": is_officer(row)}
    return page("charity/mirror_files.html", "campaigns", status=status, **shown)
