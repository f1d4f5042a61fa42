"""The OpenAPI 3.1 document, put together from the types of `schemas`: one source for what is said and what is done."""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from marketplace.accounts.tokens import TokenScope as Scope
from marketplace.api import (
    gift_schemas,
    group_schemas,
    ledger_schemas,
    openapi_events,
    openapi_writing,
    plan_schemas,
    presale_schemas,
    review_schemas,
    schemas,
)
from marketplace.api.event_schemas import EVENTS
from marketplace.api.openapi_writing import LANGUAGE, PROBLEMS, REF, content, problem
from marketplace.api.place_schemas import NewPlace, PlaceAnswer

DESCRIPTION: Final = (
    "Goods, stations, presales, campaigns and the public ledger are for everybody to read. Carts, orders, places, gifts, "
    "parcels, cases, listings and sheets want a token, and every POST a key of its own (`Idempotency-Key`), under which "
    "it is done once. "
    "Sums are whole fen. The cookie `lang=en` gives English words, in answers and in problems alike; without it they are "
    "Chinese, as on the pages. "
    "Accept-Language is not asked. A problem (RFC 9457) is known by its `status` and `type` and by the `pointer` of its "
    "errors, whatever the language of its sentences."
)
ANSWERS: Final[tuple[type[BaseModel], ...]] = (
    schemas.SearchAnswer,
    schemas.SuggestAnswer,
    schemas.ListingAnswer,
    group_schemas.GroupsAnswer,
    group_schemas.GroupAnswer,
    schemas.StationsAnswer,
    schemas.CampaignsAnswer,
    schemas.CampaignAnswer,
    ledger_schemas.LedgerAnswer,
    ledger_schemas.WholeLedgerAnswer,
    gift_schemas.PublicGiftsAnswer,
    gift_schemas.DisbursementsAnswer,
    presale_schemas.PresalesAnswer,
    presale_schemas.PresaleAnswer,
    schemas.PledgeProgrammesAnswer,
    review_schemas.ReviewsAnswer,
    schemas.Problem,
)


@cache
def document() -> dict[str, Any]:
    """The whole document, as JSON-able content."""
    answers, bodies = (*ANSWERS, *openapi_writing.ANSWERS, *EVENTS.values()), openapi_writing.BODIES
    kinds = [*((kind, "serialization") for kind in answers), *((kind, "validation") for kind in bodies)]
    _names, definitions = models_json_schema(kinds, ref_template=REF)  # type: ignore[arg-type]
    for name, words in words_of(kind.__module__ for kind, _mode in kinds):
        if name in definitions["$defs"]:
            definitions["$defs"][name]["description"] = words
    sku = {"name": "sku", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 40}}
    one = {"name": "campaign", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 40}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shanxi Youth Pavilion",
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "paths": {
            "/search": path("Find goods", "search", schemas.SearchAnswer, parameters(schemas.SearchQuery), 422),
            "/suggest": path("Continue a word", "suggest", schemas.SuggestAnswer, parameters(schemas.SuggestQuery), 422),
            "/listings/{sku}": path("One listing", "listing", schemas.ListingAnswer, [sku], 404),
            "/listings/{sku}/groups": path("Its open groups", "listing_groups", group_schemas.GroupsAnswer, [sku], 404),
            "/groups/{group}": path("One group", "group", group_schemas.GroupAnswer, [{**sku, "name": "group"}], 404),
            "/listings/{sku}/reviews": path(
                "What people say who received it, the latest first",
                "listing_reviews",
                review_schemas.ReviewsAnswer,
                [sku, *parameters(review_schemas.ReviewsQuery)],
                404,
                422,
            ),
            "/stations": path("All stations", "stations", schemas.StationsAnswer, []),
            "/campaigns": path("Campaigns", "campaigns", schemas.CampaignsAnswer, parameters(schemas.CampaignsQuery), 422),
            "/campaigns/{campaign}": path("One campaign", "campaign", schemas.CampaignAnswer, [one], 404),
            "/campaigns/{campaign}/ledger": path(
                "A campaign's public ledger, the newest row first",
                "campaign_ledger",
                ledger_schemas.LedgerAnswer,
                [{**sku, "name": "campaign"}, *parameters(ledger_schemas.LedgerQuery)],
                404,
                422,
            ),
            **giving_paths([{**sku, "name": "campaign"}]),
            **presale_paths([{**sku, "name": "presale"}]),
            "/pledge-programmes": path("Deposit pledges", "pledgeProgrammes", schemas.PledgeProgrammesAnswer, []),
        }
        | openapi_writing.paths(),
        "webhooks": openapi_events.webhooks(),
        "components": {"schemas": definitions["$defs"], "securitySchemes": openapi_writing.SECURITY},
    }


