"""The JSON face for programs whose person gives every month: each route one command or query, for whoever's token came."""

from flask import Response, g, request
from pydantic import ValidationError

from marketplace.accounts.tokens import TokenScope as Scope
from marketplace.api import gifts, plans
from marketplace.api.doors import Unfit, created, known_answer, once, read_body, with_token
from marketplace.api.plan_schemas import NewPlan, NewSum, PlansQuery
from marketplace.api.sentences import sentence
from marketplace.api.views import answer
from marketplace.api.views_giving import count_gift
from marketplace.core.db import db


@with_token("gift.give", Scope.GIFTS_WRITE)
def create_plan(campaign: str) -> Response:
    """Where the plan was made before under this key nothing is counted again."""
    asked = read_body(NewPlan)
    known = known_answer(db.session(), body=asked)
    if known is not None:
        return created(known, is_repeated=True)
    form = gifts.entered(asked, how_often="monthly")
    count_gift(form)
    giver = gifts.giver_of(form, g.person)
    return once(plans.make, body=asked, person=g.person, campaign=campaign, fen=asked.fen, giver=giver)


@with_token("plan.keep", Scope.READ, Scope.GIFTS_WRITE)
def list_plans() -> Response:
    try:
        asked = PlansQuery.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise Unfit(*((f"?{each['loc'][0]}", sentence(each)) for each in error.errors())) from None
    return answer(plans.page(db.session(), g.person, asked))


@with_token("plan.keep", Scope.READ, Scope.GIFTS_WRITE)
def show_plan(plan: str) -> Response:
    return answer(plans.show(db.session(), person=g.person, plan=plan))


@with_token("plan.keep", Scope.GIFTS_WRITE)
def create_plan_amount(plan: str) -> Response:
    """What was changed before under this key is not asked about again, though more than that may be there by now."""
    asked = read_body(NewSum)
    known = known_answer(db.session(), body=asked)
    if known is not None:
        return created(known, is_repeated=True)
    amount = plans.entered(db.session(), person=g.person, plan=plan, asked=asked)
    return once(plans.change, body=asked, person=g.person, plan=plan, amount=amount)


@with_token("plan.keep", Scope.GIFTS_WRITE)
def create_plan_pause(plan: str) -> Response:
    return once(plans.take, body=None, person=g.person, plan=plan, step="pause")


@with_token("plan.keep", Scope.GIFTS_WRITE)
def create_plan_continuation(plan: str) -> Response:
    return once(plans.take, body=None, person=g.person, plan=plan, step="continuation")


@with_token("plan.keep", Scope.GIFTS_WRITE)
def create_plan_stop(plan: str) -> Response:
    return once(plans.take, body=None, person=g.person, plan=plan, step="stop")


@with_token("plan.keep", Scope.GIFTS_WRITE)
def create_plan_card(plan: str) -> Response:
    """Another card: the one that is kept is forgotten, the next gift comes by a link."""
    return once(plans.take, body=None, person=g.person, plan=plan, step="card")
