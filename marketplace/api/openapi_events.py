"""The part of the OpenAPI document that others have to answer: what we send to the addresses of partners."""

from typing import Any, Final

from marketplace.api.event_schemas import EVENTS
from marketplace.api.openapi_writing import REF

HEADERS: Final = {
    "webhook-id": "The id of the event, the same in every try.",
    "webhook-timestamp": "When this try was made, in seconds since 1970.",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of id, timestamp and body in base64; several with a space between.",
}
ANSWERS: Final = {
    "2XX": {"description": "You have it. Within five seconds."},
    "default": {"description": "Anything else, a redirect too: it is tried again, later each time, for three days."},
}


def webhooks() -> dict[str, Any]:
    signed = [
        {"name": name, "in": "header", "required": True, "description": words, "schema": {"type": "string"}}
        for name, words in HEADERS.items()
    ]
    return {name: {"post": event(kind.__name__, signed)} for name, kind in EVENTS.items()}


def event(kind: str, signed: list[dict[str, Any]]) -> dict[str, Any]:
    """One kind of event, as it comes to whoever asked for it."""
    return {
        "operationId": f"on{kind}",
        "summary": "Signed as Standard Webhooks has it",
        "parameters": signed,
        "security": [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": REF.format(model=kind)}}}},
        "responses": ANSWERS,
    }
