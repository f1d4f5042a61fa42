"""The OpenAPI 3.1 document, put together from the types of `schemas`: one source for what is said and what is done."""

from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from marketplace.api import schemas

REF: Final = "#/components/schemas/{model}"
ANSWERS: Final[tuple[type[BaseModel], ...]] = (
    schemas.SearchAnswer,
    schemas.SuggestAnswer,
    schemas.ListingAnswer,
    schemas.StationsAnswer,
    schemas.PledgeProgrammesAnswer,
    schemas.Problem,
)


@cache
def document() -> dict[str, Any]:
    """The whole document, as JSON-able content."""
    _names, definitions = models_json_schema([(kind, "serialization") for kind in ANSWERS], ref_template=REF)
    sku = {"name": "sku", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 40}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shanxi Youth Pavilion",
            "version": "1",
            "description": "Goods and stations, read-only. Sums are whole fen. `lang=en` in the cookie gives English words.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "paths": {
            "/search": path("Find goods", "search", schemas.SearchAnswer, parameters(schemas.SearchQuery), 422),
            "/suggest": path("Continue a word", "suggest", schemas.SuggestAnswer, parameters(schemas.SuggestQuery), 422),
            "/listings/{sku}": path("One listing", "listing", schemas.ListingAnswer, [sku], 404),
            "/stations": path("All stations", "stations", schemas.StationsAnswer, []),
            "/pledge-programmes": path("Deposit pledges", "pledgeProgrammes", schemas.PledgeProgrammesAnswer, []),
        },
        "components": {"schemas": definitions["$defs"]},
    }


def path(summary: str, name: str, answer: type[BaseModel], takes: list[Any], *problems: int) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": content("Found.", answer, "application/json")}
    for status in problems:
        responses[str(status)] = content("See the document.", schemas.Problem, "application/problem+json")
    return {"get": {"operationId": name, "summary": summary, "parameters": takes, "responses": responses}}


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
