"""The JSON face for what comes with files: cases of buyers, sheets of sellers."""

from collections.abc import Callable
from typing import Any

from flask import Response, g, request
from pydantic import ValidationError

from listings.sheets import receiving
from marketplace.accounts.rate_limits import HOUR, hit
from marketplace.accounts.tokens import TokenScope as Scope
from marketplace.api import buying, complaining, importing
from marketplace.api.doors import Unfit, created, known_answer, once, read_body, with_token
from marketplace.api.import_schemas import ImportConfirmation, ImportQuery
from marketplace.api.sentences import sentence
from marketplace.api.views import answer
from marketplace.core.db import db


@with_token("case.ask", Scope.CASES_WRITE)
def create_case() -> Response:
    """Pictures are re-encoded before the transaction, and not again for a request that was answered before."""
    asked, sent = complaining.read()
    known = known_answer(db.session(), body=asked)
    if known is not None:
        return created(known, is_repeated=True)
    hit("case.open", buying.get_own(db.session(), g.person, asked.order).number, limit=30, seconds=HOUR)
    made = complaining.reencoded(sent)
    return once(complaining.open_case, body=asked, person=g.person, asked=asked, made=made)


@with_token("case.ask", Scope.READ, Scope.CASES_WRITE)
def show_case(case: str) -> Response:
    return answer(complaining.show(db.session(), person=g.person, case=case))


@with_token("listing.import", Scope.LISTINGS_WRITE)
def create_import() -> Response:
    hit("imports", g.person.public_id, limit=60, seconds=HOUR)
    asked, sent = importing.read()
    return importing.receive_once(asked, sent, person_id=g.person.id)


@with_token("listing.import", Scope.READ, Scope.LISTINGS_WRITE)
def show_import(name: str) -> Response:
    given = {key: request.args[key] for key in ImportQuery.model_fields if key in request.args}
    try:
        asked = ImportQuery.model_validate(given)
    except ValidationError as error:
        raise Unfit(*((f"?{each['loc'][0]}", sentence(each)) for each in error.errors())) from None
    return answer(importing.report(db.session(), name=name, person_id=g.person.id, asked=asked))


@with_token("listing.import", Scope.LISTINGS_WRITE)
def confirm_import(name: str) -> Response:
    asked = read_body(ImportConfirmation)
    return step(receiving.confirm, name, body=asked, only_good=asked.only_good, again=asked.again)


@with_token("listing.import", Scope.LISTINGS_WRITE)
def drop_import(name: str) -> Response:
    done = step(receiving.drop, name, body=None)
    importing.drop_files(name, g.person.id)
    return done


@with_token("listing.import", Scope.LISTINGS_WRITE)
def undo_import(name: str) -> Response:
    return step(receiving.undo, name, body=None)


def step(command: Callable[..., None], name: str, *, body: Any, **given: Any) -> Response:
    return once(importing.take_step, body=body, command=command, name=name, person_id=g.person.id, **given)
