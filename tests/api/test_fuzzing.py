"""Schemathesis asks whatever the document allows, and what it does not: no failure of ours, no answer that is not
documented, and nothing is written for whoever brings no token."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi import checks
from sqlalchemy import func, select, update

from listings.sheets.models import ListingImport
from listings.sheets.states import ImportState
from marketplace.core import clock
from marketplace.core.db import Base, db, in_transaction
from marketplace.orders.models import Parcel
from marketplace.orders.states import ParcelState
from tests import factories
from tests.api.conftest import Program
from tests.api.trading import body_of
from tests.campaigns.conftest import build_fund
from tests.orders.conftest import Shop

Programs = Callable[..., Program]
pytestmark = pytest.mark.full
ROLES: list[tuple[str, ...]] = [(), ("seller",), ("station_clerk",), ("station_manager",), ("operator",), ("auditor",)]
EXAMPLES = 2
PLAIN = {"Accept-Encoding": "identity"}
WRITES = {"/carts", "/carts/{cart}", "/orders", "/orders/{number}", "/orders/{number}/payment", "/parcels/{number}"}
WRITES |= {"/parcels/{number}/steps", "/listings", "/listings/{sku}/submission", "/cases", "/cases/{case}"}
WRITES |= {"/imports", "/imports/{name}", *(f"/imports/{{name}}/{step}" for step in ("confirm", "drop", "undo"))}
WRITES |= {"/campaigns/{campaign}/gifts", "/gifts", "/gifts/{gift}", "/gifts/{gift}/payment"}
WRITES |= {"/campaigns/{campaign}/plans", "/plans", "/plans/{plan}"}
WRITES |= {f"/plans/{{plan}}/{step}" for step in ("amount", "pause", "continuation", "stop", "card")}
WRITES |= {"/presales/{presale}/places", "/places", "/places/{backing}"}
WRITES |= {f"/places/{{backing}}/{step}" for step in ("payment", "address", "end")}
DATA: list[CheckFunction] = [checks.positive_data_acceptance]  # a body may fit its type and still name what is not for sale


@pytest.fixture
def document(shop: Shop) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", shop.app)


def operations(document: Any) -> Iterator[Any]:
    """Those that want a token."""
    for found in document.get_all_operations():
        if found.ok().path in WRITES:
            yield found.ok()


def ask(operation: Any, headers: dict[str, str], known: dict[str, str], excluded: list[CheckFunction]) -> None:
    """Fitting and unfitting requests, about things that are there and things that are not."""
    for mode in GenerationMode:
        for path in ({}, known) if operation.path_parameters.items else ({},):
            fixed = {"path_parameters": path} if path else {}
            try:
                strategy = operation.as_strategy(mode, **fixed)
            except schemathesis.errors.SchemathesisError:
                continue  # nothing about it could be wrong

            @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(case=strategy)
            def run(case: Case[Any]) -> None:
                db.session.expire_all()
                # what was wrong about it was only that it came without our token
                is_mended = "Authorization" in headers and "Authorization" not in (case.headers or {})
                unjudged: list[CheckFunction] = [checks.negative_data_rejection] if is_mended else []
                case.call_and_validate(headers=headers | PLAIN, excluded_checks=[*excluded, *unjudged])

            run()


def everything() -> dict[str, int]:
    db.session.rollback()
    return {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0 for name, table in Base.metadata.tables.items()
    }


@pytest.mark.parametrize("roles", ROLES)
def test_nothing_fails_and_nothing_is_answered_that_is_not_written_down(
    shop: Shop, program: Programs, document: Any, roles: tuple[str, ...]
) -> None:
    someone = program(*roles)
    number = someone.post("/orders", body_of(shop)).get_json()["number"]
    listing = factories.make_listing(seller_id=someone.person and someone.person.id)
    campaign = build_fund(shop.app).open(ends_on=clock.today() + timedelta(days=60))
    gift = {"gift": someone.post(f"/campaigns/{campaign}/gifts", {"fen": 1}).get_json()["gift"]}
    plan = {"plan": someone.post(f"/campaigns/{campaign}/plans", {"fen": 1}).get_json()["plan"]}
    names = {
        **dict.fromkeys((path for path in WRITES if path.startswith("/plans/")), plan),
        "/campaigns/{campaign}/plans": {"campaign": campaign},
        "/campaigns/{campaign}/gifts": {"campaign": campaign},
        "/gifts/{gift}": gift,
        "/gifts/{gift}/payment": gift,
        "/orders/{number}": {"number": number},
        "/orders/{number}/payment": {"number": number},
        "/parcels/{number}": {"number": f"{number}-1"},
        "/parcels/{number}/steps": {"number": f"{number}-1"},
        "/listings/{sku}/submission": {"sku": listing.code},
    }
    if someone.person and "seller" in roles:
        sheet = {"name": sheet_of(someone.person.id)}
        names |= dict.fromkeys((path for path in WRITES if path.startswith("/imports/")), sheet)
    for operation in operations(document):
        ask(operation, someone.headers(), names.get(operation.path, {}), DATA)


def sheet_of(seller_id: int) -> str:
    """One that was compared, and shows nothing."""
    about = {"seller_id": seller_id, "station_code": factories.STATION, "file_name": "货.csv", "sheet": "gone"}
    return factories.make(ListingImport, about, {"state": ImportState.READY}).public_id


@pytest.mark.parametrize("authorization", ["", "Bearer pav_nobody"])
def test_without_a_token_nothing_is_written(shop: Shop, document: Any, authorization: str) -> None:
    before = everything()
    for operation in operations(document):
        ask(operation, {"Authorization": authorization} if authorization else {}, {}, DATA)
    assert everything() == before


def test_what_is_answered_is_what_the_document_says(shop: Shop, program: Programs, document: Any) -> None:
    """A day of a buyer and a station, each answer held against the document."""
    buyer, clerk = program(), program("station_clerk")

    def says(method: str, path: str, answer: Any) -> Any:
        document[path][method].validate_response(answer)
        return answer.get_json()

    lines = [{"sku": shop.apples, "quantity": 2}]
    cart = says("POST", "/carts", buyer.post("/carts", {"lines": lines}))["cart"]
    says("GET", "/carts/{cart}", buyer.get(f"/carts/{cart}?province=140000"))
    number = says("POST", "/orders", buyer.post("/orders", body_of(shop)))["number"]
    says("POST", "/orders/{number}/payment", buyer.post(f"/orders/{number}/payment"))
    shop.pay(number)
    shop.work()
    says("GET", "/orders/{number}", buyer.get(f"/orders/{number}"))
    says("POST", "/parcels/{number}/steps", clerk.post(f"/parcels/{number}-1/steps", {"step": "acceptance"}))
    says("GET", "/parcels/{number}", clerk.get(f"/parcels/{number}-1"))
    says("POST", "/parcels/{number}/steps", clerk.post(f"/parcels/{number}-1/steps", {"step": "acceptance"}))
    says("GET", "/parcels/{number}", buyer.get(f"/parcels/{number}-1"))
    wrong = {"order": number, "sku": shop.apples, "quantity": 1, "kind": "wrong", "words": "?"}
    says("POST", "/cases", buyer.post("/cases", wrong))
    in_transaction(lambda session: session.execute(update(Parcel).values(state=ParcelState.SHIPPED)))
    case = says("POST", "/cases", buyer.post("/cases", wrong))["case"]
    says("GET", "/cases/{case}", buyer.get(f"/cases/{case}"))
    seller = program("seller")
    assert seller.person
    sheet = sheet_of(seller.person.id)
    says("GET", "/imports/{name}", seller.get(f"/imports/{sheet}"))
    says("POST", "/imports/{name}/confirm", seller.post(f"/imports/{sheet}/confirm", {"again": 0}))
    assert says("POST", "/imports/{name}/drop", seller.post(f"/imports/{sheet}/drop"))["state"] == "dropped"
    says("POST", "/imports/{name}/undo", seller.post(f"/imports/{sheet}/undo"))
