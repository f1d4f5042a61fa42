"""Tracking numbers by the table: looked at first, sent once, and what does not fit says why by its row."""

import io

import pytest

from marketplace.core.db import in_transaction
from marketplace.orders import fulfilment
from marketplace.orders.dispatching import reading
from marketplace.orders.states import ParcelState as S
from tests.orders.conftest import JIXIAN, QINXIAN, Shop, parcels, post
from tests.orders.refunding import box, clerk_of
from tests.receiving.conftest import accepted, bring

THERE = "/station/tracking"


def packed(shop: Shop, **packs: int) -> str:
    number = accepted(shop, **packs)
    bring(shop)
    in_transaction(fulfilment.pack, parcel=box(number).public_id, station=JIXIAN, actor="clerk", shelf="A")
    return number


def test_a_table_is_looked_at_then_sent_and_a_second_time_changes_nothing(shop: Shop) -> None:
    clerk, first, second, third = clerk_of(shop), packed(shop, apples=1), packed(shop, apples=1), accepted(shop, apples=1)
    rows = (f"{first}-1,邮政,9876543210", f"{second.lower()}-1, ,ABC-123456", f"{third}-1,邮政,1111111", "SX-1,邮政,2222222")
    table = "\n".join(("面单,快递,单号", *rows))
    data = {"table": table, "carrier": "顺丰"}

    check = post(clerk, THERE, data)

    assert check.status_code == 200 and "2 个包裹可以发" in check.text and "2 行对不上" in check.text
    assert "还没打包" in check.text and "这不是面单号" in check.text
    assert parcels(first)[0].state is S.PACKED
    for _press in range(2):
        assert post(clerk, THERE, data | {"action": "send"}).status_code == 303
    sent = [parcels(number)[0] for number in (first, second, third)]
    assert [(row.state, row.carrier, row.tracking_number) for row in sent] == [
        (S.SHIPPED, "邮政", "9876543210"),
        (S.SHIPPED, "顺丰", "ABC-123456"),
        (S.ACCEPTED, "", ""),
    ]
    assert "2 个早就发了" in post(clerk, THERE, data).text
    other = post(clerk, THERE, {"table": f"{first}-1,邮政,0000000"}).text
    assert "已经发了，单号不一样" in other


@pytest.mark.full
def test_a_file_of_a_chinese_table_program_is_read(shop: Shop) -> None:
    clerk, number = clerk_of(shop), packed(shop, apples=1)
    content = f"面单;快递;单号\r\n{number}-1;圆通;YT123456\r\n".encode("gb18030")

    answer = post(clerk, THERE, {"table": "", "file": (io.BytesIO(content), "table.csv")})

    assert "1 个包裹可以发" in answer.text and "圆通" in answer.text


@pytest.mark.full
def test_what_is_no_table_says_so(shop: Shop) -> None:
    clerk = clerk_of(shop)
    for table, said in (
        ("", "把快递公司的表贴进来"),
        ("x" * 300_000, "最多"),
        ("\n".join(["SX-7F3KQ2MD-1,邮政,123456"] * 2001), "读不了"),
    ):
        answer = post(clerk, THERE, {"table": table})
        assert answer.status_code == 422 and said in answer.text
    film = post(clerk, THERE, {"table": "", "file": (io.BytesIO(b"a,b,c\n" * 50_000), "film.csv")})
    assert film.status_code == 422 and "读不了" in film.text and "a,b,c" not in film.text


@pytest.mark.full
def test_another_stations_parcel_does_not_exist_here(shop: Shop) -> None:
    number = packed(shop, apples=1)
    data = {"table": f"{number}-1,邮政,9876543210"}
    answer = post(clerk_of(shop, QINXIAN), THERE, data)
    assert "本站没有这个号码" in answer.text or "没有" in answer.text
    post(clerk_of(shop, QINXIAN), THERE, data | {"action": "send"})
    assert parcels(number)[0].state is S.PACKED


def test_rows_are_read_as_people_write_them() -> None:
    found = reading.rows("\ufeffSX-7F3KQ2MD-1\t邮政\t' 12 3456\n\nSX-7F3KQ2ME-2\t\t123456\nSX-7F3KQ2MD-1\t邮政\t999999\n")
    assert [(row.line, row.label, row.number) for row in found] == [
        (1, "SX-7F3KQ2MD-1", "123456"),
        (3, "SX-7F3KQ2ME-2", "123456"),
        (4, "SX-7F3KQ2MD-1", "999999"),
    ]
    assert all(row.wrong for row in found)
    assert [row.wrong for row in reading.rows("SX-7F3KQ2MD-1,1234567", "邮政")] == [None]
    (typed,) = reading.rows("SX-7F3KQ2MD-1，邮政，9876543210")  # as the page's own example is written
    assert (typed.label, typed.carrier, typed.number, typed.wrong) == ("SX-7F3KQ2MD-1", "邮政", "9876543210", None)
    with pytest.raises(reading.Unreadable):
        reading.decoded(b"\xff\xff\xff\x81")


@pytest.mark.parametrize("first", ["SX-7F3K,顺丰,SF1234567", "面单号坏了,顺丰,SF1234567", "SX-7F3K,顺丰,"])
def test_a_mistake_in_the_first_row_is_no_heading(first: str) -> None:
    found = reading.rows(f"{first}\nSX-7F3KQ2MD-1,顺丰,SF7654321")
    assert [(row.line, row.wrong is None) for row in found] == [(1, False), (2, True)]
