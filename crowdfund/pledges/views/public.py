"""/pledges: the programme, the voucher, three blind cards. Whatever number is typed, the answer is the same."""

from datetime import date
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l

from crowdfund.pledges import cards, choosing, holding, queries, replay, seeds, telling
from crowdfund.pledges.forms import FindForm, HoldForm, RefreshForm, VoucherForm
from crowdfund.pledges.refusals import CardGone, NoMoreCards, NotOpen, OutsideWindow, QuotaFull
from crowdfund.pledges.states import MOST_REFRESHES
from crowdfund.pledges.steps import TAG
from marketplace.accounts import rate_limits
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core import clock, page_cache
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal, TooMany
from marketplace.core.formats import language
from marketplace.core.forms import SelectChoice
from marketplace.core.idempotency import KeyReused, once

bp = Blueprint("pledges", __name__, url_prefix="/pledges")
MOST_URGENT = _l("The most urgent, wherever")


@bp.get("")
@requires("pledge.show")
def show_programmes() -> ResponseReturnValue:
    """Quota and debt in public, and the way in."""
    page_cache.tags(TAG, "giving")
    session, today = db.session(), clock.today()
    found = queries.programmes(session)
    return render_template(
        "pledges/index.html",
        programmes=found,
        is_open=any(each.is_open(today) and each.left for each in found),
        waiting=queries.waiting(session),
        telling=telling,
    )


@bp.get("/vouchers", alias=True)  # where the form is sent to, for who loads it again
@bp.get("/vouchers/new")
@requires("pledge.make")
def show_voucher() -> ResponseReturnValue:
    form = voucher_form(None)
    if not form.bank.choices:
        raise NotOpen("any")
    return voucher_page(form)


def voucher_form(typed: Any) -> VoucherForm:
    session = db.session()
    form = VoucherForm(typed)
    in_english = language() == "en"
    banks = choosing.open_banks(session)
    form.bank.choices = [SelectChoice(bank.code, bank.name_en if in_english else bank.name_zh) for bank in banks]
    form.wish.choices = [SelectChoice(code, words) for code, words in wishes()]
    return form


def wishes() -> list[tuple[str, Any]]:
    in_english = language() == "en"
    found = cards.wishes(db.session())
    return [("", MOST_URGENT), *((code, en if in_english else zh) for code, zh, en in found)]


def voucher_page(form: VoucherForm, status: int = 200) -> ResponseReturnValue:
    return render_template("pledges/voucher.html", form=form, telling=telling), status


@bp.post("/vouchers")
@requires("pledge.make")
def create_choice() -> ResponseReturnValue:
    """Takes the number; what is known of it changes neither the answer nor what is done for it."""
    form = voucher_form(request.form)
    if not form.validate():
        return voucher_page(form, 422)
    hit("voucher", rate_limits.address(), limit=20, seconds=HOUR, is_watched=True)
    issued = form.issued_on.data
    assert isinstance(issued, date)
    typed = {"bank": str(form.bank.data), "number": str(form.number.data), "wish": str(form.wish.data or "")}
    try:
        token = in_transaction(choosing.enter, issued_on=issued, **typed)
    except OutsideWindow as refusal:
        form.issued_on.errors = [refusal.message]
        return voucher_page(form, refusal.status)
    return redirect(url_for(".show_choice", token=token), 303)


@bp.get("/choices/<token>")
@requires("pledge.make")
def show_choice(token: str) -> ResponseReturnValue:
    """Three cards; or, for who has chosen already and came back, the pledge that it made."""
    return choice_page(token)


