"""Addresses that nobody has: found out before the database is asked."""

import pytest
from flask import Flask

from tests.factories import make_station, signed_in


@pytest.mark.parametrize(
    "path", ["/listings/%00", "/stations/%00", "/orders/SX-%00", "/media/%00-320.webp", "/api/v1/listings/a%00"]
)
def test_a_nul_finds_nothing(real_app: Flask, path: str) -> None:
    assert real_app.test_client().get(path).status_code == 404


def test_a_nul_from_a_scanner_finds_no_parcel(real_app: Flask) -> None:
    make_station()
    client = real_app.test_client()
    signed_in(client, "station_clerk")

    assert client.get("/station/parcels?code=%00").status_code == 404
