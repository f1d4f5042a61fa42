"""The list of the day: what a phone needs, and nothing that names a person or opens anything else."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from marketplace.core import clock
from marketplace.orders.models import Parcel
from marketplace.orders.offline import manifest, pickup_keys
from marketplace.orders.offline.models import PickupNumber
from marketplace.orders.states import ParcelState as S
from marketplace.payments.disputes.models import Dispute
from marketplace.payments.disputes.states import DisputeState
from marketplace.payments.models import Attempt
from marketplace.payments.states import AttemptState
from tests import factories
from tests.offline.conftest import OURS, TO_THE_BUYER, TO_THE_SHELF, MakePhone, make_parcel, state_of


def test_it_holds_what_is_to_be_done_and_how(make_phone: MakePhone) -> None:
    phone = make_phone()
    new = make_parcel(delivery="courier")
    shelved = make_parcel(*TO_THE_SHELF)
    done = make_parcel(*TO_THE_BUYER, delivery="courier")

    found = phone.list()

    by_id = {parcel["id"]: parcel for parcel in found["parcels"]}
    assert by_id.keys() == {new.public_id, shelved.public_id} and done.public_id not in by_id
    assert by_id[new.public_id] == {
        "id": new.public_id,
        "label": f"{new.order.number}-1",
        "state": "awaiting_acceptance",
        "steps": 0,
        "delivery": "courier",
        "shelf": "",
        "by": new.leave_by.isoformat(),
        "lines": [{"title": "红富士苹果", "unit": "5斤箱", "left": 1}],
        "pickup": None,
        "note": "",
    }
    code = shelved.pickup_code or ""
    assert by_id[shelved.public_id]["pickup"] == {"number": code[:3], "day": clock.today().isoformat()}
    assert (by_id[shelved.public_id]["steps"], by_id[shelved.public_id]["shelf"]) == (4, "B-03")
    key = base64.b64decode(found["pickup_keys"][clock.today().isoformat()])
    assert pickup_keys.proof(key, code[:3]) == code[3:]
    assert [queue["dated"] for queue in found["queues"]] == [True, True, True, True, False, True]
    steps = {step["name"]: step for step in found["steps"]}
    number = {"name": "tracking_number", "label": "快递单号", "least": 6, "most": 40, "pattern": "^[A-Za-z0-9-]+$"}
    assert steps["dispatch"]["fields"][1] == number and steps["packing"]["fields"][0]["most"] == 12
    assert {"refusal", "return", "loss"}.isdisjoint(steps)
    assert [step["name"] for step in found["steps"] if step["here"] == "ready_for_pickup"] == ["pickup", "no-show"]


def test_a_code_of_before_has_a_verifier(make_phone: MakePhone, session: Session) -> None:
    phone = make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    session.query(PickupNumber).delete()
    parcel.pickup_code = "042917"
    session.commit()

    found = phone.list()

    key = base64.b64decode(found["pickup_keys"][found["day"]])
    expected = hmac.new(key, f"{parcel.public_id}:042917".encode(), hashlib.sha256).hexdigest()
    assert found["parcels"][0]["pickup"] == {"verifier": expected}
    assert "042917" not in json.dumps(found)


def test_it_names_nobody_and_opens_no_parcel_by_itself(make_phone: MakePhone) -> None:
    phone = make_phone()
    parcel = make_parcel(*TO_THE_SHELF)
    said = json.dumps(phone.list(), ensure_ascii=False)

    names = ("郭晓芸", "13835172045", "平阳路", "太原", "冯建国", "人物", parcel.pickup_code or "")
    assert [name for name in names if name in said] == []


def test_the_page_is_alike_for_everybody_and_is_the_only_one_that_is_kept(make_phone: MakePhone) -> None:
    one, other = make_phone().client, make_phone("station_manager").client
    pages = {re.sub(r'name="csrf_token" value="[^"]*"', "", client.get("/station/offline").text) for client in (one, other)}
    assert len(pages) == 1
    (page,) = pages
    assert "人物" not in page and "csrf" not in page

    worker = one.get("/station/worker.js")
    assert worker.headers["Cache-Control"] == "no-cache" and worker.mimetype == "text/javascript"
    listed = re.search(r"const SHELL = \[(.*)\];", worker.text)
    assert listed
    kept = [address.strip('" ') for address in listed[1].split(",")]
    assert kept[0] == "/station/offline" and all(address.startswith("/static/") for address in kept[1:])
    for address in kept[1:]:
        with one.get(address) as answer:
            assert answer.status_code == 200


def test_what_is_still_to_be_said_is_not_kept_with_the_page(make_phone: MakePhone) -> None:
    """It is somebody's, and is said on the next page that no phone keeps."""
    phone = make_phone()
    parcel = make_parcel()
    phone.list()
    form = {"csrf_token": phone.token}
    phone.client.post(f"/station/parcels/{parcel.public_id}/acceptance", data=form, headers=OURS)

    assert "好了。" not in phone.client.get("/station/offline").text
    assert "好了。" in phone.client.get("/station").text


