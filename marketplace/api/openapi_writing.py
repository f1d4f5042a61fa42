"""The part of the OpenAPI document that wants a token: what is sent, under which key, and every answer there can be."""

from typing import Any, Final

from pydantic import BaseModel

from marketplace.accounts.tokens import TokenScope as Scope
from marketplace.api import (
    case_schemas as cases,
    gift_schemas as gifts,
    import_schemas as imports,
    place_schemas as places,
    plan_schemas as plans,
    schemas,
    writing_schemas as types,
)
from marketplace.api.doors import KEY, LONGEST_KEY
from marketplace.api.parts import MULTIPART

REF: Final = "#/components/schemas/{model}"
LANGUAGE: Final = {
    "name": "lang",
    "in": "cookie",
    "required": False,
    "description": "`en` for English names and sentences; anything else is Chinese",
    "schema": {"type": "string", "default": "zh_CN"},
}
SECURITY: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key that a person made under Me, Keys for programs. It does what its scopes say and never more "
        "than that person may. Cookies count for nothing here.",
    }
}
BODIES: Final[tuple[type[BaseModel], ...]] = (
    *(types.NewCart, types.NewOrder, types.NewStep, types.NewListing),
    *(gifts.NewGift, plans.NewPlan, plans.NewSum),
    *(places.NewPlace, places.PlaceAddress),
    *(cases.NewCase, cases.NewCaseWithPictures, imports.NewImportWithFiles, imports.ImportConfirmation),
)
ANSWERS: Final[tuple[type[BaseModel], ...]] = (
    types.CartAnswer,
    types.OrderAnswer,
    types.PaymentAnswer,
    types.ParcelAnswer,
    types.OwnListingAnswer,
    *(gifts.GiftMade, gifts.GiftAnswer, gifts.OwnGiftsAnswer, gifts.GiftPaymentAnswer),
    *(plans.PlanMade, plans.PlanAnswer, plans.PlansAnswer),
    *(places.PlaceAnswer, places.PlacesAnswer, places.PlacePaymentAnswer),
    cases.CaseAnswer,
    imports.ImportAnswer,
    imports.ImportReport,
)
PROBLEMS: Final = {
    401: "No token, or one that is over.",
    403: "The token has not this scope, or its person not this right.",
    404: "There is none, or it is somebody else's.",
    409: "The rule says no, as things stand now; or the Idempotency-Key came with another request before.",
    413: "More than 64 kB; of a form with files, more than they may have.",
    415: "Neither JSON nor, where files come along, a form.",
    422: "Something that was sent is wrong: `errors` points at it.",
    429: "Too many; `Retry-After` says when to come again.",
    503: "The database or the payment provider does not answer just now; the same key may try again.",
}
IDEMPOTENCY_KEY: Final = {
    "name": KEY,
    "in": "header",
    "required": True,
    "description": "New for each request, the same when it is repeated: then it has one effect and the answer it was given "
    "first, with `Idempotent-Replayed: true`. A refusal is not kept. Kept for seven days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
}
REPEATED: Final = {
    "Idempotent-Replayed": {
        "description": "`true` where this answer was given before",
        "schema": {"type": "string", "const": "true"},
    }
}