def giving_paths(one: list[Any]) -> dict[str, Any]:
    """What everybody may read of gifts and of what they paid; and how a program gives."""
    gifts, rows, plans = gift_schemas, ledger_schemas, plan_schemas
    newest = "A campaign's gifts as the public ledger has them, the newest first"
    paid = "What a campaign has paid, line by line, with the hashes of what proves it"
    return {
        "/campaigns/{campaign}/gifts": path(
            newest, "campaign_gifts", gifts.PublicGiftsAnswer, [*one, *parameters(rows.LedgerQuery)], 404, 422
        )
        | openapi_writing.post(
            "createGift", "Begin a gift", gifts.GiftMade, Scope.GIFTS_WRITE, body=gifts.NewGift, takes=one
        ),
        "/campaigns/{campaign}/plans": openapi_writing.post(
            "createPlan", "Give every month", plans.PlanMade, Scope.GIFTS_WRITE, body=plans.NewPlan, takes=one
        ),
        "/campaigns/{campaign}/disbursements": path(
            paid, "disbursements", gifts.DisbursementsAnswer, [*one, *parameters(gifts.DisbursementsQuery)], 404, 422
        ),
        "/ledger": path(
            "The public ledger of all campaigns", "ledger", rows.WholeLedgerAnswer, parameters(rows.WholeLedgerQuery), 422
        ),
    }


def presale_paths(one: list[Any]) -> dict[str, Any]:
    types = presale_schemas
    asked = parameters(types.PresalesQuery)
    return {
        "/presales": path("Harvests for sale before they are in", "presales", types.PresalesAnswer, asked, 422),
        "/presales/{presale}": path("One presale with its tiers and news", "presale", types.PresaleAnswer, one, 404),
        "/presales/{presale}/places": openapi_writing.post(
            "createPlace", "Take a place", PlaceAnswer, Scope.ORDERS_WRITE, body=NewPlace, takes=one
        ),
    }


def words_of(modules: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What each class of these modules says of itself, from their source: a web server has no docstrings (bin/run.py)."""
    for module in sorted(set(modules)):
        for node in ast.parse(inspect.getsource(sys.modules[module])).body:
            if isinstance(node, ast.ClassDef) and (words := ast.get_docstring(node)):
                yield node.name, words


def path(summary: str, name: str, answer: type[BaseModel], takes: list[Any], *problems: int) -> dict[str, Any]:
    """For everybody to read; a token that is over is refused here as well."""
    told = {str(status): problem(status, PROBLEMS[status]) for status in sorted({401, 503, *problems})}
    responses = {"200": content("Found.", answer)} | told
    return {"get": {"operationId": name, "summary": summary, "parameters": [*takes, LANGUAGE], "responses": responses}}


def parameters(kind: type[BaseModel]) -> list[dict[str, Any]]:
    """Query parameters; those that may repeat are arrays, written one after the other."""
    described = kind.model_json_schema()["properties"]
    shown = []
    for name, schema in described.items():
        plain = {key: value for key, value in schema.items() if key != "title"}
        shown.append({"name": name, "in": "query", "required": False, "schema": plain, "explode": True})
    return shown
