"""A program says what was wrong with goods that arrived: the same command as the buyer's page, the same pictures."""

from typing import Any, Final

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from listings import pictures
from marketplace.accounts.visitors import Visitor
from marketplace.api import buying
from marketplace.api.case_schemas import CaseAnswer, NewCase, NewCaseWithPictures
from marketplace.api.doors import Unfit, check, read_body, typed
from marketplace.api.parts import MULTIPART, digests_of, read_parts
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.settings import settings
from marketplace.orders.cases import opening, queries, spoiling
from marketplace.orders.cases.finding import Reach
from marketplace.orders.cases.forms import request_form
from marketplace.orders.cases.rules import MOST_PICTURES, Kind, Wish
from marketplace.orders.models import Order, OrderLine, Parcel

SAME: Final = ("quantity", "spoiled_grams", "spoiled_pieces", "opened_at", "decide_by", "answer")
PLACES: Final = {name: f"#/{name}" for name in ("quantity", "kind", "wish", "words")}
POINTS_AT: Final[dict[type[Refusal], str]] = {
    opening.TooManyUnits: "#/quantity",
    opening.TooLate: "#/kind",
    opening.NothingToExchange: "#/wish",
    opening.PictureNeeded: "#/pictures",
    spoiling.NotByWeight: "#/spoiled_grams",
    spoiling.TooHeavy: "#/spoiled_grams",
    spoiling.NotByPiece: "#/spoiled_pieces",
    spoiling.TooManyPieces: "#/spoiled_pieces",
    spoiling.TooLight: "",
}


def read() -> tuple[NewCaseWithPictures, list[FileStorage]]:
    """What was sent, as JSON or as a form with pictures, by the rules of the buyer's own form; the pictures by what they
    contain. Raises NotJson, TooLarge, TooMuchAtOnce, Unfit."""
    sent: list[FileStorage] = []
    if request.mimetype == MULTIPART:
        limits: dict[str, Any] = {"most_bytes": pictures.MOST_AT_ONCE, "too_much": pictures.TooMuchAtOnce()}
        asked = read_parts(NewCase, files=("pictures",), **limits)
        sent = [each for each in request.files.getlist("pictures") if each.filename]
    else:
        asked = read_body(NewCase)
    check(request_form(None, typed(**{name: getattr(asked, name) for name in PLACES})), PLACES)
    if len(sent) > MOST_PICTURES:
        raise Unfit(("#/pictures", str(opening.TooManyPictures.message)))
    return NewCaseWithPictures(**asked.model_dump(), pictures=digests_of(sent)), sent


def reencoded(sent: list[FileStorage]) -> list[dict[str, Any]]:
    """Small, without anything personal in them, among what is private. Outside a transaction. Raises Unfit."""
    made, wrong = [], []
    for place, each in enumerate(sent):
        try:
            made.append(pictures.reencode(each.stream.read(pictures.LARGEST + 1), settings().private_media_folder))
        except pictures.UnusablePicture as refusal:
            wrong.append((f"#/pictures/{place}", str(refusal.message)))
    if wrong:
        raise Unfit(*wrong)
    return made


def open_case(session: Session, *, person: Visitor, asked: NewCaseWithPictures, made: list[dict[str, Any]]) -> CaseAnswer:
    """Raises NotFound for another's order, Unfit for what is not in it, and what `opening.open_case` refuses."""
    buying.get_own(session, person, asked.order)
    said: dict[str, Any] = {"kind": Kind(asked.kind), "wish": Wish(asked.wish), "quantity": asked.quantity}
    said |= {"number": asked.order, "line": get_line(session, asked), "words": asked.words, "pictures": made}
    said |= {"spoiled_grams": asked.spoiled_grams, "spoiled_pieces": asked.spoiled_pieces}
    try:
        case = opening.open_case(session, actor=f"person:{person.id}", **said)
    except tuple(POINTS_AT) as refusal:
        words = (
            _("At most %(number)s.", number=refusal.left) if isinstance(refusal, opening.TooManyUnits) else refusal.message
        )
        where = POINTS_AT[type(refusal)] or ("#/spoiled_pieces" if asked.spoiled_pieces else "#/spoiled_grams")
        refusal.wrong = [(where, str(words))]
        raise
    session.flush()
    session.expire_all()
    return show(session, person=person, case=case)


def get_line(session: Session, asked: NewCase) -> str:
    """An order has each pack once. Raises Unfit."""
    mine = select(OrderLine.public_id).join(Parcel, Parcel.id == OrderLine.parcel_id)
    mine = mine.join(Order, Order.id == Parcel.order_id).where(Order.number == asked.order)
    line = session.scalar(mine.where(OrderLine.variant_code == asked.sku))
    if line is None:
        raise Unfit(("#/sku", _("This order has no such pack.")))
    return line


def show(session: Session, *, person: Visitor, case: str) -> CaseAnswer:
    """Four statements. Raises NotFound for a case of another's order."""
    shown = queries.show(session, case, Reach())
    if shown.order.buyer_id != person.id:
        raise NotFound(case)
    row = shown.row
    return CaseAnswer(
        **{name: getattr(row, name) for name in SAME},
        case=row.public_id,
        order=shown.order.number,
        sku=shown.line.variant_code,
        kind=row.kind.value,
        wish=row.wish.value,
        state=row.state.value,
        pictures=len(shown.pictures),
        refunded_fen=shown.refund.fen if shown.refund else 0,
        url=f"/orders/{shown.order.number}/cases/{row.public_id}",
    )
