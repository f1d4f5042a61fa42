"""The demonstration's own giving, all of it, in an empty house."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdfund.campaigns.matching import deciding
from crowdfund.campaigns.matching.models import MatchingFund
from crowdfund.campaigns.matching.waiting_models import HeldMatch
from crowdfund.campaigns.mirrors.models import MirrorTotal
from crowdfund.campaigns.models import Campaign, Contribution
from crowdfund.campaigns.moving import reading, writing
from crowdfund.campaigns.states import ContributionState, FundState, HeldState, PlaceState, TermState
from crowdfund.campaigns.students import proofs, publishing, set_aside
from crowdfund.campaigns.students.models import EnrolmentProof, SchoolTerm, StudentPlace
from marketplace.core.db import db, in_transaction
from marketplace.demo import students
from marketplace.demo.together import DIRECTED
from tests.auditing.test_giving import named
from tests.campaigns.moving.conftest import Opens, empty, other, seal
from tests.campaigns.moving.test_moving import figures, ledger, quiet
from tests.conftest import make
from tests.databases import PostgresServer, SQLiteFiles, close
from tests.factories import make_person
from tests.public_ledger import written

__all__ = ["empty", "other"]
pytestmark = pytest.mark.full


@pytest.fixture
def lived(databases: SQLiteFiles | PostgresServer, gifts_app: Flask) -> Iterator[Session]:
    """A copy, since what waits is decided in it."""
    close(gifts_app)
    app = make(url := databases.create(gifts_app.config["SQLALCHEMY_DATABASE_URI"]))
    with app.app_context():
        decide_what_waits()
        seal()
        yield db.session()
    close(app)
    databases.drop(url)


def decide_what_waits() -> None:
    """An export is of a house at rest."""
    decided: dict[str, Any] = {"held": db.session.scalars(select(HeldMatch.public_id)).one(), "person": make_person().id}
    in_transaction(deciding.decide, verdict=HeldState.RELEASED, why="问过了", **decided)


def shown(campaigns: list[str]) -> list[Any]:
    """Every campaign's figures, what it has set aside, and what platforms brought."""
    session = db.session()
    totals = session.execute(select(MirrorTotal.campaign_id, MirrorTotal.fen, MirrorTotal.gifts))
    aside = {name: set_aside.of_campaign(session, number, book="test") for number, name in numbers(session)}
    return [figures(*campaigns), aside, sorted(tuple(row) for row in totals), writing.balances(session)]


def numbers(session: Session) -> list[Any]:
    return list(session.execute(select(Campaign.id, Campaign.public_id).order_by(Campaign.id)))


@pytest.mark.parametrize("where", ["empty", "other"])
def test_the_demonstration_moves(lived: Session, tmp_path: Path, where: str, request: pytest.FixtureRequest) -> None:
    campaigns = [name for _number, name in numbers(lived)]
    received = list(lived.scalars(select(Contribution.public_id).where(Contribution.state == ContributionState.RECEIVED)))
    writing.export(tmp_path / "export", quiet)
    had, files = shown(campaigns), ledger()
    db.session.remove()
    opens: Opens = request.getfixturevalue(where)
    with opens() as app:
        reading.read_in(tmp_path / "export", quiet)
        assert shown(campaigns) == had and len(campaigns) == 17
        assert ledger() == files and [written.complaint(file) for file in files] == ["", ""]
        session = db.session()
        assert sorted(session.scalars(select(Contribution.public_id))) == sorted(received)
        assert set(session.scalars(select(StudentPlace.state))) == {PlaceState.OFFERED}
        assert sorted(session.scalars(select(SchoolTerm.state))) == [TermState.ENROLLED, TermState.OPENED]
        assert sorted(session.scalars(select(EnrolmentProof.verdict))) == ["accepted", "dropped"]
        assert list(session.scalars(select(MatchingFund.state))) == [FundState.ACTIVE]
        session.rollback()  # the audit's own tests drop triggers, and wait for whoever reads
        assert named() == set()
        answers = {name: app.test_client().get(f"/campaigns/{name}").status_code for name in campaigns}
        assert {name for name, answer in answers.items() if answer != 200} == {DIRECTED} and answers[DIRECTED] == 403
        whom_a_place_means_is_said_again()


def whom_a_place_means_is_said_again() -> None:
    """By the first proof of its term; from then on no other number is taken, for this place or for another."""
    about = select(SchoolTerm.public_id, StudentPlace.id).join(StudentPlace, StudentPlace.id == SchoolTerm.place_id)
    term, place = db.session.execute(about.where(SchoolTerm.state == TermState.OPENED)).one()
    paper: dict[str, Any] = {"raw": students.PAPER, "officer_id": make_person().id}
    proof: dict[str, Any] = {"term": term, "organisations": students.ORGANISATIONS, **paper}
    in_transaction(proofs.add, student_number="DEMO000002", **proof)
    assert db.session.get_one(StudentPlace, place).student == publishing.print_of("DEMO000002")
    db.session.rollback()
    with pytest.raises(proofs.OtherStudent):
        in_transaction(proofs.add, student_number="DEMO000009", **proof)
    db.session.rollback()
    assert named() == set()
