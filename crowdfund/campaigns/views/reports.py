"""Statutory reports: what is due when, drafted and published at the desk; read, as page, PDF and table, by everybody."""

from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from crowdfund.campaigns import desk, ledger_figures
from crowdfund.campaigns.models import Organisation
from crowdfund.campaigns.reports import content, due, papers, publishing, queries
from crowdfund.campaigns.reports.forms import PublicationForm, ReportForm, ReturnForm
from crowdfund.campaigns.reports.models import CampaignReport
from crowdfund.campaigns.reports.states import ReportState
from marketplace.accounts.permissions import requires
from marketplace.core import clock, idempotency, page_cache
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.steps import take_step
from marketplace.payments.gateways import current_book

NO_STORE: Final = {"Cache-Control": "no-store"}
OFFICER, APPROVER = "charity_officer", "charity_approver"
KINDS: Final = (due.PERIODIC, due.FULL)

bp = Blueprint("reports", __name__)


def organisations(*roles: str) -> list[str]:
    """Those in which the visitor has one of these roles."""
    return sorted({scope for role, kind, scope in g.person.grants if role in roles and kind == "organisation"})


@bp.get("/charity/reports")
@requires("report.follow")
def list_reports() -> ResponseReturnValue:
    session, theirs = db.session(), organisations(OFFICER, APPROVER)
    shown: dict[str, Any] = {
        "due": due.of_organisations(session, theirs),
        "evidence": queries.evidence_due(session, theirs, current_book()),
        "reports": queries.of_organisations(session, theirs),
        "is_officer": bool(organisations(OFFICER)),
    }
    return page("charity/reports.html", **shown)


@bp.get("/charity/reports/new/<campaign>/<kind>")
@requires("report.draft")
def show_new(campaign: str, kind: str) -> ResponseReturnValue:
    return draft_page(campaign, kind, ReportForm())


def draft_page(campaign: str, kind: str, form: ReportForm, status: int = 200) -> ResponseReturnValue:
    row, _organisation = desk.get(db.session(), campaign, organisations(OFFICER))
    if kind not in KINDS:
        raise NotFound(kind)
    days = None
    try:
        days = publishing.days_of(db.session(), row, kind)
    except Refusal as refusal:
        if refusal.message not in form.form_errors:
            form.form_errors.append(refusal.message)
    return page("charity/report_new.html", status, campaign=row, kind=kind, form=form, days=days)


@bp.post("/charity/reports/new/<campaign>/<kind>")
@requires("report.draft")
def create_report(campaign: str, kind: str) -> ResponseReturnValue:
    desk.get(db.session(), campaign, organisations(OFFICER))
    form = ReportForm(request.form)
    if kind not in KINDS or not form.validate():
        return draft_page(campaign, kind, form, 422)
    told = {"campaign": campaign, "kind": kind, "words": str(form.words.data), "officer_id": g.person.id}
    key = form.idempotency(f"report:{g.person.id}:{campaign}:{kind}")
    try:
        made = in_transaction(idempotency.once, publishing.draft, idempotency=key, **told)
    except (publishing.NothingToReport, publishing.ToldAlready, publishing.NotOver, publishing.DraftWaits) as refusal:
        form.form_errors.append(refusal.message)
        return draft_page(campaign, kind, form, 409)
    flash(_("Drafted. Somebody else reads and publishes it."), "done")
    return redirect(url_for(".show_report", report=made), 303)


@bp.get("/charity/reports/<report>")
@requires("report.follow")
def show_report(report: str) -> ResponseReturnValue:
    return report_page(report, ReturnForm())


def report_page(report: str, form: ReturnForm, status: int = 200) -> ResponseReturnValue:
    """A draft as it would be published now; what was published as it was."""
    row, drafter = queries.get(db.session(), report, organisations(OFFICER, APPROVER))
    text = row.content or content.canonical(content.of(db.session(), row))
    shown: dict[str, Any] = {
        "row": row,
        "drafter": drafter,
        "said": content.read(text),
        "sha256": content.hash_of(text),
        "form": form,
    }
    is_theirs = row.state is ReportState.DRAFTED and row.drafter_id != g.person.id
    return page("charity/report.html", status, may_publish=is_theirs and bool(organisations(APPROVER)), **shown, **words())


