"""/charity/places: officers publish students' places, open terms, add proofs of enrolment that another person sees, and have
schools paid."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crowdfund.campaigns import budgets, disbursing
from crowdfund.campaigns.disbursement_forms import ReasonForm
from crowdfund.campaigns.evidence import UnusableFile
from crowdfund.campaigns.students import calendar, desk, proofs, publishing, releasing, terms, words
from crowdfund.campaigns.students.forms import PlaceForm, ProofForm, ReleaseForm, TermForm, TermReportForm
from crowdfund.campaigns.views.disbursements import page as desk_page
from crowdfund.campaigns.views.frame import APPROVER, OFFICER, organisations
from marketplace.accounts.permissions import requires
from marketplace.core import idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.formats import yuan
from marketplace.core.forms import Form
from marketplace.core.steps import take_step
from marketplace.payments.gateways import current_book

bp = Blueprint("student_desk", __name__, url_prefix="/charity/places")


@bp.get("")
@requires("student_place.follow")
def list_places() -> ResponseReturnValue:
    session, theirs = db.session(), organisations()
    told: dict[str, Any] = {"aids": desk.campaigns(session, theirs), "rows": desk.rows(session, theirs)}
    return page("charity/places.html", is_officer=bool(organisations(OFFICER)), **told)


@bp.get("/new")
@requires("student_place.keep")
def show_new() -> ResponseReturnValue:
    return form_page(chosen(), PlaceForm())


@bp.post("/new")
@requires("student_place.keep")
def create_place() -> ResponseReturnValue:
    aid, form = chosen(), PlaceForm(request.form)
    if not form.validate():
        return form_page(aid, form, 422)
    given = {"stage": str(form.stage.data), "student_number": str(form.student_number.data), "month": form.money}
    try:
        made = in_transaction(
            idempotency.once,
            publishing.publish,
            idempotency=form.idempotency(f"student_place:{g.person.id}:{aid.id}"),
            campaign=aid.id,
            organisations=organisations(OFFICER),
            officer_id=g.person.id,
            **given,
        )
    except publishing.HasPlace as refusal:
        form.student_number.errors = [str(refusal.message)]
        return form_page(aid, form, refusal.status)
    except (publishing.NoStudentAid, idempotency.KeyReused) as refusal:
        form.form_errors.append(str(refusal.message))
        return form_page(aid, form, refusal.status)
    return redirect(url_for(".show_place", place=made), 303)


def chosen() -> desk.Aid:
    """The campaign that the address names. Raises NotFound for one that is not theirs."""
    wanted = request.args.get("campaign", "")
    found = next((each for each in desk.campaigns(db.session(), organisations(OFFICER)) if each.id == wanted), None)
    if found is None:
        raise NotFound(wanted)
    return found


def form_page(aid: desk.Aid, form: PlaceForm, status: int = 200) -> ResponseReturnValue:
    return page("charity/place_new.html", status, aid=aid, form=form, months=calendar.MONTHS)


@bp.get("/<place>")
@requires("student_place.follow")
def show_place(place: str) -> ResponseReturnValue:
    return place_page(place, {})


def place_page(place: str, forms: dict[str, Form], status: int = 200, *, at: str = "") -> ResponseReturnValue:
    """`forms`: the one that was refused, with what was typed; `at`: the term that it was for."""
    session, theirs = db.session(), organisations()
    row = desk.get(session, theirs, place)
    blank: dict[str, Form] = {"opening": TermForm(), "proof": ProofForm(), "report": TermReportForm(prefix="report-")}
    blank |= {name: ReasonForm(prefix=f"{name}-") for name in ("departure", "ending", "closing", "refusal")}
    told: dict[str, Any] = {"row": row, "terms": desk.terms(session, place, reader=g.person.id)}
    told |= {"is_officer": bool(organisations(OFFICER)), "is_approver": bool(organisations(APPROVER))}
    return page("charity/place.html", status, forms_by_step=blank | forms, blank=blank, at=at, **told)


@bp.post("/<place>/terms")
@requires("student_place.keep")
def create_term(place: str) -> ResponseReturnValue:
    form = TermForm(request.form)
    desk.get(db.session(), organisations(OFFICER), place)
    if not form.validate():
        return place_page(place, {"opening": form}, 422)
    try:
        in_transaction(
            terms.open_term,
            place=place,
            organisations=organisations(OFFICER),
            term=form.chosen,
            officer_id=g.person.id,
        )
    except disbursing.NotEnough as refusal:
        form.term.errors = [
            _(
                "%(sum)s is available, less than a whole term. It can be opened when there is enough.",
                sum=yuan(refusal.free_fen),
            )
        ]
        return place_page(place, {"opening": form}, 422)
    except (terms.OpenAlready, terms.NoSuchTerm, terms.ProofOverdue, *disbursing.HELD_UP) as refusal:
        form.term.errors = [str(refusal.message)]
        return place_page(place, {"opening": form}, refusal.status)
    return redirect(url_for(".show_place", place=place), 303)


@bp.post("/<place>/departure")
@requires("student_place.keep")
def create_departure(place: str) -> ResponseReturnValue:
    """The student has left the school."""
    return with_reason(place, "departure", publishing.leave)


@bp.post("/<place>/ending")
@requires("student_place.keep")
def create_ending(place: str) -> ResponseReturnValue:
    """The student is through."""
    return with_reason(place, "ending", publishing.finish)


def with_reason(place: str, step: str, command: Callable[..., None]) -> ResponseReturnValue:
    form = ReasonForm(request.form, prefix=f"{step}-")
    desk.get(db.session(), organisations(OFFICER), place)
    if not form.validate():
        return place_page(place, {step: form}, 422)
    back = url_for(".show_place", place=place)
    told = {"organisations": organisations(OFFICER), "officer_id": g.person.id, "why": str(form.reason.data)}
    return take_step(command, back, place=place, **told)


@bp.post("/terms/<term>/proof")
@requires("student_place.keep")
def create_proof(term: str) -> ResponseReturnValue:
    """The school's paper: encrypted until another person has seen it, then forgotten but for its hash."""
    place, form = desk.place_of(db.session(), organisations(OFFICER), term), ProofForm(request.form)
    sent = request.files.get("file")
    is_valid = form.validate()
    raw = sent.read(proofs.LARGEST + 1) if sent else b""
    if not raw:
        form.form_errors.append(_("Choose a file first."))
    if not is_valid or not raw:
        return place_page(place, {"proof": form}, 422, at=term)
    given = {"officer_id": g.person.id, "student_number": str(form.student_number.data), "raw": raw}
    try:
        in_transaction(proofs.add, term=term, organisations=organisations(OFFICER), **given)
    except proofs.OtherStudent as refusal:
        form.student_number.errors = [str(refusal.message)]
        return place_page(place, {"proof": form}, refusal.status, at=term)
    except (UnusableFile, Refusal) as refusal:
        form.form_errors.append(str(refusal.message))
        return place_page(place, {"proof": form}, refusal.status, at=term)
    return redirect(url_for(".show_place", place=place), 303)


