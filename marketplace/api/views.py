"""The JSON face, what everybody may read: the same words and figures as the pages, errors as problem documents."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar, get_origin

from flask import Response, current_app, request
from flask_babel import gettext as _
from pydantic import BaseModel, ValidationError

from marketplace.accounts.permissions import requires
from marketplace.api import (
    gift_schemas,
    giving,
    groups,
    ledger_schemas,
    presale_schemas,
    presales,
    public_ledger,
    queries,
    review_schemas,
    reviews,
)
from marketplace.api.schemas import (
    CampaignsQuery,
    InvalidParameter,
    PledgeProgrammesAnswer,
    Problem,
    SearchQuery,
    StationsAnswer,
    SuggestQuery,
)
from marketplace.api.sentences import sentence
from marketplace.core import logs, page_cache
from marketplace.core.db import db

Asked = TypeVar("Asked", bound=BaseModel)


@requires("api.read")
def search() -> Response:
    asked = read(SearchQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags("goods")
    return answer(queries.search(db.session(), asked))


@requires("api.read")
def suggest() -> Response:
    asked = read(SuggestQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags("goods")
    return answer(queries.suggestions(asked.q))


@requires("api.read")
def show_listing(sku: str) -> Response:
    page_cache.tags(f"listing:{sku}")
    return answer(queries.listing(db.session(), sku))


@requires("api.read")
def list_groups(sku: str) -> Response:
    return answer(groups.of_listing(db.session(), sku))


@requires("api.read")
def show_group(group: str) -> Response:
    return answer(groups.group(db.session(), group))


@requires("api.read")
def list_reviews(sku: str) -> Response:
    asked = read(review_schemas.ReviewsQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags(f"listing:{sku}")
    return answer(reviews.of_listing(db.session(), sku, asked))


@requires("api.read")
def list_stations() -> Response:
    page_cache.tags("stations")
    items = queries.stations(db.session())
    return answer(StationsAnswer(total=len(items), items=items))


@requires("api.read")
def list_campaigns() -> Response:
    asked = read(CampaignsQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags("giving", "stations")
    return answer(giving.campaigns(db.session(), asked))


@requires("api.read")
def show_campaign(campaign: str) -> Response:
    page_cache.tags("stations", f"campaign:{campaign}")
    return answer(giving.campaign(db.session(), campaign))


@requires("api.read")
def show_campaign_ledger(campaign: str) -> Response:
    asked = read(ledger_schemas.LedgerQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags("ledger", "giving")
    return answer(public_ledger.rows(db.session(), campaign, asked))


@requires("api.read")
def list_public_gifts(campaign: str) -> Response:
    asked = read(ledger_schemas.LedgerQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags("ledger", "giving")
    return answer(public_ledger.gifts(db.session(), campaign, asked))


@requires("api.read")
def list_disbursements(campaign: str) -> Response:
    asked = read(gift_schemas.DisbursementsQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags("ledger", "giving")
    return answer(public_ledger.disbursements(db.session(), campaign, asked))


@requires("api.read")
def show_ledger() -> Response:
    asked = read(ledger_schemas.WholeLedgerQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags("ledger", "giving")
    return answer(public_ledger.everything(db.session(), asked))


@requires("api.read")
def list_presales() -> Response:
    asked = read(presale_schemas.PresalesQuery)
    if isinstance(asked, Response):
        return asked
    page_cache.tags("presales", "stations")
    return answer(presales.presales(db.session(), asked))


@requires("api.read")
def show_presale(presale: str) -> Response:
    page_cache.tags(f"presale:{presale}", "stations")
    return answer(presales.presale(db.session(), presale))


@requires("api.read")
def list_pledge_programmes() -> Response:
    page_cache.tags("pledges")
    items = queries.pledge_programmes(db.session())
    return answer(PledgeProgrammesAnswer(total=len(items), items=items))


@requires("api.read")
def show_openapi() -> Response:
    from marketplace.api.openapi import document  # types of what others are sent; most processes are never asked

    page_cache.tags("openapi")
    return Response(json.dumps(document(), ensure_ascii=False), content_type="application/json")


def read(kind: type[Asked]) -> Asked | Response:
    """The parameters of this request, or the problem document that says which of them is wrong."""
    given: Mapping[str, Any] = {
        name: request.args.getlist(name) if get_origin(field.annotation) is list else request.args.get(name)
        for name, field in kind.model_fields.items()
        if name in request.args
    }
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        wrong = [InvalidParameter(pointer=f"?{each['loc'][0]}", detail=sentence(each)) for each in error.errors()]
        instance = f"urn:request:{logs.request_id()}"
        problem = Problem(title=str(_("A parameter is wrong.")), status=422, instance=instance, errors=wrong)
        return Response(problem.model_dump_json(), 422, content_type="application/problem+json")


def answer(content: BaseModel) -> Response:
    return current_app.response_class(content.model_dump_json(), content_type="application/json")