def paths() -> dict[str, Any]:
    order, parcel = in_path("number", types.ORDER), in_path("number", types.PARCEL)
    listing = {"name": "sku", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 40}}
    reads, keeps = (Scope.READ, Scope.ORDERS_WRITE), (Scope.READ, Scope.LISTINGS_WRITE)
    return {
        "/carts": post("createCart", "A cart with lines", types.CartAnswer, Scope.ORDERS_WRITE, body=types.NewCart),
        "/carts/{cart}": get("cart", "What a cart costs now", types.CartAnswer, *reads, takes=cart_parameters()),
        "/orders": post("createOrder", "Order a cart or lines", types.OrderAnswer, Scope.ORDERS_WRITE, body=types.NewOrder),
        "/orders/{number}": get("order", "An order of one's own", types.OrderAnswer, *reads, takes=[order]),
        "/orders/{number}/payment": post(
            "createPayment", "Begin to pay: where the cashier is", types.PaymentAnswer, Scope.ORDERS_WRITE, takes=[order]
        ),
        "/parcels/{number}": get(
            "parcel", "A parcel of one's station", types.ParcelAnswer, Scope.READ, Scope.PARCELS_WRITE, takes=[parcel]
        ),
        "/parcels/{number}/steps": post(
            "createStep",
            "A step that the station has taken",
            types.ParcelAnswer,
            Scope.PARCELS_WRITE,
            body=types.NewStep,
            takes=[parcel],
        ),
        "/listings": post(
            "createListing",
            "A draft, or what goes to the station",
            types.OwnListingAnswer,
            Scope.LISTINGS_WRITE,
            body=types.NewListing,
        ),
        "/listings/{sku}/submission": get(
            "submission", "How one's own listing stands", types.OwnListingAnswer, *keeps, takes=[listing]
        )
        | post(
            "createSubmission", "Send a draft to the station", types.OwnListingAnswer, Scope.LISTINGS_WRITE, takes=[listing]
        ),
        **gift_paths(),
        **plan_paths(),
        **place_paths(),
        **case_paths(),
        **import_paths(),
    }


def gift_paths() -> dict[str, Any]:
    one, scope, reads = [in_path("gift", gifts.GIFT)], Scope.GIFTS_WRITE, (Scope.READ, Scope.GIFTS_WRITE)
    pages = query_of(gifts.OwnGiftsQuery)
    return {
        "/gifts": get("gifts", "Gifts of one's own, the latest first", gifts.OwnGiftsAnswer, *reads, takes=pages),
        "/gifts/{gift}": get("gift", "A gift of one's own, to the invoice", gifts.GiftAnswer, *reads, takes=one),
        "/gifts/{gift}/payment": post(
            "createGiftPayment", "Begin to pay a gift: where the cashier is", gifts.GiftPaymentAnswer, scope, takes=one
        ),
    }


def plan_paths() -> dict[str, Any]:
    one, scope, reads = [in_path("plan", plans.PLAN)], Scope.GIFTS_WRITE, (Scope.READ, Scope.GIFTS_WRITE)
    answer: type[BaseModel] = plans.PlanAnswer
    pages = query_of(plans.PlansQuery)
    steps = {
        "pause": "Charge nothing until it goes on",
        "continuation": "Go on, from its next day",
        "stop": "Stop it for good",
        "card": "Forget the card that is kept",
    }
    return {
        "/plans": get("plans", "Monthly gifts of one's own, the latest first", plans.PlansAnswer, *reads, takes=pages),
        "/plans/{plan}": get("plan", "A monthly gift of one's own, month by month", answer, *reads, takes=one),
        "/plans/{plan}/amount": post(
            "createPlanAmount", "Another sum, from the next month on", answer, scope, body=plans.NewSum, takes=one
        ),
        **{
            f"/plans/{{plan}}/{step}": post(f"createPlan{step.title()}", words, answer, scope, takes=one)
            for step, words in steps.items()
        },
    }


def place_paths() -> dict[str, Any]:
    one, scope, reads = [in_path("backing", places.PLACE)], Scope.ORDERS_WRITE, (Scope.READ, Scope.ORDERS_WRITE)
    answer: type[BaseModel] = places.PlaceAnswer
    pages = query_of(places.PlacesQuery)
    return {
        "/places": get("places", "Places of one's own in presales", places.PlacesAnswer, *reads, takes=pages),
        "/places/{backing}": get("place", "A place of one's own, to its order", answer, *reads, takes=one),
        "/places/{backing}/payment": post(
            "createPlacePayment", "Begin to pay a place: where the cashier is", places.PlacePaymentAnswer, scope, takes=one
        ),
        "/places/{backing}/address": post(
            "createPlaceAddress",
            "Say where to, once the goal is reached",
            answer,
            scope,
            body=places.PlaceAddress,
            takes=one,
        ),
        "/places/{backing}/end": post("createPlaceEnd", "Give it up while the presale is open", answer, scope, takes=one),
    }


