"""/account/gifts/years: what somebody gave in a year, for their own records; and whether they want one receipt for it."""

from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.campaigns import receipt_papers
from crowdfund.campaigns.yearly import choosing, papers, queries
from crowdfund.campaigns.yearly.queries import Year
from marketplace.accounts.permissions import requires
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.payments.gateways import current_book

NO_STORE: Final = {"Cache-Control": "no-store"}
SINGLE: Final = "single"

bp = Blueprint("gift_years", __name__, url_prefix="/account/gifts")


@bp.get("/years")
@requires("gift.list")
def list_years() -> ResponseReturnValue:
    return years_page()


def years_page(error: str = "", status: int = 200) -> ResponseReturnValue:
    session = db.session()
    shown: dict[str, Any] = {
        "years": queries.years_of(session, g.person.id),
        "since": choosing.chosen_since(session, g.person.id),
        "choices": choosing.choices(),
        "error": error,
    }
    return render_template("receipts/years.html", **shown), status, NO_STORE


@bp.post("/years/choice")
@requires("gift.list")
def create_choice() -> ResponseReturnValue:
    """One receipt a year from one of the years offered, or one a gift."""
    wanted = request.form.get("receipts", "")
    if wanted == SINGLE:
        in_transaction(choosing.choose_single, person_id=g.person.id)
        flash(_("Each gift has its own receipt. Years that have one receipt keep it."), "done")
    elif wanted.isascii() and wanted.isdigit() and len(wanted) == 4 and int(wanted) in choosing.choices():
        in_transaction(choosing.choose, person_id=g.person.id, year=int(wanted))
        flash(_("When a year is over, one receipt takes the place of that year's."), "done")
    else:
        return years_page(_("Please choose one."), 422)
    return redirect(url_for(".list_years"), 303)


@bp.get("/years/<int:year>")
@requires("gift.list")
def show_year(year: int) -> ResponseReturnValue:
    return render_template("receipts/year.html", year=year_of(year), is_over=year < clock.today().year), 200, NO_STORE


@bp.get("/years/<int:year>/gifts.csv")
@requires("gift.list")
def download_csv(year: int) -> ResponseReturnValue:
    return file_answer(papers.as_csv(year_of(year)), f"gifts-{year}.csv", "text/csv; charset=utf-8")


@bp.get("/years/<int:year>/gifts.pdf")
@requires("gift.list")
def download_pdf(year: int) -> ResponseReturnValue:
    paper = papers.as_paper(year_of(year))
    db.session.rollback()  # nobody's place in the pool is kept while the page is set
    return file_answer(receipt_papers.set_paper(paper), f"gifts-{year}.pdf", "application/pdf")


def year_of(year: int) -> Year:
    """Raises NotFound for a year in which nothing was given."""
    session = db.session()
    if year not in queries.years_of(session, g.person.id):
        raise NotFound(str(year))
    return queries.of_year(session, g.person.id, year, book=current_book())


def file_answer(body: bytes, name: str, kind: str) -> Response:
    return Response(body, content_type=kind, headers={"Content-Disposition": f"attachment; filename={name}", **NO_STORE})
