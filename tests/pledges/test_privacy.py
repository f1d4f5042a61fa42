"""Canary names lie in the demonstration's vault. Nobody ever sees one, wherever they look, but through the one door."""

import csv
import io
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
import time_machine
from flask import Flask, Response, make_response
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from crowdfund.pledges import children
from crowdfund.pledges.models import ChildCase, ChildVault, Partner, Pledge
from crowdfund.pledges.states import CaseState
from marketplace.accounts.models import Person
from marketplace.accounts.permissions import PERMISSIONS
from marketplace.core import audit, clock, error_pages, outbox, sealing
from marketplace.core.audit import AuditRecord
from marketplace.core.db import Base, db, in_transaction
from marketplace.demo import gifts, history
from marketplace.demo.people import accounts, person_id
from marketplace.demo.pledges import officer
from marketplace.demo.tables import read
from marketplace.notifications import messages
from marketplace.notifications.models import Message
from marketplace.payments.gateways import gateways
from marketplace.payments.sandbox import storage
from tests.factories import sign_in_as
from tests.pledges.conftest import CANARY, OURS, post
from tests.pledges.crawling import CANARIES, Crawl, addresses, examples, kept, known, logged
from tests.tiers import in_full

ROLES = ("buyer", "seller", "station.141124", "clerk.141124", "charity", "charity2", "bank", "nominator", "verifier")
EVERYBODY = ("", "canteen", *ROLES, "children", "programme", "operator", "auditor")
AT_ONCE = ("",)  # a stranger; the rest in the full tier
NAME = f"{CANARY}001"
NOT_IN_THE_DEMONSTRATION = {"addresses.show_address", "media.show_picture", "cases.show_picture"}  # nobody saved or took one
NOT_IN_THE_DEMONSTRATION |= {f"{door}.show_picture" for door in ("reviews", "customer_reviews", "station_reviews")}
NOT_IN_THE_DEMONSTRATION |= {"operator_reviews.show_picture", "news.show_picture"}
NOT_IN_THE_DEMONSTRATION |= {f"gift_years.{view}" for view in ("show_year", "download_csv", "download_pdf")}
NOT_IN_THE_DEMONSTRATION |= {"receipts.download_pdf"}  # for whoever has a check code
WITH_A_TOKEN = {"writing.show_cart", "writing.show_order", "writing.show_parcel", "writing.show_submission"}  # none there
WITH_A_TOKEN |= {"giving_by_program.list_gifts", "giving_by_program.show_gift"}
WITH_A_TOKEN |= {"plans_by_program.list_plans", "plans_by_program.show_plan"}
WITH_A_TOKEN |= {"places_by_program.list_places", "places_by_program.show_place"}
WITH_A_TOKEN |= {"sending.show_case", "sending.show_import"}
OF_THE_GATEWAY = "sandbox_"  # another house; what it is told is a sum and a reference
NOT_IN_TESTS = {"readyz"}  # says 503 where no migration has run


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    with logged() as stream:
        yield stream


