"""/receipts: is this receipt valid, and the receipt itself for whoever holds its check code."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from crowdfund.campaigns import receipt_papers, shown_receipts
from crowdfund.campaigns.capitals import capitals
from crowdfund.campaigns.ledger_forms import CodeForm, ReceiptForm
from crowdfund.campaigns.whereabouts import queries as whereabouts
from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.errors import NotFound

bp = Blueprint("receipts", __name__)
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@bp.get("/receipts")
@requires("receipt.check")
def find_receipt() -> ResponseReturnValue:
    form = ReceiptForm(request.args)
    if "number" not in request.args:
        return render_template("receipts/find.html", form=form)
    if not form.validate():
        return render_template("receipts/find.html", form=form), 422
    number = str(form.number.data)
    if shown_receipts.is_known(db.session(), number):
        return redirect(url_for(".show_receipt", number=number))
    form.number.errors = [_("No receipt with this number was ever given out here.")]
    return render_template("receipts/find.html", form=form), 404


@bp.get("/receipts/<number>")
@requires("receipt.check")
def show_receipt(number: str) -> ResponseReturnValue:
    """Valid or void, sum, day and campaign for everybody; the name and the paper for whoever knows the check code.

    A code is one of half a trillion, so that trying is no way to find it."""
    form = CodeForm(request.args)
    typed = as_printed(form)
    receipt = shown_receipts.find(db.session(), number, code=typed)
    if "code" in request.args and form.validate() and not receipt.check_code:
        form.code.errors = [_("This code does not match the receipt.")]
    status = 422 if form.errors else 200
    if not receipt.check_code:
        found = whereabouts.of_receipt(db.session(), receipt.number) if receipt.campaign_title else None
        return render_template("receipts/show.html", receipt=receipt, form=form, whereabouts=found), status, PRIVATE
    import segno  # for this page only; a web process does without

    drawn = segno.make(receipt_papers.address_of(receipt), error="m").svg_inline(scale=3, border=4)
    body = render_template("receipts/paper.html", receipt=receipt, capitals=capitals(receipt.fen), code=Markup(drawn))
    return body, 200, PRIVATE


@bp.get("/receipts/<number>/receipt.pdf")
@requires("receipt.check")
def download_pdf(number: str) -> ResponseReturnValue:
    """For whoever knows the check code; for everybody else there is no such paper."""
    receipt = shown_receipts.find(db.session(), number, code=as_printed(CodeForm(request.args)))
    if not receipt.check_code:
        raise NotFound(number)
    db.session.rollback()  # nobody's place in the pool is kept while the page is set
    body = receipt_papers.set_paper(receipt_papers.of(receipt))
    named = {"Content-Disposition": f"attachment; filename={receipt.number}.pdf"}
    return Response(body, content_type="application/pdf", headers=PRIVATE | named)


def as_printed(form: CodeForm) -> str:
    return (form.code.data or "").upper().replace(" ", "").replace("-", "")
