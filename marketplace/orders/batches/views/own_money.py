"""The money of a seller or of a station as they see it themselves: their bank account and their monthly statements.

/seller/account, /seller/statements; /station/account, /station/statements."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.formats import in_language
from marketplace.core.records import record
from marketplace.core.settings import settings
from marketplace.orders.batches import at_gateway, connecting, payees, queries, statements, telling, typesetting
from marketplace.orders.batches.forms import PayoutAccountForm
from marketplace.orders.batches.owed import Owner
from marketplace.orders.institutions import queries as institution_queries
from marketplace.payments.gateways import GatewayError, current_book
from marketplace.payments.transfers import payees as connected
from marketplace.stations.models import Seller, Station

bp = Blueprint("own_money", __name__)


@record
class Side:
    """Whose money it is, and the frame in which it is shown."""

    owner: Owner
    name: str
    base: str
    frame: dict[str, Any]


def seller() -> Side:
    found = db.session().get(Seller, g.person.id)
    frame = {"desk_current": "money"}
    return Side(("seller", g.person.public_id), named(found) or g.person.name, "seller/base.html", frame)


def station() -> Side:
    found = db.session().get_one(Station, g.station)
    frame = {"station": found, "desk_current": "money", "waiting": 0, "today": clock.today()}
    return Side(("station", g.station), named(found), "station/base.html", frame)


def named(row: Seller | Station | None) -> str:
    if row is None:
        return ""
    return in_language(row.name_zh, row.name_en)


@bp.get("/seller/account")
@requires("payout_account.keep")
def show_seller_account() -> ResponseReturnValue:
    return account_page(seller())


@bp.post("/seller/account")
@requires("payout_account.keep")
def create_seller_account() -> ResponseReturnValue:
    return keep_account(seller())


@bp.get("/station/account")
@requires("station_account.keep")
def show_station_account() -> ResponseReturnValue:
    return account_page(station())


@bp.post("/station/account")
@requires("station_account.keep")
def create_station_account() -> ResponseReturnValue:
    return keep_account(station())


def account_page(side: Side, form: PayoutAccountForm | None = None, status: int = 200) -> ResponseReturnValue:
    """What is known of the account; its number is never shown again, except as it was just typed."""
    account = queries.account_of(db.session(), side.owner)
    known = {"holder": account.holder, "bank": account.bank} if account else {}
    there: dict[str, Any] = {"can_connect": account is not None and connected.can_connect()}
    there |= {"at_gateway": at_gateway.payee_of(db.session(), side.owner), "payee_words": telling.AT_GATEWAY}
    form = form or PayoutAccountForm(data=known)
    return page("settlements/account.html", side, status, account=account, form=form, **there)


def keep_account(side: Side) -> ResponseReturnValue:
    form = PayoutAccountForm(request.form)
    if not form.validate():
        return account_page(side, form, 422)
    kind, whose = side.owner
    in_transaction(payees.keep, owner_kind=kind, owner=whose, person_id=g.person.id, **form.data)
    flash(_("Saved. We verify it before we pay into it."), "done")
    return redirect(url_for(f".show_{kind}_account"), 303)


@bp.post("/seller/account/provider")
@requires("payout_account.keep")
def create_seller_connection() -> ResponseReturnValue:
    return connect(seller())


@bp.post("/station/account/provider")
@requires("station_account.keep")
def create_station_connection() -> ResponseReturnValue:
    return connect(station())


def connect(side: Side) -> ResponseReturnValue:
    """On to the page of the gateway, where they say who they are; back where it knows that already."""
    hit("connection", ":".join(side.owner), limit=20, seconds=HOUR)
    own_page = url_for(f".show_{side.owner[0]}_account")
    back = f"{settings().base_url.rstrip('/')}{own_page}"
    try:
        status = connecting.connect(owner=side.owner, person_id=g.person.id, return_url=back)
    except connecting.NoAccountYet as refusal:
        flash(refusal.message, "failed")
    except GatewayError:
        flash(_("The payment provider does not answer just now. Please try again later."), "failed")
    else:
        if status.url:
            return redirect(status.url, 303)
        flash(_("This is how it stands at the payment provider now."), "note")
    return redirect(own_page, 303)


@bp.get("/seller/statements")
@requires("statement.read")
def list_seller_statements() -> ResponseReturnValue:
    return months_page(seller())


@bp.get("/station/statements")
@requires("station_statement.read")
def list_station_statements() -> ResponseReturnValue:
    return months_page(station())


def months_page(side: Side) -> ResponseReturnValue:
    session, book = db.session(), current_book()
    account = queries.account_of(session, side.owner)
    owed = queries.owed_fen(session, side.owner, book)
    months = statements.months(session, side.owner, book)
    waiting = institution_queries.waiting_for_money(session, *side.owner)
    return page("settlements/months.html", side, months=months, account=account, owed_fen=owed, on_account_fen=waiting)


@bp.get("/seller/statements/<month>")
@requires("statement.read")
def show_seller_statement(month: str) -> ResponseReturnValue:
    return statement_page(seller(), statements.month_of(month))


@bp.get("/seller/statements/<month>.csv")
@requires("statement.read")
def show_seller_csv(month: str) -> ResponseReturnValue:
    return csv_answer(seller(), statements.month_of(month))


@bp.get("/seller/statements/<month>.pdf")
@requires("statement.read")
def show_seller_pdf(month: str) -> ResponseReturnValue:
    return pdf_answer(seller(), statements.month_of(month))


@bp.get("/station/statements/<month>")
@requires("station_statement.read")
def show_station_statement(month: str) -> ResponseReturnValue:
    return statement_page(station(), statements.month_of(month))


@bp.get("/station/statements/<month>.csv")
@requires("station_statement.read")
def show_station_csv(month: str) -> ResponseReturnValue:
    return csv_answer(station(), statements.month_of(month))


@bp.get("/station/statements/<month>.pdf")
@requires("station_statement.read")
def show_station_pdf(month: str) -> ResponseReturnValue:
    return pdf_answer(station(), statements.month_of(month))


def statement_of(side: Side, month: date) -> statements.Statement:
    return statements.statement(db.session(), side.owner, month, book=current_book())


def statement_page(side: Side, month: date) -> ResponseReturnValue:
    found = statement_of(side, month)
    told: dict[str, Any] = {"kind": telling.kind, "explanation": telling.explanation, "month_words": telling.month(found)}
    return page("settlements/statement.html", side, statement=found, **told)


def csv_answer(side: Side, month: date) -> ResponseReturnValue:
    return file_answer(telling.as_csv(statement_of(side, month), side.name), f"{month:%Y-%m}.csv", "text/csv")


def pdf_answer(side: Side, month: date) -> ResponseReturnValue:
    paper = telling.as_paper(statement_of(side, month), side.name)
    db.session.rollback()  # nobody's place in the pool is kept while the page is set
    return file_answer(typesetting.make(paper), f"{month:%Y-%m}.pdf", "application/pdf")


def file_answer(content: bytes, name: str, kind: str) -> ResponseReturnValue:
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, 200, told, mimetype=kind)


def page(template: str, side: Side, status: int = 200, **shown: Any) -> ResponseReturnValue:
    common = {"base": side.base, "kind_of_owner": side.owner[0], "name": side.name, "book": current_book()}
    return render_template(template, **common, **side.frame, **shown), status, {"Cache-Control": "no-store"}