@pytest.fixture
def house(demo_app: Flask, demonstration: Session, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setitem(demo_app.config, "PROPAGATE_EXCEPTIONS", False)  # what breaks must not tell either
    cashier: Any = gateways().get("sandbox")
    storage.prepare(cashier.storage)
    return demo_app


@pytest.mark.pages
@pytest.mark.parametrize("name", AT_ONCE)
def test_no_page_and_no_answer_names_a_child(house: Flask, demonstration: Session, written: io.StringIO, name: str) -> None:
    values, crawl = known(demonstration), Crawl(house, demonstration, name)
    crawl.look(addresses(house, "GET", values))
    crawl.press(addresses(house, "POST", values))

    assert crawl.leaks == [] and crawl.flaws == set() and kept(demonstration) == []
    assert '"event": "answered"' in written.getvalue() and not CANARIES.search(written.getvalue())
    assert not any(500 in statuses for statuses in crawl.answered.values())


@pytest.mark.full
@pytest.mark.pages
def test_everybody_looked_at_everything(house: Flask, demonstration: Session, written: io.StringIO) -> None:
    """Every page and every JSON answer was given to somebody, so that none is clean only because nobody came so far."""
    history.play()
    gifts.play()
    in_transaction(sealing.seal, chain="public")
    values, led_to = known(demonstration), list(examples(demonstration))
    crawls = [Crawl(house, demonstration, name) for name in EVERYBODY]
    for crawl in crawls:
        crawl.look([*addresses(house, "GET", values), *led_to])
    answered = {view for crawl in crawls for view, statuses in crawl.answered.items() if statuses & {200, 302, 303}}
    for crawl in crawls:
        crawl.press(addresses(house, "POST", values))

    assert [(crawl.name, fault) for crawl in crawls for fault in (*crawl.leaks, *crawl.flaws)] == []
    assert kept(demonstration) == [] and not CANARIES.search(written.getvalue())
    views = {rule.endpoint for rule in house.url_map.iter_rules() if "GET" in (rule.methods or ())} - {"static"}
    views -= {view for view in views if view.startswith(OF_THE_GATEWAY)}
    assert views - answered <= NOT_IN_THE_DEMONSTRATION | WITH_A_TOKEN | NOT_IN_TESTS, sorted(views - answered)


def test_everybody_who_may_do_anything_was_asked() -> None:
    asked = {role for account in accounts() if account.name in EVERYBODY for role, _kind, _scope in account.roles}
    assert {role for role, _action, _reach in PERMISSIONS} - {"anyone", "buyer"} <= asked


@pytest.mark.full
def test_what_time_and_withdrawals_make_us_write_names_nobody(demonstration: Session, written: io.StringIO) -> None:
    """Messages are encrypted where they lie, so they are read as whoever gets them reads them."""
    keeper = demonstration.scalars(select(Person.id).where(Person.public_id == person_id("children"))).one()
    held = select(ChildCase.public_id).where(ChildCase.state.in_((CaseState.HELD, CaseState.MATCHED)))
    for case in demonstration.scalars(held).all():
        in_transaction(children.withdraw, officer=officer("children", keeper), case=case)
    with time_machine.travel(clock.now() + timedelta(days=60), tick=False):
        while outbox.deliver() or outbox.deliver_slow():
            pass

    texts = list(demonstration.scalars(select(Message.text)))
    assert any("过了领取期" in each for each in texts)
    assert kept(demonstration) == [] and not CANARIES.search(written.getvalue())


def on_a_page(app: Flask, patch: pytest.MonkeyPatch) -> None:
    ours = app.jinja_env.loader
    assert ours
    patch.setattr(app.jinja_env, "loader", ChoiceLoader([DictLoader({"pledges/index.html": f"<h1>{NAME}</h1>"}), ours]))


def in_json(app: Flask, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(app.view_functions, "api.list_pledge_programmes", lambda: {"items": [NAME]})


def in_a_table(app: Flask, patch: pytest.MonkeyPatch) -> None:
    def table() -> Response:
        stream = io.StringIO()
        csv.writer(stream).writerow(["1", NAME])
        return Response(stream.getvalue(), mimetype="text/csv")

    patch.setitem(app.view_functions, "ledger.download", table)


def in_a_header(app: Flask, patch: pytest.MonkeyPatch) -> None:
    def elsewhere() -> Response:
        answer = make_response("", 303)
        answer.headers["Location"] = f"/pledges?guardian={read('child_cases')[0]['guardian_phone']}"
        return answer

    patch.setitem(app.view_functions, "pledges.show_programmes", elsewhere)


def on_an_error_page(_app: Flask, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(error_pages.MESSAGES, 404, NAME)


def in_a_refused_form(app: Flask, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(app.view_functions, "pledges.create_choice", lambda: (f"<p>{NAME}</p>", 422))


def in_a_log(app: Flask, patch: pytest.MonkeyPatch) -> None:
    def view() -> str:
        logging.getLogger("pledges").debug("dealt %s", NAME)
        return ""

    patch.setitem(app.view_functions, "pledges.show_programmes", view)


def in_a_line_of_ours(app: Flask, patch: pytest.MonkeyPatch) -> None:
    def view() -> str:
        structlog.get_logger("pledges").warning("dealt", child=NAME)
        return ""

    patch.setitem(app.view_functions, "pledges.show_programmes", view)


def in_a_failure(app: Flask, patch: pytest.MonkeyPatch) -> None:
    def view() -> str:
        raise ValueError(NAME)

    patch.setitem(app.view_functions, "pledges.show_programmes", view)


def in_a_message(_app: Flask, _patch: pytest.MonkeyPatch) -> None:
    in_transaction(messages.send, fact="leak", address="a@example.test", text=f"{NAME} 的手表到了")


def in_the_audit_log(_app: Flask, _patch: pytest.MonkeyPatch) -> None:
    in_transaction(audit.record, actor="test", action="x", subject="x", why=NAME)


def in_the_outbox(_app: Flask, _patch: pytest.MonkeyPatch) -> None:
    in_transaction(outbox.put, "leak", child=NAME)


PLANTS = (
    *(on_a_page, in_json, in_a_table, in_a_header, on_an_error_page, in_a_refused_form),
    *(in_a_log, in_a_line_of_ours, in_a_failure, in_a_message, in_the_audit_log, in_the_outbox),
)


@pytest.mark.parametrize("plant", [None, *PLANTS[:2], *in_full(*PLANTS[2:])])
def test_a_name_that_leaks_is_found(
    house: Flask,
    demonstration: Session,
    written: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[Flask, pytest.MonkeyPatch], None] | None,
) -> None:
    """The same eyes that find nothing in the house as it is: one leak is planted, and they see it."""
    if plant:
        plant(house, monkeypatch)
    crawl = Crawl(house, demonstration, "")
    crawl.look(["/pledges", "/api/v1/pledge-programmes", "/ledger.csv", "/pledges/nobody", "/nobody"])
    crawl.press(["/pledges/vouchers"])

    found = bool(crawl.leaks or kept(demonstration) or CANARIES.search(written.getvalue()))
    assert found == (plant is not None)


def test_refusals_say_nothing_either(demo_app: Flask, demonstration: Session, written: io.StringIO) -> None:
    client = demo_app.test_client()
    sign_in_as(client, demonstration.scalars(select(Person).where(Person.public_id == person_id("nominator"))).one())
    row = read("child_cases")[0]
    typed = {"name": row["name"], "school": row["school"], "guardian": row["guardian"], "identity_number": "1"}
    refused = post(client, "/children", typed | {"guardian_phone": "1"})
    assert refused.status_code == 422 and row["name"] in refused.text  # to whoever typed it, and to nobody else
    assert not CANARIES.search(written.getvalue())
    case = demonstration.scalars(select(ChildCase.public_id).where(ChildCase.county_code == "141124").limit(1)).one()
    answer = client.post(f"/children/{case}/readings", data={"why": "x"}, headers=OURS)
    assert answer.status_code in {400, 403} and not CANARIES.search(answer.text)


def test_the_one_door_opens_for_named_roles_and_leaves_a_trace(demo_app: Flask, demonstration: Session) -> None:
    case = demonstration.scalars(select(ChildCase).where(ChildCase.county_code == "141124").limit(1)).one()
    wanted = select(func.count()).select_from(AuditRecord).where(AuditRecord.action == "child_vault.read")
    before = demonstration.scalar(wanted) or 0
    for number, (name, opens) in enumerate({"children": True, "verifier": True, "bank": False, "auditor": False}.items()):
        client = demo_app.test_client()
        sign_in_as(client, demonstration.scalars(select(Person).where(Person.public_id == person_id(name))).one())
        answer = post(client, f"/children/{case.public_id}/readings", {"why": "核对监护人"})
        assert (answer.status_code, CANARY in answer.text) == ((200, True) if opens else (403, False)), name
        assert answer.headers["Cache-Control"] == "no-store"
        assert demonstration.scalar(wanted) == before + min(number + 1, 2)
        assert not opens or CANARY not in client.get(f"/children/{case.public_id}").text
    record = demonstration.scalars(select(AuditRecord).where(AuditRecord.action == "child_vault.read")).all()[-1]
    assert (record.why, record.detail["role"]) == ("核对监护人", "verifier") and not CANARIES.search(str(record.detail))


def test_the_database_holds_no_name_in_the_clear(demo_app: Flask, demonstration: Session) -> None:
    for table in Base.metadata.sorted_tables:
        rows: Any = demonstration.connection().execute(text(f'SELECT * FROM "{table.name}"'))
        assert not any(CANARIES.search(str(tuple(row))) for row in rows), table.name
    assert demonstration.scalar(select(func.count()).select_from(ChildVault)) == 60


def test_what_is_dealt_fits_five_children(demo_app: Flask, demonstration: Session) -> None:
    labels = {}
    for row in demonstration.scalars(select(Pledge)):
        labels[row.public_id] = (row.label["place"], row.label["age_band"], row.label["tier"])
    assert len(labels) == 9
    for place, band, tier in labels.values():
        behind = select(func.count()).select_from(ChildCase).where(ChildCase.county_code.startswith(place.rstrip("0")))
        behind = behind.where(ChildCase.age_band == band) if band else behind
        behind = behind.where(ChildCase.need_tier == tier) if tier else behind
        assert (demonstration.scalar(behind) or 0) >= 5
    assert db.session.scalar(select(func.count()).select_from(Partner).where(Partner.is_demo)) == 2
