"""Pictures that never came into the shop are deleted, and no others."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from listings import forgetting, pictures
from listings.models import Media
from marketplace.core import clock
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from tests.listings.selling import House, build, edits
from tests.listings.test_offering import picture, post


@pytest.fixture
def house(app: Flask) -> House:
    return build(app)


def propose(house: House, width: int = 60) -> str:
    """Another picture for what is for sale, which waits; its public id."""
    before = names()
    answer = post(house.seller, f"/seller/listings/{house.millet}/pictures", {"pictures": [picture((width, 30))]})
    assert answer.status_code == 303, answer.text
    (new,) = set(names()) - set(before)
    return new


def names() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Media.public_id).order_by(Media.id)))


def file_of(name: str) -> Path:
    digest = db.session.scalars(select(Media.digest).where(Media.public_id == name)).one()
    return pictures.file_of(settings().media_folder, digest, 320)


def forget(days: float) -> None:
    with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
        in_transaction(forgetting.forget)


def test_what_was_refused_goes_after_a_month_and_what_was_ever_shown_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "JUST_NOW", -1)
    shown = propose(house)
    house.decide(house.clerk)
    refused = propose(house, 50)
    house.decide(house.clerk, "reject", reason="看不清")
    file, other = file_of(refused), file_of(shown)
    forget(29)
    assert names() == [shown, refused] and file.exists()

    forget(31)

    assert names() == [shown] and not file.exists() and other.exists()
    assert edits()[-1].after["pictures"] == [shown, refused]  # the trace of what was decided stays
    post(house.seller, f"/seller/listings/{house.millet}/pictures/{shown}/removal")
    forget(31)
    assert names() == [shown] and other.exists()  # orders may show it


def test_what_waits_or_was_proposed_once_more_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "JUST_NOW", -1)
    waiting = propose(house)
    forget(40)
    assert names() == [waiting] and file_of(waiting).exists()


def test_files_that_came_just_now_are_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "JUST_NOW", 40 * 86400)
    refused = propose(house, 50)
    house.decide(house.clerk, "reject", reason="看不清")
    file = file_of(refused)
    forget(31)
    assert names() == [] and file.exists()
