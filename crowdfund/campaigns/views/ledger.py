"""/ledger: what everybody may read, take away and check by themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from crowdfund.campaigns import evidence, export, json_lines, ledger_figures, ledger_rows, payments_out, proofs
from crowdfund.campaigns.criteria import reaching
from crowdfund.campaigns.ledger_figures import Named
from crowdfund.campaigns.ledger_forms import KIND_WORDS, RowsForm
from crowdfund.campaigns.repayments import queries as repaid
from crowdfund.campaigns.reports import standing
from crowdfund.campaigns.views.sharing import unless_known
from crowdfund.campaigns.whereabouts import queries as whereabouts, spent_file
from marketplace.accounts.permissions import requires
from marketplace.core import clock, page_cache
from marketplace.core.db import db
from marketplace.core.errors import NotFound
from marketplace.payments.gateways import current_book

VERIFIER: Final = Path(__file__).parent.parent / "verify.py"
KIND_TAGS: Final = {
    "gift": "give",
    "match": "give",
    "unmatch": "now",
    "refund": "now",
    "return": "give",
    "disbursement": "",
    "repayment": "give",
    "correction": "now",
}

bp = Blueprint("ledger", __name__)


@bp.get("/ledger")
@requires("ledger.read")
def show_ledger() -> ResponseReturnValue:
    """A chosen campaign has a page of its own."""
    chosen = request.args.get("campaign", "")
    if chosen in {each.public_id for each in ledger_figures.campaigns(db.session())}:
        rest = [(name, value) for name, value in request.args.items() if value and name not in {"campaign", "before"}]
        place = url_for(".show_campaign", campaign=chosen)
        return redirect(f"{place}?{urlencode(rest)}" if rest else place)
    return ledger_page(None)


@bp.get("/ledger/progress")
@requires("ledger.read")
def show_progress() -> ResponseReturnValue:
    """The sums alone, for a page that stays open: not modified (304) until something has moved."""
    page_cache.tags("ledger", "giving")
    session, chosen = db.session(), request.args.get("campaign", "")
    number = ledger_figures.find(session, chosen).id if chosen else 0
    figures = ledger_figures.figures(session, current_book(), number)
    return unless_known(render_template("ledger/figures.html", figures=figures))


@bp.get("/ledger/<campaign>")
@requires("ledger.read")
def show_campaign(campaign: str) -> ResponseReturnValue:
    return ledger_page(ledger_figures.find(db.session(), campaign))


def ledger_page(campaign: Named | None) -> ResponseReturnValue:
    """The figures of one campaign or of all, and one page of rows."""
    page_cache.tags("ledger", "giving")
    session, book = db.session(), current_book()
    known = [(each.public_id, each.title) for each in ledger_figures.campaigns(session) if each.is_public]
    form = RowsForm(request.args, campaigns=known)
    form.campaign.data = campaign.public_id if campaign else form.campaign.data
    is_valid = form.validate()
    number = campaign.id if campaign else 0
    asked = form.asked() if is_valid else None
    shown: dict[str, Any] = {
        "campaign": campaign,
        "form": form,
        "asked": asked,
        "page": ledger_rows.page(session, asked, book=book, campaign=number) if asked else None,
        "figures": ledger_figures.figures(session, book, number),
        "late": standing.of(session, campaign.public_id if campaign else ""),
        "chain": ledger_figures.chain_state(session),
        "compared": ledger_figures.compared(session),
        "overdue": [
            each
            for each in ledger_figures.overdue_evidence(session, book)
            if campaign is None or each.campaign == campaign.public_id
        ],
    }
    body = render_template("ledger/show.html", book=book, kinds=KIND_WORDS, tags=KIND_TAGS, today=clock.today(), **shown)
    return body, 200 if is_valid else 422


@bp.get("/ledger/<campaign>/disbursements/<disbursement>")
@requires("ledger.read")
def show_disbursement(campaign: str, disbursement: str) -> ResponseReturnValue:
    """One payment with what proves it."""
    page_cache.tags("ledger", "giving")
    session = db.session()
    named = ledger_figures.find(session, campaign)
    shown = payments_out.public(session, named.id, disbursement)
    files = payments_out.evidence_of(session, disbursement)
    lines = whereabouts.of_payment(session, shown.row.id)
    back = repaid.of_payment(session, shown.row.id)
    told: dict[str, Any] = {
        "files": files,
        "lines": lines,
        "reached": reaching.by_county(session, shown.row.id),
        "repayments": back,
        "corrected": repaid.corrected(session, shown.row.id),
    }
    told["came_back_fen"] = sum(each.row.fen for each in back)
    return render_template("ledger/disbursement.html", campaign=named, paid=shown, **told)


@bp.get("/ledger/<campaign>/spent.csv")
@requires("ledger.read")
def download_spent(campaign: str) -> ResponseReturnValue:
    """Which gift paid which line of which invoice."""
    named = ledger_figures.find(db.session(), campaign)
    lines = stream_with_context(spent_file.lines(db.session(), named, current_book()))
    name = f"attachment; filename={name_of_spent(named.public_id)}"
    return Response(lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


def name_of_spent(campaign: str) -> str:
    return f"where-gifts-went-{campaign}-{clock.today():%Y%m%d}.csv"


@bp.get("/evidence/<proof>")
@requires("ledger.read")
def show_evidence(proof: str) -> ResponseReturnValue:
    return file_answer(evidence.path_of(db.session(), proof), proof)


def file_answer(path: Path, name: str) -> Response:
    """The file itself; one that a reader's program could run is only ever taken away."""
    is_document = path.suffix == ".pdf"
    try:
        answer = Response(path.read_bytes(), mimetype="application/pdf" if is_document else "image/webp")
    except FileNotFoundError as error:
        raise NotFound(name) from error
    if is_document:
        answer.headers["Content-Disposition"] = f"attachment; filename={name}.pdf"
    return answer


