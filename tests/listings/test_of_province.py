"""The province finds goods, takes them off sale with a reason that stays readable, and lifts that again."""

from typing import Any

import pytest
from flask import Flask

from listings.states import ListingState as L
from tests import factories
from tests.listings.test_offering import QINXIAN, post


@pytest.fixture
def shop(app: Flask) -> Flask:
    factories.make_station(QINXIAN, county_zh="沁县", name_zh="沁县站", name_en="Qinxian Station")
    factories.make_category(code="grain", name_zh="杂粮", name_en="Grain")
    factories.make_category(code="grain-millet", parent_code="grain", name_zh="小米", name_en="Millet")
    return app


def test_the_province_reads_the_state_in_words(shop: Flask) -> None:
    client = shop.test_client()
    factories.signed_in(client, "operator")
    listing = factories.make_listing(category_code="grain-millet", station_code=QINXIAN)

    page = client.get(f"/operator/listings/{listing.code}").text

    assert "在卖" in page and "published" not in page


def test_the_province_finds_goods_and_sees_what_it_took_off_sale(shop: Flask) -> None:
    client = shop.test_client()
    factories.signed_in(client, "operator")
    about: dict[str, Any] = {"category_code": "grain-millet", "station_code": QINXIAN}
    millet = factories.make_listing(**about, title_zh="沁州黄小米", title_en="Yellow millet")
    pack = factories.make_variant(millet).code
    draft = factories.make_listing(**about, title_zh="还没写完的小米", state=L.DRAFT)
    page = client.get("/operator/listings").text
    assert "现在没有省里下架的货" in page and 'aria-current="page"' in page and "沁州黄小米" not in page

    for typed in (millet.code, millet.code.lower(), pack, "黄小米", "millet yellow", "沁州 小米"):
        assert "沁州黄小米" in client.get("/operator/listings", query_string={"q": typed}).text, typed
    for typed in ("100%", "_", draft.code, "还没写完", "'; --", "🍎"):
        assert "没有找到" in client.get("/operator/listings", query_string={"q": typed}).text, typed
    assert client.get("/operator/listings", query_string={"q": "米" * 101}).status_code == 422

    one = f"/operator/listings/{millet.code}"
    refused = post(client, f"{one}/suspension", {"reason": " "})
    assert refused.status_code == 422 and "写上原因" in refused.text
    assert post(client, f"{one}/suspension", {"reason": "检测报告过期"}).status_code == 303
    assert "沁州黄小米" in client.get("/operator/listings").text and "检测报告过期" in client.get(one).text
    assert post(client, f"{one}/clearance", {"reason": "新报告看过"}).status_code == 303
    page = client.get(one).text
    assert page.index("新报告看过") < page.index("检测报告过期") and f"/listings/{millet.code}" in page
    assert "这件货没有在卖" in client.get(f"/operator/listings/{draft.code}").text
    for who in ("auditor", "station_manager", "seller"):
        stranger = shop.test_client()
        factories.signed_in(stranger, who)
        assert stranger.get("/operator/listings").status_code == 403
