"""The row of page numbers: the first, the last, those around the current one, and dots where more than one is left out."""

import re

import pytest
from flask import Flask

from listings.finding import Question


@pytest.mark.parametrize(
    ("page", "pages", "row"),
    [
        (1, 1, ""),
        (1, 3, "1 2 3"),
        (1, 4, "1 2 3 4"),
        (1, 5, "1 2 … 5"),
        (4, 4, "1 2 3 4"),
        (4, 9, "1 2 3 4 5 … 9"),
        (5, 9, "1 … 4 5 6 … 9"),
        (6, 9, "1 … 5 6 7 8 9"),
    ],
)
def test_dots_stand_for_more_than_one_page(app: Flask, page: int, pages: int, row: str) -> None:
    with app.test_request_context():
        macros = app.jinja_env.get_template("ui/pagination.html").module
        drawn = macros.pagination(page, pages, Question())  # type: ignore[attr-defined]
    assert " ".join(re.findall(r">(\d+|…)<", drawn)) == row