def test_what_is_installed_reaches_no_further_than_the_desk(client: FlaskClient) -> None:
    answer = client.get("/station/offline/app.webmanifest")

    assert answer.mimetype == "application/manifest+json" and answer.json
    assert (answer.json["scope"], answer.json["start_url"]) == ("/station/", "/station/offline")
    assert not "/stations".startswith(answer.json["scope"])
    worker = client.get("/station/worker.js")  # which leaves /stations alone: test_in_browser
    assert worker.headers["Service-Worker-Allowed"] == "/station"


def test_only_desks_load_the_desks_script(client: FlaskClient) -> None:
    assert "js/desk" not in client.get("/").text
    assert "js/desk." not in client.get("/sign-in").text


def test_signing_out_empties_the_browser(make_phone: MakePhone) -> None:
    phone = make_phone()
    phone.list()
    form = {"csrf_token": phone.token}
    answer = phone.client.post("/sign-out", data=form, headers={"Sec-Fetch-Site": "same-origin"})

    assert answer.status_code == 303 and answer.headers["Clear-Site-Data"] == '"storage"'
    assert phone.client.get("/station/offline/day").status_code == 302


def test_wherever_staff_sign_out_they_are_told_what_would_be_lost() -> None:
    """The page of the second factor as well: what another session wrote may still be in the phone."""
    pages = [path.read_text("utf-8") for path in Path("templates").rglob("*.html")]
    out = [page for page in pages if "sign_in.create_sign_out" in page]
    assert out and all("data-desk-waits" in page and "js/desk-leaving.js" in page for page in out)


def test_each_person_and_station_has_a_seal_of_its_own(make_phone: MakePhone) -> None:
    mine, other = make_phone(), make_phone()
    assert mine.list()["seal"] == mine.list()["seal"] != other.list()["seal"]
    assert mine.list()["owner"] != other.list()["owner"]


def test_a_list_costs_the_same_however_long_it_is(
    make_phone: MakePhone, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    phone = make_phone()
    make_parcel(*TO_THE_SHELF)
    phone.list()
    with count_statements() as one:
        phone.list()
    for _ in range(3):
        make_parcel(*TO_THE_SHELF)
    with count_statements() as four:
        phone.list()
    assert len(one) == len(four)


def test_what_a_bank_disputes_is_marked_and_a_step_on_it_is_a_conflict(
    make_phone: MakePhone,
) -> None:
    phone = make_phone()
    calm, disputed = make_parcel(*TO_THE_SHELF), make_parcel(*TO_THE_SHELF)
    dispute(disputed)

    notes = {parcel["id"]: parcel["note"] for parcel in phone.list()["parcels"]}

    assert notes == {calm.public_id: "", disputed.public_id: "先别动：买家的银行对这笔付款有争议。不要发出，也不要交给人。"}
    act = phone.act("pickup", disputed.public_id, 4, code=disputed.pickup_code or "")
    assert phone.send_one(act) == ("conflict", "disputed")
    assert "买家的银行" in phone.client.get("/station/conflicts").text
    assert state_of(disputed) is S.READY_FOR_PICKUP


def dispute(parcel: Parcel) -> None:
    """Its payer's bank has taken the money, undecided."""
    paid = {"gateway": "sandbox", "purpose": "order", "reference": parcel.order.number, "fen": 3980, "book": "test"}
    attempt = factories.make(Attempt, paid | {"state": AttemptState.SUCCEEDED, "currency": "CNY"}, {})
    taken = {"gateway": "sandbox", "remote_id": "dp_1", "attempt_id": attempt.id, "fen": 3980, "currency": "CNY"}
    state = {"state": DisputeState.NEEDS_RESPONSE, "reason": "product_not_received", "raw_status": "needs_response"}
    factories.make(Dispute, taken | state, {})


def test_a_full_list_says_how_many_more_wait(make_phone: MakePhone, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = make_phone()
    for _ in range(3):
        make_parcel(*TO_THE_SHELF)
    assert (len(phone.list()["parcels"]), phone.list()["left_out"]) == (3, 0)
    monkeypatch.setattr(manifest, "MOST", 2)
    assert (len(phone.list()["parcels"]), phone.list()["left_out"]) == (2, 1)


def test_whoever_works_at_no_station_gets_no_list(client: FlaskClient) -> None:
    factories.make_station()
    factories.signed_in(client, "seller")
    assert client.get("/station/offline/day").status_code == 403
