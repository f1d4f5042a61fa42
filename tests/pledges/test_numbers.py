"""Numbers as people type them."""

import pytest
from hypothesis import given, strategies as st

from crowdfund.pledges.numbers import is_card, is_identity, is_imei, normalise
from tests.pledges.conftest import imei


@pytest.mark.parametrize(
    "typed",
    [
        "QQ2026000001",
        "qq2026000001",
        " QQ 2026 0000 01 ",
        "ＱＱ２０２６００００01",
        "QQ-2026-000001",
        "qq\u30002026\t000001\u200b",
    ],
)
def test_one_number_however_it_is_typed(typed: str) -> None:
    assert normalise(typed) == "QQ2026000001"


@pytest.mark.parametrize("typed", ["0004400917", "4400917", "00000004400917", "４４００９１７"])
def test_leading_zeros_of_a_bank_whose_numbers_have_ten_digits(typed: str) -> None:
    assert normalise(typed, 10) == "0004400917"


def test_leading_zeros_elsewhere_are_part_of_the_number() -> None:
    assert normalise("000123456") == "000123456" != normalise("123456")
    assert normalise("12345678901", 10) == "12345678901"


@pytest.mark.parametrize("typed", ["", "12345", "凭证123456", "A" * 33, "1.23E+15!", "'; DROP TABLE voucher"])
def test_what_can_be_no_number(typed: str) -> None:
    assert normalise(typed) == ""


@given(st.text(max_size=60), st.sampled_from([0, 8, 10]))
def test_a_number_that_was_made_plain_stays_as_it_is(typed: str, length: int) -> None:
    once = normalise(typed, length)
    assert normalise(once, length) == once


@given(st.integers(0, 999_999))
def test_one_wrong_digit_of_an_imei_is_found(number: int) -> None:
    right = imei(number)
    assert is_imei(right)
    for place in range(15):
        wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
        assert not is_imei(wrong)


def test_what_nobody_should_type_is_known() -> None:
    assert is_identity("11010519491231002X") and not is_identity("110105194912310021")
    assert is_card("4111111111111111") and not is_card("4111111111111112")
