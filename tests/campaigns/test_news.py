"""Updates with pictures from which everything personal is gone, and comments that nobody reads before an officer has."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from crowdfund.campaigns.news import telling as news
from crowdfund.campaigns.news.models import CampaignComment, CampaignUpdate, UpdatePicture
from crowdfund.campaigns.news.telling import NotPublic, TooManyComments
from marketplace.core.audit import AuditRecord
from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound
from tests.campaigns.conftest import FOUNDATION, Fund, hidden, post
from tests.factories import make_person, sign_in_as


def photo() -> bytes:
    """With a place in it, and who took it."""
    image, exif = Image.new("RGB", (900, 600), (120, 160, 90)), Image.Exif()
    exif[0x010F], exif[0x9003] = "PHONE-OF-ZHOU", "2026:10:01 10:00:00"
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    return file.getvalue()


def typed(page: Any, **more: Any) -> dict[str, Any]:
    return {"idempotency_key": hidden(page, "idempotency_key"), "title": "书到了", "words": "三百册\n都上架了"} | more


def test_an_update_is_told_once_with_pictures_that_name_nobody(fund: Fund, officer: FlaskClient) -> None:
    campaign = fund.open()
    place = f"/charity/campaigns/{campaign}/updates"
    form = typed(officer.get(f"{place}/new"), pictures=(io.BytesIO(photo()), "IMG_1.jpg"))
    refused = post(officer, place, form)  # nobody said that no face is in it
    assert refused.status_code == 422 and "已经有 1 张照片" in refused.text and "三百册" in refused.text
    kept = hidden(refused, "kept")
    again = typed(refused, kept=kept, is_harmless="1")
    for _twice in range(2):
        assert post(officer, place, again).status_code == 303
    assert len(db.session.scalars(select(CampaignUpdate.id)).all()) == 1
    picture = db.session.scalars(select(UpdatePicture)).one()

    page = fund.browser().get(f"/campaigns/{campaign}/updates").text
    source = f"/campaigns/{campaign}/updates/pictures/{picture.public_id}-1280.webp"
    assert "书到了" in page and "都上架了" in page and source in page
    file = fund.browser().get(source)
    assert file.mimetype == "image/webp" and b"PHONE-OF-ZHOU" not in file.data and b"EXIF" not in file.data
    assert fund.browser().get(source.replace("1280", "77")).status_code == 404
    assert fund.browser().get(source.replace(campaign, fund.open())).status_code == 404


def test_a_picture_that_shows_somebody_is_taken_back_and_everybody_reads_why(
    fund: Fund, officer: FlaskClient, approver: FlaskClient
) -> None:
    campaign = fund.open()
    place = f"/charity/campaigns/{campaign}"
    form = typed(officer.get(f"{place}/updates/new"), pictures=(io.BytesIO(photo()), "IMG_1.jpg"), is_harmless="1")
    post(officer, f"{place}/updates", form)
    name = db.session.scalars(select(UpdatePicture.public_id)).one()
    source = f"/campaigns/{campaign}/updates/pictures/{name}-1280.webp"
    removal = f"{place}/updates/pictures/{name}/removal"
    assert removal in approver.get(place).text and 'name="reason"' in officer.get(place).text

    stranger = fund.browser()
    sign_in_as(stranger, make_person("charity_approver"))
    assert post(stranger, removal, {"reason": "不是我的"}).status_code in {403, 404}
    post(approver, removal, {"reason": " "})
    assert fund.browser().get(source).status_code == 200
    why = "看得见<b>孩子</b>的脸"
    for _twice in range(2):
        assert post(approver, removal, {"reason": why}).status_code == 303
    assert fund.browser().get(source).status_code == 404
    page = fund.browser().get(f"/campaigns/{campaign}/updates").text
    assert source not in page and "&lt;b&gt;孩子" in page and "都上架了" in page
    assert removal not in officer.get(place).text
    assert [row.why for row in db.session.scalars(select(AuditRecord).where(AuditRecord.action.contains("picture")))] == [
        why
    ]


def test_what_is_no_picture_is_said_and_nothing_is_lost(fund: Fund, officer: FlaskClient) -> None:
    place = f"/charity/campaigns/{fund.open()}/updates"
    form = typed(officer.get(f"{place}/new"), pictures=(io.BytesIO(b"%PDF-1.4 no picture"), "a.jpg"), is_harmless="1")
    page = post(officer, place, form)
    assert page.status_code == 422 and "三百册" in page.text and "JPEG" in page.text
    for kept in ("../../etc/passwd-1-1", "a" * 64 + "-9-9"):
        assert post(officer, place, typed(page, kept=kept, is_harmless="1", idempotency_key=kept[:20])).status_code == 303
    assert db.session.scalars(select(UpdatePicture.public_id)).all() == []


def test_a_fifth_picture_is_said_and_not_silently_dropped(fund: Fund, officer: FlaskClient) -> None:
    campaign = fund.open()
    place = f"/charity/campaigns/{campaign}/updates"
    five = [(io.BytesIO(photo()), f"IMG_{number}.jpg") for number in range(5)]
    refused = post(officer, place, typed(officer.get(f"{place}/new"), pictures=five, is_harmless="1"))
    assert refused.status_code == 422 and "一条进展最多放 4 张照片" in refused.text and "已经有 4 张照片" in refused.text
    assert db.session.scalars(select(CampaignUpdate.id)).all() == []
    kept = {"idempotency_key": hidden(refused, "idempotency_key"), "kept": hidden(refused, "kept")}
    assert post(officer, place, {"title": "书到了", "words": "上架了", "is_harmless": "1"} | kept).status_code == 303
    assert len(db.session.scalars(select(UpdatePicture.public_id)).all()) == 4


def test_only_officers_of_what_is_public_tell(fund: Fund) -> None:
    told: dict[str, Any] = {"author": fund.officer.id, "words": ("题", "文"), "pictures": []}
    with pytest.raises(NotPublic):
        in_transaction(news.tell, campaign=fund.approved(), organisations=[FOUNDATION], **told)
    with pytest.raises(NotFound):
        in_transaction(news.tell, campaign=fund.open(), organisations=["other"], **told)
    assert db.session.scalars(select(CampaignUpdate.id)).all() == []


def test_a_comment_is_read_by_an_officer_first(fund: Fund, officer: FlaskClient) -> None:
    campaign, client = fund.open(), fund.browser()
    assert client.get(f"/campaigns/{campaign}/comments/new").location.startswith("/sign-in")
    sign_in_as(client, make_person(name="李承志"))
    key = hidden(client.get(f"/campaigns/{campaign}/comments/new"), "idempotency_key")
    said = {"idempotency_key": key, "words": "书架真好看", "anonymity": "masked"}
    for _twice in range(2):
        assert post(client, f"/campaigns/{campaign}/comments", said).status_code == 303
    (comment,) = db.session.scalars(select(CampaignComment.public_id)).all()
    updates = f"/campaigns/{campaign}/updates"
    assert "书架真好看" not in fund.browser().get(updates).text
    assert "书架真好看" in officer.get("/charity").text
    with pytest.raises(NotFound):
        in_transaction(news.decide, comment=comment, organisations=["other"], is_shown=True, person_id=1)
    assert post(officer, f"/charity/comments/{comment}/shown", {}).status_code == 303
    page = fund.browser().get(updates).text
    assert "书架真好看" in page and "李**" in page and "李承志" not in page
    assert post(officer, f"/charity/comments/{comment}/kept-back", {}).status_code == 303
    db.session.rollback()
    assert "书架真好看" not in fund.browser().get(updates).text


def test_nobody_fills_the_desk_with_comments(fund: Fund) -> None:
    campaign, person = fund.open(), make_person()
    told: dict[str, Any] = {"campaign": campaign, "person_id": person.id, "shown_as": "", "words": "好"}
    for _number in range(5):
        in_transaction(news.say, **told)
    with pytest.raises(TooManyComments):
        in_transaction(news.say, **told)
    with pytest.raises(NotFound):
        in_transaction(news.say, **(told | {"campaign": fund.approved()}))