@bp.get("/ledger.csv")
@requires("ledger.read")
def download() -> ResponseReturnValue:
    """The whole ledger, a page of rows at a time."""
    lines = stream_with_context(export.lines(db.session()))
    name = f"attachment; filename={name_of_file()}"
    return Response(lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


def name_of_file() -> str:
    return f"sunshine-ledger-{clock.today():%Y%m%d}.csv"


@bp.get("/ledger.jsonl")
@requires("ledger.read")
def download_lines() -> ResponseReturnValue:
    """The whole ledger as JSON lines."""
    return as_lines(json_lines.lines(db.session()), "sunshine-ledger")


@bp.get("/ledger/<campaign>/rows.jsonl")
@requires("ledger.read")
def download_lines_of_campaign(campaign: str) -> ResponseReturnValue:
    """One campaign's rows alone, each with the code before it."""
    named = ledger_figures.find(db.session(), campaign)
    return as_lines(json_lines.of_campaign(db.session(), named.id, named.public_id), f"ledger-{named.public_id}")


def as_lines(lines: Iterator[bytes], name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename={name}-{clock.today():%Y%m%d}.jsonl"}
    return Response(stream_with_context(lines), content_type="application/jsonl; charset=utf-8", headers=headers)


@bp.get("/ledger/proofs/<int(max=2147483647):number>.json")
@requires("ledger.read")
def download_proof(number: int) -> ResponseReturnValue:
    """That one row is in the ledger, for whoever wants no whole one."""
    page_cache.tags("ledger")
    proof = json.dumps(proofs.of_row(db.session(), number), ensure_ascii=False, indent=1) + "\n"
    headers = {"Content-Disposition": f"attachment; filename=proof-{number}.json"}
    return Response(proof, content_type="application/json", headers=headers)


@bp.get("/ledger/verify")
@requires("ledger.read")
def show_verifier() -> ResponseReturnValue:
    """Its commands are about a row of this ledger, so that they can be typed as they stand."""
    page_cache.tags("ledger")
    example = whereabouts.example(db.session(), book=current_book())
    names = {"name": name_of_file(), "spent": name_of_spent(example.campaign) if example else ""}
    return render_template("ledger/verify.html", chain=ledger_figures.chain_state(db.session()), example=example, **names)


@bp.get("/ledger/verify.py")
@requires("ledger.read")
def download_verifier() -> ResponseReturnValue:
    """As it stands in the repository."""
    headers = {"Content-Disposition": "attachment; filename=verify.py"}
    return Response(VERIFIER.read_bytes(), content_type="text/x-python; charset=utf-8", headers=headers)
