"""A station does not agree to a claim: the canteen asks the province once, and its answer is the last."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.core.db import db, in_transaction
from marketplace.core.errors import NotFound, StaleState
from marketplace.notifications.models import Message
from marketplace.orders.cases import deciding, opening
from marketplace.orders.cases.finding import OwnPurchase, Reach
from marketplace.orders.cases.rules import Kind, Wish
from marketplace.orders.institutions import appealing, checking, keeping
from marketplace.orders.institutions.checking import Claim
from marketplace.orders.institutions.models import BillCredit, GoodsCheck
from marketplace.orders.institutions.states import CheckState
from marketplace.payments.models import Refund
from tests.factories import make_person, sign_in_as, signed_in
from tests.institutions.conftest import Canteen, differences
from tests.orders.casework import later
from tests.orders.conftest import JIXIAN, parcels, post


@dataclass(frozen=True)
class Refused:
    """One of three packs, by names that outlive rows."""

    canteen: Canteen
    number: str
    parcel: str
    check: str

    def ask(self, words: str = "箱子是湿的", **given: Any) -> None:
        whose = {"institution": self.canteen.public_id, "parcel": self.parcel, "person_id": self.canteen.payer.id}
        in_transaction(appealing.ask, **{**whose, **given}, words=words)

    def decide(self, *, grants: bool, **given: Any) -> None:
        whose = {"institution": self.canteen.row.id, "check": self.check, "person_id": self.canteen.operator.id}
        in_transaction(appealing.decide, **{**whose, **given}, grants=grants, why="照片看得清")

    @property
    def row(self) -> GoodsCheck:
        db.session.rollback()
        return db.session.scalars(select(GoodsCheck).where(GoodsCheck.public_id == self.check)).one()


@pytest.fixture
def refused(canteen: Canteen) -> Refused:
    return refuse(canteen)


def refuse(canteen: Canteen) -> Refused:
    number = canteen.order(apples=3)
    canteen.deliver(number)
    (parcel,) = parcels(number)
    name = parcel.public_id
    check = canteen.check(name, {parcel.lines[0].public_id: Claim(1, None, "damaged")})
    in_transaction(checking.answer, check=check, station=JIXIAN, agrees=False, why="没有坏", actor="test")
    return Refused(canteen, number, name, check)


def credits_and_refunds() -> tuple[int, int]:
    db.session.rollback()
    return len(db.session.scalars(select(BillCredit)).all()), len(db.session.scalars(select(Refund)).all())


def test_what_the_province_grants_comes_off_the_bill_once(refused: Refused) -> None:
    before = refused.canteen.row.outstanding_fen
    refused.ask()
    assert refused.canteen.row.outstanding_fen == before and credits_and_refunds() == (0, 0)

    refused.decide(grants=True)

    with pytest.raises(StaleState):
        refused.decide(grants=True)
    (credit,) = db.session.scalars(select(BillCredit)).all()
    assert (credit.quantity, credit.goods_fen, credit.reason) == (1, 3980, "damaged")
    assert refused.canteen.row.outstanding_fen == before - 3980
    assert (refused.row.state, refused.row.appeal_is_granted) == (CheckState.REJECTED, True)
    refused.canteen.shop.work()
    told = [text for text in db.session.scalars(select(Message.text)) if "省里认为你们有理" in text and "照片看得清" in text]
    assert len(told) == 1 and differences(refused.canteen) == []


def test_what_was_paid_meanwhile_goes_back(refused: Refused) -> None:
    refused.ask()
    statement = refused.canteen.bill()
    refused.canteen.pay(statement.public_id)

    refused.decide(grants=True)

    (refund,) = db.session.scalars(select(Refund)).all()
    assert (refund.fen, refund.reason) == (3980, "damaged")
    assert credits_and_refunds() == (0, 1)
    refused.canteen.shop.work()
    assert differences(refused.canteen) == []


def test_what_it_does_not_grant_changes_no_sum(refused: Refused) -> None:
    before = refused.canteen.row.outstanding_fen
    refused.ask()

    refused.decide(grants=False)

    assert refused.canteen.row.outstanding_fen == before and credits_and_refunds() == (0, 0)
    with pytest.raises(appealing.AskedAlready):
        refused.ask()
    assert differences(refused.canteen) == []


def test_who_may_not_ask_and_when(refused: Refused) -> None:
    stranger = refused.canteen.operator
    with pytest.raises(NotFound):
        refused.ask(person_id=stranger.id)
    with pytest.raises(StaleState):  # nobody has asked
        refused.decide(grants=True)
    with later(days=7, minutes=1), pytest.raises(appealing.TooLateToAsk):
        refused.ask()
    with pytest.raises(NotFound):
        refused.decide(grants=True, institution=0)
    whole = refused.canteen.order(apples=1)
    refused.canteen.deliver(whole)
    refused.canteen.accept_all(whole)
    with pytest.raises(StaleState):  # everything was accepted
        refused.ask(parcel=parcels(whole)[0].public_id)
    assert refused.row.appealed_at is None and credits_and_refunds() == (0, 0)


def test_nobody_answers_what_their_own_institution_claims_or_asks(canteen: Canteen) -> None:
    number = canteen.order(apples=3)
    canteen.deliver(number)
    (parcel,) = parcels(number)
    name, line = parcel.public_id, parcel.lines[0].public_id
    check = canteen.check(name, {line: Claim(1, None, "damaged")})
    clerk, operator = make_person("station_clerk"), make_person("operator")
    for each in (clerk, operator):
        whose: dict[str, Any] = {"institution": canteen.public_id, "person_id": canteen.payer.id, "role": keeping.PURCHASER}
        in_transaction(keeping.add_member, **whose, address=str(each.email))
    before, said = canteen.row.outstanding_fen, dict[str, Any](check=check, station=JIXIAN, why="看过了")
    for agrees in (True, False):
        with pytest.raises(keeping.OwnApplication):
            in_transaction(checking.answer_at_desk, **said, agrees=agrees, person_id=clerk.id)
    in_transaction(checking.answer_at_desk, **said, agrees=False, person_id=canteen.operator.id)
    refused = Refused(canteen, number, name, check)
    refused.ask()
    for grants in (True, False):
        with pytest.raises(keeping.OwnApplication):
            refused.decide(grants=grants, person_id=operator.id)
    assert (refused.row.state, refused.row.appeal_answered_at) == (CheckState.REJECTED, None)
    assert credits_and_refunds() == (0, 0) and canteen.row.outstanding_fen == before

    desk = f"/operator/institutions/{canteen.public_id}/checks/{check}"
    member, other = canteen.shop.browser(), canteen.shop.browser()
    sign_in_as(member, operator)
    sign_in_as(other, canteen.operator)
    assert (
        "申请人和本单位的人，不能定自己单位的事。" in member.get(desk).text
        and f'action="{desk}/judgement"' not in member.get(desk).text
    )
    assert post(member, f"{desk}/judgement", {"why": "看得清", "action": "grant"}).status_code == 303
    assert credits_and_refunds() == (0, 0) and f'action="{desk}/judgement"' in other.get(desk).text


def test_nor_is_a_case_of_what_it_has_paid_for_decided_by_one_of_its_members(canteen: Canteen) -> None:
    number, clerk = canteen.order(apples=2), make_person("station_clerk")
    canteen.deliver(number)
    canteen.accept_all(number)
    canteen.pay(canteen.bill().public_id)
    line = parcels(number)[0].lines[0].public_id
    said: dict[str, Any] = {"line": line, "words": "箱子是湿的", "pictures": [], "kind": Kind.WRONG, "quantity": 1}
    case = in_transaction(opening.open_case, number=number, wish=Wish.REFUND, actor="guest", **said)
    whose: dict[str, Any] = {"institution": canteen.public_id, "person_id": canteen.payer.id, "role": keeping.PURCHASER}
    in_transaction(keeping.add_member, **whose, address=str(clerk.email))
    with pytest.raises(OwnPurchase):
        in_transaction(deciding.refund, case=case, reach=Reach(station=JIXIAN), actor=f"person:{clerk.id}")
    assert credits_and_refunds() == (0, 0)
    in_transaction(deciding.refund, case=case, reach=Reach(station=JIXIAN), actor=f"person:{canteen.operator.id}")
    assert credits_and_refunds() == (0, 1)


def test_from_page_to_page(refused: Refused) -> None:
    canteen = refused.canteen
    cook, operator, auditor, clerk = (canteen.shop.browser() for _each in range(4))
    sign_in_as(cook, canteen.payer)
    sign_in_as(operator, canteen.operator)
    signed_in(auditor, "auditor")
    signed_in(clerk, "station_clerk", station=JIXIAN)
    mine = f"/institutions/{canteen.public_id}/parcels/{refused.parcel}"
    desk = f"/operator/institutions/{canteen.public_id}/checks/{refused.check}"
    assert f'action="{mine}/appeal"' in cook.get(mine).text

    wrong = post(cook, f"{mine}/appeal", {"appeal-words": " "})
    assert wrong.status_code == 422 and "写一写怎么回事" in wrong.text and refused.row.appealed_at is None
    assert f'action="{desk}/judgement"' not in operator.get(desk).text

    for _twice in range(2):
        assert post(cook, f"{mine}/appeal", {"appeal-words": "箱子是湿的"}).status_code == 303
    assert f'action="{mine}/appeal"' not in cook.get(mine).text and "省里还没有答复" in cook.get(mine).text
    assert f'href="{desk}"' in operator.get("/operator/institutions").text
    assert "箱子是湿的" in clerk.get(f"/station/checks/{refused.check}").text
    assert "箱子是湿的" in auditor.get(desk).text and f'action="{desk}/judgement"' not in auditor.get(desk).text

    for sent in ({"action": "grant"}, {"why": "看得清"}, {"why": "看得清", "action": "x"}):
        assert post(operator, f"{desk}/judgement", sent).status_code == 422
    assert post(auditor, f"{desk}/judgement", {"why": "看得清", "action": "grant"}).status_code == 403
    assert credits_and_refunds() == (0, 0)
    for _twice in range(2):
        assert post(operator, f"{desk}/judgement", {"why": "看得清", "action": "grant"}).status_code == 303

    assert credits_and_refunds() == (1, 0)
    for client, path in ((cook, mine), (operator, desk), (clerk, f"/station/checks/{refused.check}")):
        assert "省里认为单位有理" in client.get(path).text and "看得清" in client.get(path).text
    assert f'href="{desk}"' not in operator.get("/operator/institutions").text
