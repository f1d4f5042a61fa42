"""What tests of the operators' pages do again and again."""

import re

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.core.audit import AuditRecord
from marketplace.core.db import db
from tests.payments.conftest import Till


def paid(till: Till, reference: str = "SX-7F3KQ2MD", fen: int = 3980) -> str:
    attempt = till.start(reference, fen)
    till.pay(attempt)
    till.work()
    return attempt


def send(browser: FlaskClient, path: str, **data: str) -> int:
    return posted(browser, path, **data).status_code


def posted(browser: FlaskClient, path: str, **data: str) -> TestResponse:
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/account").text)
    assert token
    return browser.post(path, data={"csrf_token": token[1], **data})


def audited(action: str) -> list[tuple[str, str]]:
    db.session.rollback()
    found = select(AuditRecord.subject, AuditRecord.why).where(AuditRecord.action == action)
    return [(row.subject, row.why) for row in db.session.execute(found.order_by(AuditRecord.id))]