def choice_page(token: str, refusal: Any = None) -> ResponseReturnValue:
    session = db.session()
    found = choosing.find(session, token)
    made = choosing.pledge_of(session, found)
    if made and refusal is None:
        return redirect(url_for("pledge_tracking.show_pledge", code=made), 303)
    deals = choosing.deals_of(session, found)
    dealt = cards.still_free(session, [cards.Card.from_json(card) for card in deals[-1].cards])
    page = render_template(
        "pledges/choice.html",
        token=token,
        cards=dealt,
        seen=found.deals,
        left=MOST_REFRESHES + 1 - found.deals,
        wish=found.wish,
        wishes=wishes(),
        form=HoldForm(),
        refusal=refusal,
        telling=telling,
        day=deals[-1].day,
    )
    return page, getattr(refusal, "status", 200)


@bp.post("/choices/<token>/refreshes")
@requires("pledge.make")
def create_refresh(token: str) -> ResponseReturnValue:
    form = RefreshForm(request.form)
    form.wish.choices = []
    if not form.validate():
        raise NotFound("refresh")
    try:
        wish = str(form.wish.data or "")
        in_transaction(choosing.refresh, token=token, wish=wish[:6], seen=int(str(form.seen.data)))
    except NoMoreCards as refusal:
        return choice_page(token, refusal)
    return redirect(url_for(".show_choice", token=token), 303)


@bp.post("/choices/<token>/pledges")
@requires("pledge.make")
def create_pledge(token: str) -> ResponseReturnValue:
    """Keeps one card for half an hour. Two tabs, or the back button: one pledge, and the same answer."""
    form = HoldForm(request.form)
    if not form.validate():
        raise NotFound("card")
    made = choosing.pledge_of(db.session(), choosing.find(db.session(), token))
    if made:
        return redirect(url_for("pledge_tracking.show_pledge", code=made), 303)
    hit("pledge", rate_limits.address(), limit=40, seconds=HOUR, is_watched=True)
    saver = g.person.id if g.person else None
    try:
        key = form.idempotency(f"pledge:{token}")
        code = in_transaction(once, holding.hold, idempotency=key, token=token, case=str(form.case.data), saver_id=saver)
    except (CardGone, KeyReused, NotOpen, OutsideWindow, QuotaFull) as refusal:
        made = choosing.pledge_of(db.session(), choosing.find(db.session(), token))
        if made:  # the other tab was faster
            return redirect(url_for("pledge_tracking.show_pledge", code=made), 303)
        return choice_page(token, refusal)
    return redirect(url_for("pledge_tracking.show_pledge", code=code), 303)


@bp.get("/fairness")
@requires("pledge.show")
def show_fairness() -> ResponseReturnValue:
    """The hash of each day's seed, published the day before, and the seed once the day is over."""
    rows = seeds.published(db.session())
    return render_template("pledges/fairness.html", rows=rows, today=clock.today())


@bp.get("/fairness/<day>")
@requires("pledge.show")
def show_day(day: str) -> ResponseReturnValue:
    """The order of a day that is over, for whoever wants to shuffle it again."""
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        raise NotFound(day) from None
    found = replay.order_of(db.session(), asked) if asked < clock.today() else None
    if found is None:
        raise NotFound(day)
    return render_template("pledges/day.html", day=asked, order=found)


@bp.get("/finding")
@requires("pledge.show")
def show_finding() -> ResponseReturnValue:
    return render_template("pledges/find.html", form=FindForm())


@bp.post("/finding")
@requires("pledge.show")
def create_finding() -> ResponseReturnValue:
    form = FindForm(request.form)
    if form.validate():
        hit("pledge-code", rate_limits.address(), limit=30, seconds=HOUR, is_watched=True)
        try:
            pledge = holding.find_pledge(db.session(), str(form.code.data))
        except NotFound:
            form.code.errors = [_("No pledge has this code. Look at it once more.")]
        else:
            return redirect(url_for("pledge_tracking.show_pledge", code=pledge.tracking_code), 303)
    return render_template("pledges/find.html", form=form), 422


def show_refusal(refusal: Refusal) -> ResponseReturnValue:
    """In the world of giving: no way into the shop from here either."""
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) else {}
    return render_template("pledges/over.html", message=refusal.message), refusal.status, headers


bp.register_error_handler(Refusal, show_refusal)