def case_paths() -> dict[str, Any]:
    one, reads = in_path("case", cases.CASE), (Scope.READ, Scope.CASES_WRITE)
    sent: dict[str, Any] = {"body": cases.NewCase, "form": cases.NewCaseWithPictures}
    return {
        "/cases": post("createCase", "Say what was wrong with goods", cases.CaseAnswer, Scope.CASES_WRITE, **sent),
        "/cases/{case}": get("case", "A case of one's own", cases.CaseAnswer, *reads, takes=[one]),
    }


def import_paths() -> dict[str, Any]:
    one, scope = in_path("name", imports.IMPORT), Scope.LISTINGS_WRITE
    answer: type[BaseModel] = imports.ImportAnswer
    plain: dict[str, Any] = {"takes": [one]}
    rows = [one, *query_of(imports.ImportQuery)]
    return {
        "/imports": post("createImport", "Send a sheet of goods", answer, scope, form=imports.NewImportWithFiles),
        "/imports/{name}": get(
            "import", "What a sheet would change, and its mistakes", imports.ImportReport, Scope.READ, scope, takes=rows
        ),
        "/imports/{name}/confirm": post(
            "confirmImport", "Do what it shows", answer, scope, body=imports.ImportConfirmation, **plain
        ),
        "/imports/{name}/drop": post("dropImport", "It will not be done", answer, scope, **plain),
        "/imports/{name}/undo": post("undoImport", "Put back what it changed, for 24 hours", answer, scope, **plain),
    }


def query_of(kind: type[BaseModel]) -> list[dict[str, Any]]:
    shown = {
        name: {key: value for key, value in schema.items() if key != "title"}
        for name, schema in kind.model_json_schema()["properties"].items()
    }
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in shown.items()]


def in_path(name: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


def cart_parameters() -> list[dict[str, Any]]:
    told = {
        "province": {"type": "string", "pattern": "^([0-9]{6})?$"},
        "pickup": {"type": "array", "items": {"type": "string", "pattern": "^[0-9]{6}$"}},
    }
    asked = [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in told.items()]
    return [in_path("cart", types.CART), *asked]


def get(name: str, summary: str, answer: type[BaseModel], *scopes: Scope, takes: list[Any]) -> dict[str, Any]:
    problems = {status: PROBLEMS[status] for status in (401, 403, 404, 422, 503)}
    return {"get": operation(name, summary, takes, scopes, {"200": content("Found.", answer)} | refusals(problems))}


def post(
    name: str,
    summary: str,
    answer: type[BaseModel],
    scope: Scope,
    *,
    body: type[BaseModel] | None = None,
    form: type[BaseModel] | None = None,
    takes: list[Any] | None = None,
) -> dict[str, Any]:
    """`form`: with files, instead of JSON or beside it."""
    made = content("Done, or done before under this key.", answer) | {"headers": REPEATED}
    parameters = [*(takes or ()), IDEMPOTENCY_KEY]
    described = operation(name, summary, parameters, (scope,), {"201": made} | refusals(PROBLEMS))
    sent = {"application/json": body, MULTIPART: form}
    content_of = {kind: {"schema": {"$ref": REF.format(model=each.__name__)}} for kind, each in sent.items() if each}
    if content_of:
        described["requestBody"] = {"required": True, "content": content_of}
    return {"post": described}


def operation(
    name: str, summary: str, takes: list[Any], scopes: tuple[Scope, ...], responses: dict[str, Any]
) -> dict[str, Any]:
    security = [{"token": [scope.value]} for scope in scopes]
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [*takes, LANGUAGE],
        "security": security,
        "responses": responses,
    }


def content(words: str, kind: type[BaseModel], media_type: str = "application/json") -> dict[str, Any]:
    return {"description": words, "content": {media_type: {"schema": {"$ref": REF.format(model=kind.__name__)}}}}


def refusals(problems: dict[int, str]) -> dict[str, Any]:
    return {str(status): problem(status, words) for status, words in problems.items()}


def problem(status: int, words: str) -> dict[str, Any]:
    told = content(words, schemas.Problem, "application/problem+json")
    if status == 429:
        told["headers"] = {"Retry-After": {"description": "in seconds", "schema": {"type": "integer", "minimum": 1}}}
    if status == 401:
        told["headers"] = {"WWW-Authenticate": {"description": "RFC 6750", "schema": {"type": "string"}}}
    return told