@bp.post("/terms/<term>/reading")
@requires("enrolment.see")
def create_reading(term: str) -> ResponseReturnValue:
    """The paper itself, for the second person; that it was read is kept."""
    raw = in_transaction(proofs.read, term=term, organisations=organisations(APPROVER), person_id=g.person.id)
    kind, ending = ("application/pdf", "pdf") if raw.startswith(proofs.PDF) else ("application/octet-stream", "jpg")
    answer = Response(raw, mimetype=kind)
    answer.headers["Content-Disposition"] = f"attachment; filename=enrolment.{ending}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/terms/<term>/acceptance")
@requires("enrolment.see")
def create_acceptance(term: str) -> ResponseReturnValue:
    back = url_for(".show_place", place=desk.place_of(db.session(), organisations(APPROVER), term))
    told = {"organisations": organisations(APPROVER), "person_id": g.person.id}
    return take_step(proofs.accept, back, passes=(proofs.OwnProof,), term=term, **told)


@bp.post("/terms/<term>/refusal")
@requires("enrolment.see")
def create_refusal(term: str) -> ResponseReturnValue:
    place, form = desk.place_of(db.session(), organisations(APPROVER), term), ReasonForm(request.form, prefix="refusal-")
    if not form.validate():
        return place_page(place, {"refusal": form}, 422, at=term)
    told = {"organisations": organisations(APPROVER), "person_id": g.person.id, "why": str(form.reason.data)}
    return take_step(proofs.refuse, url_for(".show_place", place=place), passes=(proofs.OwnProof,), term=term, **told)


