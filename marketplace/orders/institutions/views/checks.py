"""/institutions/<institution>/parcels: a member says what is accepted of a parcel, with pictures of what is not."""

from typing import Any, Final

from flask import Blueprint, Response, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from listings import pictures
from listings.views.sending import allow_pictures, picture_answer, reencoded
from marketplace.accounts.permissions import requires
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.core.db import db
from marketplace.core.settings import settings
from marketplace.core.steps import take_step
from marketplace.orders.cases.opening import TooManyPictures
from marketplace.orders.cases.rules import MOST_PICTURES
from marketplace.orders.desk import WORDS
from marketplace.orders.institutions import appealing, check_queries, checking, forms
from marketplace.orders.institutions.check_queries import Reach
from marketplace.orders.institutions.views.members import mine, page
from marketplace.orders.states import OrderState

APPEAL: Final = "appeal-"
WRONG: Final = (checking.TooManyPacks, checking.WrongWeight, TooManyPictures)

bp = Blueprint("institution_checks", __name__, url_prefix="/institutions/<institution>/parcels")


@bp.url_value_preprocessor
def make_room(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """For pictures, before anything reads the form."""
    allow_pictures(frozenset({"create_check"}))(endpoint, values)


@bp.errorhandler(RequestEntityTooLarge)
@requires("institution.use")
def show_too_much(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Nothing of it was read, so the page to begin with says so."""
    named = request.view_args or {}
    said = (str(pictures.TooMuchAtOnce.message),)
    return check_page(named.get("institution", ""), named.get("parcel", ""), None, 413, said)


@bp.get("/<parcel>")
@requires("institution.use")
def show_check(institution: str, parcel: str) -> ResponseReturnValue:
    return check_page(institution, parcel, None)


@bp.post("/<parcel>")
@requires("institution.use")
def create_check(institution: str, parcel: str) -> ResponseReturnValue:
    row = mine(institution)
    _shown, lines = check_queries.lines_to_check(db.session(), row.id, parcel)
    form, is_claim = forms.check_form(lines, request.form), request.form.get("action") == "claim"
    hit("goods_check", institution, limit=120, seconds=HOUR)
    folder = settings().private_media_folder
    made, wrong = reencoded("pictures", most=MOST_PICTURES, folder=folder)  # whichever button: a page shown again keeps them
    if not form.validate() or wrong:
        return check_page(institution, parcel, form, 422, wrong)
    if is_claim and not form.claims:
        form.form_errors.append(_("Say at one line how many packs you do not accept, or what they weigh."))
        return check_page(institution, parcel, form, 422)
    if not is_claim and (form.claims or made or form.words.data):  # the first button, which Enter in a field presses as well
        form.form_errors.append(
            _("You say that something is not right: send it to the station, or empty it to accept everything.")
        )
        return check_page(institution, parcel, form, 422)
    return send(institution, parcel, form, made, is_claim=is_claim)


def send(
    institution: str, parcel: str, form: forms.CheckForm, made: list[dict[str, Any]], *, is_claim: bool
) -> ResponseReturnValue:
    given: dict[str, Any] = {"institution": institution, "parcel": parcel, "person_id": g.person.id, "pictures": made}
    given |= {"claims": form.claims if is_claim else {}, "words": str(form.words.data or "")}
    done = _("The station answers within three days.") if is_claim else _("Thank you. It comes onto the next statement.")
    back = url_for("institutions.show_institution", institution=institution)
    try:
        return take_step(checking.check, back, done=done, passes=WRONG, **given)
    except TooManyPictures as refusal:
        return check_page(institution, parcel, form, refusal.status, (str(refusal.message),))
    except (checking.TooManyPacks, checking.WrongWeight) as refusal:
        rejected, grams, _reason = form.fields_of(refusal.line)
        (rejected if isinstance(refusal, checking.TooManyPacks) else grams).errors = [refusal.message]
        return check_page(institution, parcel, form, refusal.status)


@bp.post("/<parcel>/appeal")
@requires("institution.use")
def create_appeal(institution: str, parcel: str) -> ResponseReturnValue:
    """The province is asked where the station did not agree."""
    mine(institution)
    form = forms.AppealForm(request.form, prefix=APPEAL)
    if not form.validate():
        return check_page(institution, parcel, None, 422, appeal=form)
    hit("goods_check.appeal", institution, limit=60, seconds=HOUR)
    back = url_for(".show_check", institution=institution, parcel=parcel)
    done = _("The province has been asked. It reads what everybody wrote and decides.")
    given: dict[str, Any] = {"institution": institution, "parcel": parcel, "person_id": g.person.id}
    return take_step(appealing.ask, back, done=done, words=str(form.words.data), **given)


def check_page(
    institution: str,
    parcel: str,
    form: forms.CheckForm | None,
    status: int = 200,
    wrong_pictures: tuple[str, ...] = (),
    appeal: forms.AppealForm | None = None,
) -> ResponseReturnValue:
    row, session = mine(institution), db.session()
    shown, lines = check_queries.lines_to_check(session, row.id, parcel)
    known = check_queries.of_parcel(session, Reach(institution=row.id, parcel=parcel))
    is_open = shown.order.state is OrderState.PLACED_ON_ACCOUNT and shown.state in checking.TO_CHECK
    told: dict[str, Any] = {"institution": row, "parcel": shown, "lines": lines, "check": known}
    told |= {"can_check": known is None and is_open, "parcel_words": WORDS[shown.state]}
    told |= {"may_ask": known is not None and appealing.may_ask(known.state, known.ended_at, known.appealed_at)}
    told |= {"appeal": appeal or forms.AppealForm(prefix=APPEAL)}
    told |= {"wrong_pictures": wrong_pictures, "most_pictures": MOST_PICTURES}
    return page("check.html", status, form=form or forms.check_form(lines, None), **told)


@bp.get("/<parcel>/pictures/<picture>-<width>.webp")
@requires("institution.use")
def show_picture(institution: str, parcel: str, picture: str, width: str) -> Response:
    reach = Reach(institution=mine(institution).id, parcel=parcel)
    found = check_queries.picture(db.session(), picture, reach)
    return picture_answer(settings().private_media_folder, found.digest, width)
