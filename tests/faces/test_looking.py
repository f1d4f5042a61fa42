"""A picture of a face is not shown by accident, nor by one person alone; what a picture carries with it is left behind."""

import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image, ImageDraw, ImageFilter
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from crowdfund.campaigns import evidence
from crowdfund.campaigns.faces import looking
from crowdfund.campaigns.models import Campaign, Evidence
from marketplace.accounts.models import Person
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import StaleState
from marketplace.core.settings import settings
from tests.factories import sign_in_as
from tests.orders.conftest import token_of
from tests.public_ledger.conftest import Giving, giving, make_giving

__all__ = ["giving", "make_giving"]

OURS = {"Sec-Fetch-Site": "same-origin"}


def drawn(*, face: bool) -> bytes:
    """A face that a child might draw, or the meadow behind it; with a place and a name in its EXIF."""
    picture = Image.new("RGB", (640, 640), (120, 150, 120))
    draw = ImageDraw.Draw(picture)
    if face:
        draw.ellipse((170, 110, 470, 520), fill=(222, 184, 155))
        draw.pieslice((160, 80, 480, 400), 180, 360, fill=(40, 30, 25))
        draw.ellipse((185, 170, 455, 480), fill=(222, 184, 155))
        for middle in (245, 395):
            draw.ellipse((middle - 48, 255, middle + 48, 305), fill=(150, 105, 85))
            draw.rectangle((middle - 42, 240, middle + 42, 252), fill=(50, 35, 30))
            draw.ellipse((middle - 28, 266, middle + 28, 296), fill=(245, 245, 245))
            draw.ellipse((middle - 14, 266, middle + 14, 296), fill=(30, 20, 20))
        draw.polygon([(320, 290), (292, 385), (348, 385)], fill=(240, 205, 178))
        draw.ellipse((290, 375, 350, 398), fill=(170, 120, 100))
        draw.ellipse((265, 420, 375, 455), fill=(150, 60, 60))
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE 37.9N"
    sent = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(5)).save(sent, "JPEG", exif=exif)
    return sent.getvalue()


@pytest.fixture
def paid(giving: Giving) -> str:
    campaign = giving.campaign()
    giving.gift(campaign, 1000)
    return giving.pay_out(campaign, 100)


def lay(giving: Giving, paid: str, raw: bytes, *, is_public: bool = True) -> str:
    given: dict[str, Any] = {"kind": "photo", "words": "入库", "is_public": is_public, "kept": evidence.keep(raw)}
    in_transaction(evidence.add, disbursement=paid, officer_id=giving.officer, **given)
    return db.session.scalars(select(Evidence.public_id).order_by(Evidence.id.desc())).first() or ""


def state(proof: str) -> tuple[int | None, bool]:
    db.session.expire_all()
    row = db.session.scalars(select(Evidence).where(Evidence.public_id == proof)).one()
    return row.faces, row.is_public


def test_a_picture_waits_until_it_was_looked_at(app: Flask, giving: Giving, paid: str) -> None:
    proof = lay(giving, paid, drawn(face=False))
    stranger = app.test_client()
    assert state(proof) == (None, False) and stranger.get(f"/evidence/{proof}").status_code == 404
    assert looking.look_at_one() is True
    assert state(proof) == (0, True) and looking.look_at_one() is False
    shown = stranger.get(f"/evidence/{proof}")
    assert (
        shown.status_code == 200 and b"SECRET-PLACE" not in shown.data and not Image.open(io.BytesIO(shown.data)).getexif()
    )
    assert b"SECRET-PLACE" not in b"".join(each.read_bytes() for each in Path(settings().media_folder).rglob("*.webp"))


def test_a_face_is_shown_by_a_second_person_alone_and_that_is_kept(app: Flask, giving: Giving, paid: str) -> None:
    proof = lay(giving, paid, drawn(face=True))
    looking.look_at_one()
    faces, is_public = state(proof)
    assert faces and not is_public
    stranger = app.test_client()
    assert stranger.get(f"/evidence/{proof}").status_code == 404
    told = {"evidence": proof, "reason": "墙上的画"}
    with pytest.raises(looking.OwnPicture):
        in_transaction(looking.overrule, person_id=giving.officer, **told)
    with pytest.raises(looking.NoReason):
        in_transaction(looking.overrule, person_id=giving.approver, evidence=proof, reason=" ")
    assert state(proof) == (faces, False)
    in_transaction(looking.overrule, person_id=giving.approver, **told)
    assert state(proof) == (faces, True) and stranger.get(f"/evidence/{proof}").status_code == 200
    record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "evidence.overruled")).one()
    assert (record.actor, record.why, record.detail["faces"]) == (f"person:{giving.approver}", "墙上的画", faces)
    with pytest.raises(StaleState):
        in_transaction(looking.overrule, person_id=giving.approver, **told)