@bp.post("/terms/<term>/closing")
@requires("student_place.keep")
def create_closing(term: str) -> ResponseReturnValue:
    """No proof will come: its money is the campaign's again."""
    place, form = desk.place_of(db.session(), organisations(OFFICER), term), ReasonForm(request.form, prefix="closing-")
    if not form.validate():
        return place_page(place, {"closing": form}, 422, at=term)
    told = {"organisations": organisations(OFFICER), "officer_id": g.person.id, "why": str(form.reason.data)}
    return take_step(terms.close, url_for(".show_place", place=place), term=term, **told)


@bp.post("/terms/<term>/report")
@requires("student_place.keep")
def create_report(term: str) -> ResponseReturnValue:
    place, form = desk.place_of(db.session(), organisations(OFFICER), term), TermReportForm(request.form, prefix="report-")
    if not form.validate():
        return place_page(place, {"report": form}, 422, at=term)
    told = {"organisations": organisations(OFFICER), "officer_id": g.person.id, "words": str(form.words.data)}
    try:
        in_transaction(terms.report, term=term, **told)
    except terms.LeadsOut as refusal:
        form.words.errors = [str(refusal.message)]
        return place_page(place, {"report": form}, refusal.status, at=term)
    return redirect(url_for(".show_place", place=place), 303)


@bp.get("/releases/new")
@requires("disbursement.request")
def show_release() -> ResponseReturnValue:
    return release_page(chosen(), None)


@bp.post("/releases/new")
@requires("disbursement.request")
def create_release() -> ResponseReturnValue:
    """The school's money is asked for; another person approves the payment, as all others."""
    aid = chosen()
    form = release_form(aid, request.form)
    if not form.validate():
        return release_page(aid, form, 422)
    names = ("provider", "provider_credit_code", "invoice_number")
    try:
        made = in_transaction(
            idempotency.once,
            releasing.release,
            idempotency=form.idempotency(f"release:{g.person.id}:{aid.id}"),
            campaign=aid.id,
            budget_line=int(form.budget_line.data),
            terms=list(form.terms.data or ()),
            school=releasing.School(**{name: form.data[name] for name in names}),
            requester_id=g.person.id,
        )
    except releasing.NotSeen as refusal:
        form.terms.errors = [str(refusal.message)]
        return release_page(aid, form, refusal.status)
    except disbursing.InvoiceUsed as refusal:
        form.invoice_number.errors = [str(refusal.message)]
        return release_page(aid, form, 422)
    except disbursing.NotEnough as refusal:
        form.form_errors.append(_("%(sum)s is still available.", sum=yuan(refusal.free_fen)))
        return release_page(aid, form, 422)
    except disbursing.HELD_UP as refusal:
        form.form_errors.append(str(refusal.message))
        return release_page(aid, form, 409)
    return redirect(url_for("disbursements.show_disbursement", disbursement=made), 303)


def release_form(aid: desk.Aid, sent: Any) -> ReleaseForm:
    session = db.session()
    waiting = desk.to_release(session, aid.id, current_book())
    return ReleaseForm(sent, waiting=waiting, budget=budgets.of_campaign(session, aid.id))


def release_page(aid: desk.Aid, form: ReleaseForm | None, status: int = 200) -> ResponseReturnValue:
    return page("charity/release.html", status, aid=aid, form=form or release_form(aid, None))


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    said = {"place_words": words.PLACES, "term_words": words.TERMS, "stages": words.STAGES, "term": words.term}
    return desk_page(template, status, desk_current="places", **said, **shown)