@bp.post("/charity/reports/<report>/publication")
@requires("report.publish")
def create_publication(report: str) -> ResponseReturnValue:
    """The paper is set before: it takes a moment, and nothing is held meanwhile."""
    row, _drafter = queries.get(db.session(), report, organisations(APPROVER))
    back, seen = url_for(".show_report", report=report), str(PublicationForm(request.form).seen.data or "")
    text = content.canonical(content.of(db.session(), row))
    paper = ""
    if row.state is ReportState.DRAFTED and row.drafter_id != g.person.id and content.hash_of(text) == seen:
        db.session.rollback()
        try:
            paper = papers.set_paper(content.read(text), seen)
        except papers.PaperNotSet as refusal:
            flash(refusal.message, "failed")
            return redirect(back, 303)
    told = {"report": report, "publisher_id": g.person.id, "seen": seen, "paper_sha256": paper}
    return take_step(publishing.publish, back, done=_("Published. Nothing of it can be changed any more."), **told)


@bp.post("/charity/reports/<report>/return")
@requires("report.follow")
def create_return(report: str) -> ResponseReturnValue:
    """Whoever wrote it or is to publish it sends a draft back."""
    queries.get(db.session(), report, organisations(OFFICER, APPROVER))
    form = ReturnForm(request.form)
    if not form.validate():
        return report_page(report, form, 422)
    told = {"report": report, "person_id": g.person.id, "reason": str(form.reason.data)}
    return take_step(publishing.withdraw, url_for(".list_reports"), done=_("Sent back. A new draft can be made."), **told)


@bp.get("/ledger/<campaign>/reports/<report>")
@requires("ledger.read")
def show_public(campaign: str, report: str) -> ResponseReturnValue:
    page_cache.tags("ledger", "giving")
    row = queries.public(db.session(), campaign, report)
    named = ledger_figures.find(db.session(), campaign)
    shown = {"row": row, "said": content.read(row.content), "sha256": row.sha256, "campaign": named}
    return render_template("ledger/report.html", **shown, **words())


@bp.get("/ledger/<campaign>/reports/<report>/report.csv")
@requires("ledger.read")
def download_csv(campaign: str, report: str) -> ResponseReturnValue:
    row = queries.public(db.session(), campaign, report)
    return file_answer(papers.as_csv(content.read(row.content), row.sha256), row, "csv", "text/csv; charset=utf-8")


@bp.get("/ledger/<campaign>/reports/<report>/report.pdf")
@requires("ledger.read")
def download_pdf(campaign: str, report: str) -> ResponseReturnValue:
    row = queries.public(db.session(), campaign, report)
    return file_answer(papers.paper(row.paper_sha256), row, "pdf", "application/pdf")


@bp.get("/ledger/<campaign>/reports/<report>/report.json")
@requires("ledger.read")
def download_json(campaign: str, report: str) -> ResponseReturnValue:
    """The very bytes whose hash is published."""
    row = queries.public(db.session(), campaign, report)
    return file_answer(row.content.encode(), row, "json", "application/json")


def file_answer(body: bytes, row: CampaignReport, ending: str, kind: str) -> Response:
    name = f"attachment; filename={row.kind}-report-{row.until:%Y%m%d}.{ending}"
    return Response(body, content_type=kind, headers={"Content-Disposition": name})


def words() -> dict[str, Any]:
    return {"money_words": papers.kinds_in_words(), "kinds": content.KINDS, "balance": content.balance}


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    theirs = organisations(OFFICER, APPROVER)
    name = db.session.scalar(select(Organisation.name_zh).where(Organisation.code.in_(theirs)).limit(1)) or ""
    told = {"desk_current": "reports", "organisation_name": name, "today": clock.today(), "book": current_book()}
    return render_template(template, **told, **shown), status, NO_STORE
