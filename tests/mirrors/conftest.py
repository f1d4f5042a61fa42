"""A campaign that lives on a platform, its officer at their browser, and the worker beside them."""

import io
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from crowdfund.campaigns.mirrors import working
from crowdfund.campaigns.mirrors.models import MirroredGift, MirrorFile, MirrorTotal
from marketplace.core import ids
from marketplace.core.db import db
from tests.campaigns.conftest import Fund, fund, post
from tests.factories import sign_in_as

__all__ = ["fund"]

URL = "https://gongyi.qq.com/succor/detail.htm?id=1001"
ON_PLATFORM: dict[str, Any] = {"channel": "mirror", "platform": "tencent", "platform_url": URL}
HEADINGS = "交易单号,捐赠时间,捐赠金额(元),捐赠人,是否匿名"
FIRST = (
    "T1,2026-10-01 08:00,10.00,王小雯,否",
    'T2,2026-10-02 09:30,"1,200.00",李承志,是',
    "T3,2026/10/3 20:15,0.01,爱心网友,",
)


def sheet(*rows: str, headings: str = HEADINGS) -> bytes:
    return "\r\n".join((headings, *rows, "")).encode()


@dataclass
class Mirror:
    """`files` is where its page of files is."""

    fund: Fund
    client: FlaskClient
    campaign: str

    @property
    def files(self) -> str:
        return f"/charity/campaigns/{self.campaign}/files"

    def send(self, raw: bytes, name: str = "导出.csv", **typed: str) -> TestResponse:
        form = {"idempotency_key": ids.public_id(), "file": (io.BytesIO(raw), name)}
        return post(self.client, self.files, form | typed)

    def compared(self, raw: bytes) -> MirrorFile:
        """Sent, and read by the worker."""
        answer = self.send(raw)
        assert answer.status_code == 303, answer.text
        work()
        return newest()

    def taken(self, raw: bytes) -> MirrorFile:
        file = self.compared(raw)
        self.step(file, "taking")
        work()
        return newest()

    def step(self, file: MirrorFile, step: str) -> TestResponse:
        return post(self.client, f"{self.files}/{file.public_id}/{step}", {})

    def decide(self, file: MirrorFile, number: int, decision: str) -> TestResponse:
        return post(self.client, f"{self.files}/{file.public_id}/differences/{number}/{decision}", {})

    def page(self, file: MirrorFile, query: str = "") -> str:
        return self.client.get(f"{self.files}/{file.public_id}{query}").text


def work() -> None:
    while working.work():
        pass
    db.session.rollback()


def newest() -> MirrorFile:
    db.session.rollback()
    return db.session.scalars(select(MirrorFile).order_by(MirrorFile.id.desc()).limit(1)).one()


def gifts() -> list[tuple[str, int, str]]:
    """(number, fen, who) as they are shown."""
    db.session.rollback()
    rows = select(MirroredGift.platform_number, MirroredGift.fen, MirroredGift.shown_as)
    return [tuple(row) for row in db.session.execute(rows.order_by(MirroredGift.platform_number))]


def total() -> tuple[int, int]:
    """(fen, gifts)"""
    db.session.rollback()
    found = db.session.scalar(select(MirrorTotal))
    return (found.fen, found.gifts) if found else (0, 0)


@pytest.fixture
def mirror(fund: Fund) -> Mirror:
    client = fund.browser()
    sign_in_as(client, fund.officer)
    return Mirror(fund, client, fund.open(**ON_PLATFORM))
