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


@bp.post("/years")
@requires("gift.list")
def create_choice() -> ResponseReturnValue:
    """One receipt a year from one of the years offered, or one a gift."""
    wanted = request.form.get("receipts", "")
    if wanted == SINGLE:
        in_transaction(choosing.choose_single, person_id=g.person.id)
        flash(_("Each gift has its own receipt. Years that have one receipt keep it."), "done")
    elif is_year(wanted) and int(wanted) in choosing.choices():
        in_transaction(choosing.choose, person_id=g.person.id, year=int(wanted))
        flash(_("When a year is over, one receipt takes the place of that year's."), "done")
    else:
        return years_page(_("Please choose one."), 422)
    return redirect(url_for(".list_years"), 303)


@bp.get("/years/<year>")
@requires("gift.list")
def show_year(year: str) -> ResponseReturnValue:
    found = year_of(year)
    return render_template("receipts/year.html", year=found, is_over=found.year < clock.today().year), 200, NO_STORE


@bp.get("/years/<year>/gifts.csv")
@requires("gift.list")
def download_csv(year: str) -> ResponseReturnValue:
    return file_answer(papers.as_csv(year_of(year)), f"gifts-{year}.csv", "text/csv; charset=utf-8")


@bp.get("/years/<year>/gifts.pdf")
@requires("gift.list")
def download_pdf(year: str) -> ResponseReturnValue:
    paper = papers.as_paper(year_of(year))
    db.session.rollback()  # nobody's place in the pool is kept while the page is set
    return file_answer(receipt_papers.set_paper(paper), f"gifts-{year}.pdf", "application/pdf")


def year_of(year: str) -> Year:
    """Raises NotFound for what is no year, or one in which nothing was given."""
    session = db.session()
    number = int(year) if is_year(year) else 0
    if number not in queries.years_of(session, g.person.id):
        raise NotFound(year)
    return queries.of_year(session, g.person.id, number, book=current_book())


def is_year(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) == 4


def file_answer(body: bytes, name: str, kind: str) -> Response:
    return Response(body, content_type=kind, headers={"Content-Disposition": f"attachment; filename={name}", **NO_STORE})
