"""Every address of the JSON face, in one table. What answers is read at the first question: the types of what is sent and
answered take some megabytes, and most web processes are never asked (docs/adr/0033-what-a-web-process-carries.md)."""

from typing import Final

from flask import Blueprint, Flask

from marketplace.core import late

PREFIX: Final = "/api/v1"
READING: Final = {  # what everybody may read
    "search": "GET /search",
    "suggest": "GET /suggest",
    "show_listing": "GET /listings/<sku>",
    "list_groups": "GET /listings/<sku>/groups",
    "show_group": "GET /groups/<group>",
    "list_reviews": "GET /listings/<sku>/reviews",
    "list_stations": "GET /stations",
    "list_campaigns": "GET /campaigns",
    "show_campaign": "GET /campaigns/<campaign>",
    "show_campaign_ledger": "GET /campaigns/<campaign>/ledger",
    "list_public_gifts": "GET /campaigns/<campaign>/gifts",
    "list_disbursements": "GET /campaigns/<campaign>/disbursements",
    "show_ledger": "GET /ledger",
    "list_presales": "GET /presales",
    "show_presale": "GET /presales/<presale>",
    "list_pledge_programmes": "GET /pledge-programmes",
    "show_openapi": "GET /openapi.json",
}
WRITING: Final = {  # commands, for whoever's token came along
    "create_cart": "POST /carts",
    "show_cart": "GET /carts/<cart>",
    "create_order": "POST /orders",
    "show_order": "GET /orders/<number>",
    "create_payment": "POST /orders/<number>/payment",
    "show_parcel": "GET /parcels/<number>",
    "create_step": "POST /parcels/<number>/steps",
    "create_listing": "POST /listings",
    "show_submission": "GET /listings/<sku>/submission",
    "create_submission": "POST /listings/<sku>/submission",
}
GIVING: Final = {  # gifts, for whoever's token came along
    "create_gift": "POST /campaigns/<campaign>/gifts",
    "list_gifts": "GET /gifts",
    "show_gift": "GET /gifts/<gift>",
    "create_gift_payment": "POST /gifts/<gift>/payment",
}
MONTHLY: Final = {  # monthly gifts, for whoever's token came along
    "create_plan": "POST /campaigns/<campaign>/plans",
    "list_plans": "GET /plans",
    "show_plan": "GET /plans/<plan>",
    "create_plan_amount": "POST /plans/<plan>/amount",
    "create_plan_pause": "POST /plans/<plan>/pause",
    "create_plan_continuation": "POST /plans/<plan>/continuation",
    "create_plan_stop": "POST /plans/<plan>/stop",
    "create_plan_card": "POST /plans/<plan>/card",
}
BUYING_AHEAD: Final = {  # places in presales, for whoever's token came along
    "create_place": "POST /presales/<presale>/places",
    "list_places": "GET /places",
    "show_place": "GET /places/<backing>",
    "create_place_payment": "POST /places/<backing>/payment",
    "create_place_address": "POST /places/<backing>/address",
    "create_place_end": "POST /places/<backing>/end",
}
SENDING: Final = {  # what comes with files
    "create_case": "POST /cases",
    "show_case": "GET /cases/<case>",
    "create_import": "POST /imports",
    "show_import": "GET /imports/<name>",
    "confirm_import": "POST /imports/<name>/confirm",
    "drop_import": "POST /imports/<name>/drop",
    "undo_import": "POST /imports/<name>/undo",
}
FACES: Final = {
    "api": ("views", READING),
    "writing": ("views_writing", WRITING),
    "giving_by_program": ("views_giving", GIVING),
    "plans_by_program": ("views_plans", MONTHLY),
    "places_by_program": ("views_places", BUYING_AHEAD),
    "sending": ("views_sending", SENDING),
}


def install(app: Flask) -> None:
    for name, (module, routes) in FACES.items():
        face = Blueprint(name, __name__, url_prefix=PREFIX)
        late.connect(face, f"marketplace.api.{module}", routes)
        app.register_blueprint(face)
