"""The OpenAPI 3.1 document, put together from the types of `schemas`: one source for what is said and what is done."""

from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from marketplace.api import ledger_schemas, schemas

DESCRIPTION: Final = (
    "Read-only: goods, stations, campaigns. Sums are whole fen. The cookie `lang=en` gives English words, in answers and in "
    "problems alike; without it they are Chinese, as on the pages. Accept-Language is not asked. A problem (RFC 9457) is "
    "known by its `status` and by the `pointer` of its errors, whatever the language of its sentences."
)
LANGUAGE: Final = {
    "name": "lang",
    "in": "cookie",
    "required": False,
    "description": "`en` for English names and sentences; anything else is Chinese",
    "schema": {"type": "string", "default": "zh_CN"},
}
REF: Final = "#/components/schemas/{model}"
ANSWERS: Final[tuple[type[BaseModel], ...]] = (
    schemas.SearchAnswer,
    schemas.SuggestAnswer,
    schemas.ListingAnswer,
    schemas.StationsAnswer,
    schemas.CampaignsAnswer,
    schemas.CampaignAnswer,
    ledger_schemas.LedgerAnswer,
    schemas.PledgeProgrammesAnswer,
    schemas.Problem,
)


@cache
def document() -> dict[str, Any]:
    """The whole document, as JSON-able content."""
    _names, definitions = models_json_schema([(kind, "serialization") for kind in ANSWERS], ref_template=REF)
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
            "/pledge-programmes": path("Deposit pledges", "pledgeProgrammes", schemas.PledgeProgrammesAnswer, []),
        },
        "components": {"schemas": definitions["$defs"]},
    }


def path(summary: str, name: str, answer: type[BaseModel], takes: list[Any], *problems: int) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": content("Found.", answer, "application/json")}
    for status in problems:
        responses[str(status)] = content("See the document.", schemas.Problem, "application/problem+json")
    return {"get": {"operationId": name, "summary": summary, "parameters": [*takes, LANGUAGE], "responses": responses}}


def content(words: str, kind: type[BaseModel], media_type: str) -> dict[str, Any]:
    return {"description": words, "content": {media_type: {"schema": {"$ref": REF.format(model=kind.__name__)}}}}


def parameters(kind: type[BaseModel]) -> list[dict[str, Any]]:
    """Query parameters; those that may repeat are arrays, written one after the other."""
    described = kind.model_json_schema()["properties"]
    shown = []
    for name, schema in described.items():
        plain = {key: value for key, value in schema.items() if key != "title"}
        shown.append({"name": name, "in": "query", "required": False, "schema": plain, "explode": True})
    return shown
