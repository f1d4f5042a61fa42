"""The demonstration's deposit pledges: partners, programmes, children who do not exist, devices, vouchers, and a few weeks
that are lived through the real commands with the clock set back."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.pledges import children, devices, seeds, shelves, vault
from crowdfund.pledges.children import Officer
from crowdfund.pledges.choosing import number_hash
from crowdfund.pledges.models import Agreement, ChildCase, Device, DeviceModel, Partner, Programme, Voucher
from crowdfund.pledges.numbers import WEIGHTS, normalise
from crowdfund.pledges.states import NEEDED, CaseState, DeviceState, VoucherState
from crowdfund.pledges.steps import begin, move
from crowdfund.pledges.vault import Identity
from marketplace.core import clock
from marketplace.demo import pledge_lives
from marketplace.demo.people import ids_of, person_id
from marketplace.demo.tables import Row, add_missing, read

OPENED: Final = 60  # days ago
STAGES: Final = ("nominated", "consented", "verified", "listed")
CHARITY: Final = ("演示青少年基金会", "Demo Youth Foundation")
ACTOR: Final = "demo"


def load(session: Session) -> None:
    """Once: where any partner is known already, nothing is added."""
    if session.scalar(select(Partner.code).limit(1)) is not None:
        return
    add_partners(session)
    for day in range(15, 0, -1):
        with clock.at(noon(day)):
            seeds.provide(session)
    add_children(session)
    add_devices(session)
    add_vouchers(session)
    pledge_lives.play(session, noon)
    seeds.provide(session)


def noon(days_ago: int) -> datetime:
    return datetime.combine(clock.today() - timedelta(days=days_ago), time(12), clock.SHANGHAI)


def add_partners(session: Session) -> None:
    today = clock.today()
    add_missing(
        session,
        Partner.code,
        [row | {"voucher_length": int(row["voucher_length"]), "is_demo": True} for row in read("partners")],
    )
    model = {"code": "watch-a1", "name_zh": "电话手表 A1", "name_en": "Phone-watch A1", "is_approved": True}
    add_missing(session, DeviceModel.code, [model | {"security_checked_on": today - timedelta(days=70)}])
    for row in read("agreements"):
        agreement = Agreement(
            public_id=person_id(row["code"]),
            partner_code=row["partner"],
            charity_zh=CHARITY[0],
            charity_en=CHARITY[1],
            model_code=row["model"],
            quota=int(row["quota"]),
            unit_value_fen=int(row["unit_value_fen"]),
            signed_on=today - timedelta(days=OPENED + 20),
            file_hash=hashlib.sha256(row["code"].encode()).hexdigest(),
        )
        session.add(agreement)
        session.flush()
        with clock.at(noon(OPENED)):
            shelves.promise(session, agreement)
        names = {"code": row["programme"], "name_zh": row["name_zh"], "name_en": row["name_en"]}
        programme = Programme(**names, agreement_id=agreement.id, quota=agreement.quota, claimed=0)
        programme.minimum_band, programme.term_months, programme.claim_days = row["minimum_band"], 12, 60
        programme.hold_minutes, programme.pickup_days = 30, 30
        programme.opens_on, programme.closes_on = today - timedelta(days=OPENED), today + timedelta(days=300)
        session.add(programme)
    session.flush()


def add_children(session: Session) -> None:
    """Named by the nominator, verified by the verifier, listed by the officer, some only so far."""
    who = ids_of(session, [person_id(name) for name in ("nominator", "verifier", "children")])
    nominator, verifier, keeper = (officer(name, who[person_id(name)]) for name in ("nominator", "verifier", "children"))
    for number, row in enumerate(read("child_cases"), 1):
        waited = int(row["waiting_days"])
        case = ChildCase(
            public_id=person_id(f"case-{number}"),
            alias_zh=row["alias_zh"],
            alias_en=row["alias_en"],
            county_code=row["county_code"],
            station_code=row["county_code"],
            age_band=children.age_band(born(row), clock.today()),
            need_tier=int(row["tier"]),
            need=row["need"],
            waiting_since=clock.today() - timedelta(days=waited),
            state=CaseState.NOMINATED,
            nominator_id=nominator.person_id,
        )
        with clock.at(noon(max(waited, 16))):
            begin(session, case, actor=nominator.actor, why="nominated")
            vault.put(session, case, identity(row, number), guardian_ending=f"G{number:05}")
            stage = STAGES.index(row["stage"])
            if stage >= 1:
                allowed, signs = sorted(NEEDED), ("grandparent", "paper")
                consent = {"case": case.public_id, "guardian": signs[0], "method": signs[1]}
                children.give_consent(session, officer=nominator, purposes=allowed, **consent)
            if stage >= 2:
                children.verify(session, officer=verifier, case=case.public_id)
            if stage >= 3:
                children.list_case(session, officer=keeper, case=case.public_id)


def officer(name: str, number: int) -> Officer:
    return Officer(number, f"person:{person_id(name)}", frozenset(), frozenset(), reaches_all=True)


def born(row: Row) -> date:
    month, day = (int(part) for part in row["birthday"].split("-"))
    today = clock.today()
    return date(today.year - int(row["age"]) - ((today.month, today.day) < (month, day)), month, day)


def identity(row: Row, number: int) -> Identity:
    """Nobody's: the region of the identity number does not exist, the phone number is nobody's either."""
    body = f"999999{born(row):%Y%m%d}{number:03}"
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]
    kept = {name: row[name] for name in ("name", "school", "guardian", "guardian_phone")}
    return Identity(**kept, identity_number=f"{body}{check}", birth_date=born(row))


def add_devices(session: Session) -> None:
    agreements = {row.public_id: row.id for row in session.scalars(select(Agreement))}
    for row in read("devices"):
        device = Device(public_id=person_id(row["imei"]), imei=row["imei"], iccid=row["iccid"], model_code=row["model"])
        device.lot, device.agreement_id, device.state = (
            row["lot"],
            agreements[person_id(row["agreement"])],
            DeviceState.COMMITTED,
        )
        with clock.at(noon(40)):
            begin(session, device, actor=ACTOR, why="promised")
        with clock.at(noon(20)):
            if row["state"] in {"received", "checked"}:
                devices.receive(session, device=device.public_id, actor=ACTOR)
            if row["state"] == "checked":
                devices.check(session, device=device.public_id, actor=ACTOR)


def add_vouchers(session: Session) -> None:
    """What banks have issued; some they have vouched for already, at the counter."""
    lengths = {row.code: row.voucher_length for row in session.scalars(select(Partner))}
    for row in vouchers():
        number = normalise(row["number"], lengths[row["bank"]])
        issued = clock.today() - timedelta(days=int(row["issued_days_ago"]))
        voucher = Voucher(bank_code=row["bank"], number_hash=number_hash(row["bank"], number), last4=number[-4:])
        voucher.public_id, voucher.state, voucher.cancellations = person_id(row["number"]), VoucherState.CLAIMED, 0
        voucher.branch, voucher.band, voucher.issued_on = row["branch"], row["band"], issued
        voucher.expires_on = issued + timedelta(days=60)
        with clock.at(noon(int(row["issued_days_ago"]))):
            begin(session, voucher, actor=ACTOR, why="issued")
            if row["state"] == "verified":
                voucher.confirmed_at = clock.now()
                move(session, voucher, VoucherState.CLAIMED, VoucherState.VERIFIED, actor=ACTOR, why="issued")


def vouchers() -> Iterator[Row]:
    yield from read("vouchers")
