"""Pictures of cases are deleted half a year after the case has ended."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from listings import pictures
from marketplace.core.db import db, in_transaction
from marketplace.core.settings import settings
from marketplace.orders import access
from marketplace.orders.cases import appealing, deciding, forgetting
from marketplace.orders.cases.models import CasePicture
from marketplace.orders.cases.rules import Kind
from tests.orders.casework import Bought, appeal, bought, do, later, open_case, picture, small_boxes
from tests.orders.conftest import Shop, build_shop

__all__ = ["small_boxes"]


@pytest.fixture
def shop(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(pictures, "JUST_NOW", -1)
    yield (built := build_shop(app))
    built.cashier.storage.dispose()


def shown(colour: str = "brown") -> dict[str, Any]:
    return pictures.reencode(picture(colour)[0].read(), settings().private_media_folder)


def reported(order: Bought, made: dict[str, Any]) -> str:
    return open_case(order, kind=Kind.WRONG, pictures=[made])


def left() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(CasePicture)).all())


def exists(made: dict[str, Any]) -> bool:
    return pictures.file_of(settings().private_media_folder, made["digest"], 320).exists()


def test_rows_and_files_go_after_half_a_year(shop: Shop) -> None:
    order, made = bought(shop, 3), shown()
    case, lasting = reported(order, made), reported(order, made)
    do(deciding.reject, case)
    with later(days=179.9):
        in_transaction(forgetting.forget)
    assert left() == 2
    with later(days=180.1):
        in_transaction(forgetting.forget)
        assert left() == 1 and exists(made)  # the other case is open, and shows the same
        do(deciding.reject, lasting)
        in_transaction(forgetting.forget)
        assert left() == 1
    with later(days=361):
        in_transaction(forgetting.forget)
        assert left() == 0 and not exists(made)
        order.client.get(f"/orders/{order.number}?key={access.link_key(order.number)}")
        page = order.client.get(f"/orders/{order.number}/cases/{case}")
        assert page.status_code == 200 and "/pictures/" not in page.text


@pytest.mark.full
def test_an_appeal_keeps_them(shop: Shop) -> None:
    order, made = bought(shop), shown("green")
    case = reported(order, made)
    do(deciding.reject, case)
    appeal(case)
    with later(days=300):
        in_transaction(forgetting.forget)
        assert left() == 1
        in_transaction(appealing.leave, case=case, why="照片说明不了", actor="person:9")
    with later(days=479):
        in_transaction(forgetting.forget)
        assert left() == 1 and exists(made)
    with later(days=481):
        in_transaction(forgetting.forget)
        assert left() == 0 and not exists(made)


def test_what_came_with_a_refused_form_goes_after_a_day(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(forgetting, "settings", lambda: SimpleNamespace(private_media_folder=tmp_path))
    kept, lost = (pictures.reencode(picture(colour)[0].read(), tmp_path)["digest"] for colour in ("brown", "red"))
    reported(bought(shop), {"digest": kept, "width": 60, "height": 40})
    (tmp_path / "reviews" / "ab").mkdir(parents=True)

    forgetting.sweep()
    assert {place.name for place in tmp_path.glob("*/*")} == {kept, lost, "ab"}
    monkeypatch.setattr(pictures, "A_DAY", -60)
    forgetting.sweep()
    assert {place.name for place in tmp_path.glob("*/*")} == {kept, "ab"}
