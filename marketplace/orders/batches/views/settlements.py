"""/operator/settlements: the province's finance people draft batches, approve each other's, send them and record answers.

A step sent twice is taken once."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from marketplace.accounts.permissions import requires
from marketplace.core import audit, clock, idempotency
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from marketplace.core.forms import Form, tidy
from marketplace.core.steps import take_step
from marketplace.orders.batches import (
    answers,
    approving,
    at_gateway,
    bank_file,
    bouncing,
    confirming,
    drafting,
    queries,
    searching,
    telling,
    tracing,
)
from marketplace.orders.batches.forms import (
    AnswerForm,
    BatchesForm,
    BounceForm,
    ConfirmationForm,
    DispatchForm,
    DraftForm,
    ReturnForm,
)
from marketplace.orders.batches.states import BatchState
from marketplace.payments.gateways import GatewayError, current_book
from marketplace.payments.operator import export
from marketplace.payments.operator.views import NOTHING, taken_away
from marketplace.payments.transfers import absent, sending

bp = Blueprint("settlements", __name__, url_prefix="/operator/settlements")


def actor() -> str:
    return f"person:{g.person.id}"


@bp.get("")
@requires("settlement.read")
def list_batches() -> ResponseReturnValue:
    """Below what is found of batches stands what is owed, where nothing was asked for."""
    session, filters = db.session(), batches_form()
    if not filters.validate():
        return page("settlements/list.html", 422, owed=[], found=NOTHING, is_first=False, form=DraftForm(), filters=filters)
    wanted = asked(filters)
    is_first = wanted == searching.EVERYTHING
    owed = queries.stations_owed(session, current_book()) if is_first else []
    found = queries.batches(session, wanted)
    return page("settlements/list.html", owed=owed, found=found, is_first=is_first, form=DraftForm(), filters=filters)


def batches_form() -> BatchesForm:
    return BatchesForm(request.args)


def asked(form: BatchesForm) -> searching.Asked:
    given = {name: value for name, value in form.data.items() if value}
    return searching.Asked(**given, before=tidy(request.args.get("before", "")))


@bp.post("/payments.csv")
@requires("settlement.read")
def export_batches() -> ResponseReturnValue:
    """Every payment of the batches that are found, without account numbers."""
    form = batches_form()
    if not form.validate():
        return list_batches()
    return taken_away(
        "settlements", form.typed, export.lines(searching.COLUMNS, searching.every_payment(db.session(), asked(form)))
    )


@bp.post("")
@requires("settlement.keep")
def create_batch() -> ResponseReturnValue:
    form = DraftForm(request.form)
    station = str(form.station.data or "")
    try:
        made = in_transaction(
            idempotency.once,
            drafting.draft,
            idempotency=form.idempotency(f"settlement:{g.person.id}:{station}"),
            station=station,
            drafter_id=g.person.id,
        )
    except drafting.NothingToPay as refusal:
        flash(refusal.message, "failed")
        return redirect(url_for(".list_batches"), 303)
    flash(_("Drafted. Another person must approve it."), "done")
    return redirect(url_for(".show_batch", batch=made), 303)


@bp.get("/<batch>")
@requires("settlement.read")
def show_batch(batch: str) -> ResponseReturnValue:
    return batch_page(batch)


def batch_page(batch: str, status: int = 200, **forms: Form) -> ResponseReturnValue:
    """`forms`: the one that was refused, with what was typed."""
    session = db.session()
    shown = queries.get_batch(session, batch)
    blank: dict[str, Form] = {"dispatch": DispatchForm(), "answer": AnswerForm()}
    lines = queries.lines_of(session, shown.row)
    sent: dict[str, Any] = {"transfers": at_gateway.transfers_of(session, shown.row)}
    sent["known_there"] = at_gateway.payees_of(session, shown.row) if shown.row.state is BatchState.APPROVED else {}
    sent["names"] = queries.names_of(session, lines)
    return page("settlements/batch.html", status, shown=shown, lines=lines, forms_by_step=blank | forms, **sent)


@bp.post("/<batch>/approval")
@requires("settlement.keep")
def create_approval(batch: str) -> ResponseReturnValue:
    return take(batch, approving.approve, approver_id=g.person.id)


@bp.post("/<batch>/dispatch")
@requires("settlement.keep")
def create_dispatch(batch: str) -> ResponseReturnValue:
    """The bank is told to pay, or the gateway."""
    form = DispatchForm(request.form)
    if not form.validate():
        return batch_page(batch, 422, dispatch=form)
    return take(batch, approving.send, way=str(form.way.data), actor=actor())


@bp.post("/<batch>/file")
@requires("settlement.keep")
def create_file(batch: str) -> ResponseReturnValue:
    """Download the bank file: a POST, since it names account numbers and so leaves a trace."""
    content = in_transaction(hand_out, batch=batch)
    told = {"Content-Disposition": f'attachment; filename="{batch}.csv"', "Cache-Control": "no-store"}
    return Response(content, 200, told, mimetype="text/csv")


def hand_out(session: Session, *, batch: str) -> bytes:
    """The file, and a record of who took it. Raises NotFound before the batch is sent."""
    row = approving.hold(session, batch)
    if not row.file_sha256:
        raise NotFound(batch)
    content = bank_file.content(row, approving.by_hand(session, row))
    subject, kept = f"settlement_batch:{batch}", bank_file.digest(content)
    if kept != row.file_sha256:
        raise ValueError(f"{batch}: the file is not what it was when the batch was sent")
    audit.record(session, actor=actor(), action="settlement.file_taken", subject=subject, sha256=kept)
    return content


@bp.get("/<batch>/lines/<line>")
@requires("settlement.read")
def show_line(batch: str, line: str) -> ResponseReturnValue:
    return line_page(batch, line)


def line_page(batch: str, line: str, status: int = 200, **forms: Form) -> ResponseReturnValue:
    session = db.session()
    shown = queries.get_batch(session, batch)
    row = queries.get_line(session, shown.row, line)
    blank: dict[str, Form] = {"confirmation": ConfirmationForm(), "send_back": ReturnForm(), "bouncing": BounceForm()}
    carried, parts = tracing.parts_of(session, row, shown.row)
    known: dict[str, Any] = {
        "carried": carried,
        "parts": parts,
        "most": tracing.MOST,
        "name": queries.names_of(session, [row])[line],
        "transfer": (sent := sending.of_reference(session, line)),
        "is_stuck": sent is not None and absent.is_stuck(sent),
    }
    return page("settlements/line.html", status, shown=shown, line=row, **known, **(blank | forms))


@bp.post("/<batch>/lines/<line>/confirmation")
@requires("settlement.keep")
def create_confirmation(batch: str, line: str) -> ResponseReturnValue:
    form = ConfirmationForm(request.form)
    if not form.validate():
        return line_page(batch, line, 422, confirmation=form)
    return take(batch, confirming.confirm, line=line, reference=str(form.reference.data or ""), actor=actor())


@bp.post("/<batch>/lines/<line>/return")
@requires("settlement.keep")
def create_return(batch: str, line: str) -> ResponseReturnValue:
    form = ReturnForm(request.form)
    if not form.validate():
        return line_page(batch, line, 422, send_back=form)
    return take(batch, confirming.send_back, line=line, reason=str(form.reason.data), actor=actor())


@bp.post("/<batch>/lines/<line>/bounce")
@requires("settlement.keep")
def create_bounce(batch: str, line: str) -> ResponseReturnValue:
    """The bank took back what it had paid."""
    form = BounceForm(request.form)
    if not form.validate():
        return line_page(batch, line, 422, bouncing=form)
    return take(batch, bouncing.bounce, line=line, reason=str(form.reason.data), actor=actor())


@bp.post("/<batch>/lines/<line>/search")
@requires("settlement.keep")
def create_search(batch: str, line: str) -> ResponseReturnValue:
    """Of a transfer that the gateway has not answered for: it is asked once more, and what never got there is let go."""
    shown = queries.get_batch(db.session(), batch)
    queries.get_line(db.session(), shown.row, line)
    try:
        state = absent.let_go(reference=line, actor=actor())
    except (absent.StillBeingSent, GatewayError) as refusal:
        flash(refusal.message, "failed")
    else:
        words, _kind = telling.TRANSFERS[state]
        flash(_("The payment provider was asked: %(state)s.", state=words), "done")
    return redirect(url_for(".show_line", batch=batch, line=line), 303)


@bp.post("/<batch>/answer-preview")
@requires("settlement.keep")
def create_answer_preview(batch: str) -> ResponseReturnValue:
    """What the bank's file would do, before it does anything."""
    sent = request.files.get("file")
    raw = sent.read(answers.LARGEST + 1) if sent else b""
    form = AnswerForm()
    if not raw:
        form.form_errors.append(_("Choose a file first."))
        return batch_page(batch, 422, answer=form)
    session = db.session()
    shown = queries.get_batch(session, batch)
    try:
        form.content.data = answers.decoded(raw)
        judged = answers.judge(session, shown.row, answers.read(raw))
    except answers.Unreadable as refusal:
        form.form_errors.append(refusal.message)
        return batch_page(batch, refusal.status, answer=form)
    names = queries.names_of(session, queries.lines_of(session, shown.row))
    return page("settlements/answer.html", shown=shown, judged=judged, names=names, form=form)


