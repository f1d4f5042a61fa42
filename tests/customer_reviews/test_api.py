"""The JSON face of reviews says what the page says, and no more."""

from typing import Any

from flask.testing import FlaskClient

from listings.customer_reviews import moderating
from listings.customer_reviews.states import Reason
from listings.customer_reviews.writing import Said
from listings.models import Listing
from marketplace.api import openapi
from marketplace.core.db import in_transaction
from tests.customer_reviews.conftest import HERE, PICTURE, buy
from tests.factories import make_person


def test_a_program_reads_what_the_page_says(client: FlaskClient, apples: Listing) -> None:
    address = f"/api/v1/listings/{apples.code}/reviews"
    assert client.get(address).get_json()["average"] is None
    names = [buy(apples).write(Said(stars, f"{stars} 颗星", [PICTURE])) for stars in (5, 4, 4, 1)]
    clerk = make_person("station_clerk").id
    in_transaction(moderating.hide, review=names[-1], reach=HERE, reason=Reason.ADVERT, person_id=clerk)

    first: Any = client.get(f"{address}?per_page=2").get_json()

    assert (first["total"], first["hidden"], first["average"], first["by_stars"]) == (3, 1, "4.3", [0, 0, 0, 2, 1])
    gone, shown = first["items"]
    assert (gone["stars"], gone["words"], gone["hidden_for"]) == (None, None, "advert")
    assert (shown["words"], shown["name"], shown["pictures"], shown["bought_in"][-2:]) == ("4 颗星", "郭**", [], "01")
    second: Any = client.get(f"{address}?per_page=2&before={first['next_before']}").get_json()
    assert [each["id"] for each in second["items"]] == [names[1], names[0]] and second["next_before"] is None
    assert client.get("/api/v1/listings/nothing/reviews").status_code == 404
    assert client.get(f"{address}?per_page=0").status_code == 422
    assert "/listings/{sku}/reviews" in openapi.document()["paths"]
