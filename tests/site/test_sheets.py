import pytest
from flask.testing import FlaskClient

from marketplace.site.sheets import sheet_url


def test_several_drawings_come_in_one_answer_for_ever(client: FlaskClient) -> None:
    address = sheet_url(["pear", "apple", "no-such-thing"])

    answer = client.get(address)

    assert address.endswith("/apple+pear.svg")
    assert answer.text.index('<view id="apple"') < answer.text.index('<view id="pear"')
    assert answer.mimetype == "image/svg+xml" and "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "names", ["apple", "pear+apple", "apple+apple", "..%2fmark", "apple+nothing", "+".join("abcdefghijklm")]
)
def test_only_what_we_named_ourselves_is_answered(client: FlaskClient, names: str) -> None:
    digest = sheet_url(["apple", "pear"]).split("/")[2]

    assert client.get(f"/drawings/{digest}/{names}.svg").status_code == 404