@bp.post("/<batch>/answer")
@requires("settlement.keep")
def create_answer(batch: str) -> ResponseReturnValue:
    """Do what was shown; what cannot be done any more is refused by its row."""
    content = request.form.get("content", "").encode()
    try:
        judged = in_transaction(answers.apply, batch=batch, content=content, actor=actor())
    except answers.Unreadable as refusal:
        flash(refusal.message, "failed")
        return redirect(url_for(".show_batch", batch=batch), 303)
    done = sum(each.verdict in answers.DOES for each in judged)
    flash(_("Recorded %(done)s of %(rows)s rows.", done=done, rows=len(judged)), "done")
    return redirect(url_for(".show_batch", batch=batch), 303)


def take(batch: str, step: Callable[..., None], **given: Any) -> ResponseReturnValue:
    back = url_for(".show_batch", batch=batch)
    return take_step(step, back, passes=(approving.SamePerson,), batch=batch, **given)


def page(template: str, status: int = 200, **shown: Any) -> ResponseReturnValue:
    words = {"batch_words": telling.BATCHES, "standing": telling.standing, "why_not": telling.WHY_NOT}
    words |= {"transfer_words": telling.TRANSFERS, "said": telling.said}
    common = {"desk_current": "settlements", "today": clock.today(), "book": current_book(), "B": BatchState}
    is_keeper = bool(g.person.roles & {"operator", "finance_operator"})
    more = {"verdict_words": telling.VERDICTS, "does": answers.DOES, "is_keeper": is_keeper}
    return render_template(template, **common, **words, **more, **shown), status, {"Cache-Control": "no-store"}