def test_what_was_shown_by_mistake_is_taken_back_and_stays_back(app: Flask, giving: Giving, paid: str) -> None:
    proof, waiting, officer = lay(giving, paid, drawn(face=False)), lay(giving, paid, drawn(face=True)), app.test_client()
    looking.look_at_one()
    sign_in_as(officer, db.session.get_one(Person, giving.officer))
    desk = f"/charity/disbursements/{paid}"
    place, data = f"{desk}/evidence/{proof}/removal", {"csrf_token": token_of(officer)}
    empty = officer.post(place, data=data | {"removal-reason": " "}, headers=OURS)
    assert (empty.status_code, state(proof)) == (422, (0, True)) and "<details open><summary>撤回这个文件" in empty.text
    assert officer.post(place.replace(proof, "none"), data=data, headers=OURS).status_code == 404

    done = officer.post(place, data=data | {"removal-reason": "后排有个孩子"}, headers=OURS)
    assert done.status_code == 303 and state(proof) == (0, False)
    stranger = app.test_client()
    assert stranger.get(f"/evidence/{proof}").status_code == 404
    row = db.session.scalars(select(Evidence).where(Evidence.public_id == proof)).one()
    assert row.sha256 and not row.wants_public
    campaign = db.session.scalars(select(Campaign.public_id)).one()
    shown = stranger.get(f"/ledger/{campaign}/disbursements/{paid}").text
    assert "这个文件公开过，已经撤回：后排有个孩子" in shown and row.sha256 in shown
    assert "已撤回：后排有个孩子" in officer.get(desk).text
    again: dict[str, Any] = {"evidence": proof, "person_id": giving.approver, "reason": "其实可以"}
    for step in (looking.take_back, looking.overrule):
        with pytest.raises(StaleState):
            in_transaction(step, **again)

    in_transaction(looking.take_back, **again | {"evidence": waiting})  # before anybody has looked at it
    in_transaction(looking.note, evidence=waiting, faces=0)
    assert state(waiting) == (0, False)


def test_what_could_not_be_looked_at_is_not_shown(giving: Giving, paid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = lay(giving, paid, drawn(face=False))
    monkeypatch.setattr(looking, "PATIENCE", 0.001)
    looking.look_at_one()
    assert state(proof) == (looking.UNKNOWN, False)


def test_the_database_shows_nothing_that_nobody_looked_at(giving: Giving, paid: str) -> None:
    proof = lay(giving, paid, drawn(face=False))
    mine = update(Evidence).where(Evidence.public_id == proof)
    for given in ({"is_public": True}, {"is_public": True, "faces": 2}, {"overruled_by": giving.officer}):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.execute(mine.values(given))
    db.session.rollback()


def test_what_nobody_asked_to_show_is_not_looked_at(giving: Giving, paid: str) -> None:
    proof = lay(giving, paid, drawn(face=False), is_public=False)
    assert looking.look_at_one() is False
    assert state(proof) == (None, False)


def test_at_the_desk(app: Flask, giving: Giving, paid: str) -> None:
    proof = lay(giving, paid, drawn(face=True))
    looking.look_at_one()
    officer, approver = app.test_client(), app.test_client()
    sign_in_as(officer, db.session.get_one(Person, giving.officer))
    sign_in_as(approver, db.session.get_one(Person, giving.approver))
    desk = f"/charity/disbursements/{paid}"
    place = f"{desk}/evidence/{proof}/overruling"
    assert "公开这张图片" not in officer.get(desk).text and "所以这张图片不公开" in officer.get(desk).text
    assert officer.post(place, data={"csrf_token": token_of(officer)}, headers=OURS).status_code == 403
    assert "公开这张图片" in approver.get(desk).text
    empty = approver.post(place, data={"csrf_token": token_of(approver)}, headers=OURS)
    assert empty.status_code == 422 and not state(proof)[1]
    data = {"csrf_token": token_of(approver), "overruling-reason": "墙上的画"}
    assert [approver.post(place, data=data, headers=OURS).status_code for _twice in range(2)] == [303, 303]
    assert state(proof)[1] and "墙上的画" in officer.get(desk).text


def test_a_pdf_waits_for_a_second_person(app: Flask, giving: Giving, paid: str) -> None:
    """No machine here looks into its pages."""
    proof = lay(giving, paid, b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n")
    stranger = app.test_client()
    assert state(proof) == (looking.UNKNOWN, False) and looking.look_at_one() is False
    assert stranger.get(f"/evidence/{proof}").status_code == 404
    with pytest.raises(looking.OwnPicture):
        in_transaction(looking.overrule, evidence=proof, person_id=giving.officer, reason="没有人像")
    with pytest.raises(IntegrityError, match="looked_at_first"), db.session.begin_nested():
        db.session.execute(update(Evidence).where(Evidence.public_id == proof).values(is_public=True))
    in_transaction(looking.overrule, evidence=proof, person_id=giving.approver, reason="逐页看过，没有人像")
    assert state(proof) == (looking.UNKNOWN, True) and stranger.get(f"/evidence/{proof}").status_code == 200
    campaign = db.session.scalars(select(Campaign.public_id)).one()
    page = stranger.get(f"/ledger/{campaign}/disbursements/{paid}").get_data(as_text=True)
    assert "第二个人看过，决定可以公开。" in page and "检查到人脸" not in page


def test_a_file_that_nobody_may_open_waits_for_nobody(giving: Giving, paid: str) -> None:
    proof = lay(giving, paid, b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n", is_public=False)
    assert state(proof) == (None, False)
