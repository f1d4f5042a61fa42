"""Chinese by default, English on request, and a way between them that leads nowhere else."""

import gettext
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import gettext as translate

from marketplace.core import languages

PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "{}"\nmsgstr "{}"\n'


def test_the_rooms_catalogues_become_one(tmp_path: Path) -> None:
    source = tmp_path / "translations"
    (source / "zh_Hans_CN").mkdir(parents=True)
    (source / "zh_Hans_CN" / "orders.po").write_text(PO.format("order", "订单"))
    (source / "zh_Hans_CN" / "search.po").write_text(PO.format("search", "搜索"))

    folder = languages.compiled(source, tmp_path / "cache")

    merged = gettext.translation("messages", folder, ["zh_Hans_CN"])
    assert [merged.gettext("order"), merged.gettext("search")] == ["订单", "搜索"]


def test_they_are_compiled_again_only_when_they_changed(tmp_path: Path) -> None:
    file = tmp_path / "zh_Hans_CN" / "orders.po"
    file.parent.mkdir()
    file.write_text(PO.format("order", "订单"))
    first = languages.compiled(tmp_path, tmp_path / "cache")
    assert languages.compiled(tmp_path, tmp_path / "cache") == first

    file.write_text(PO.format("order", "单子"))
    second = languages.compiled(tmp_path, tmp_path / "cache")
    assert second != first
    assert gettext.translation("messages", second, ["zh_Hans_CN"]).gettext("order") == "单子"


@pytest.mark.parametrize(
    ("cookie", "words"),
    [(None, "没找到这个。"), ("en", "We could not find this."), ("xx", "没找到这个。"), ("../..", "没找到这个。")],
)
def test_the_cookie_decides(app: Flask, cookie: str | None, words: str) -> None:
    with app.test_request_context(headers={"Cookie": f"lang={cookie}"} if cookie else {}):
        assert translate("We could not find this.") == words


def test_outside_of_a_request_it_is_chinese(app: Flask) -> None:
    assert translate("We could not find this.") == "没找到这个。"


def test_a_link_changes_the_language_and_stays_on_the_page(client: FlaskClient) -> None:
    answer = client.get("/search?q=小米&lang=en&q=b")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/search?q=%E5%B0%8F%E7%B1%B3&q=b"
    assert answer.headers["Cache-Control"] == "no-store"
    kept = client.get_cookie("lang")
    assert kept is not None
    assert (kept.value, kept.http_only, kept.same_site) == ("en", True, "Lax")


def test_a_language_we_do_not_have_takes_the_choice_back(client: FlaskClient) -> None:
    client.set_cookie("lang", "en")
    assert client.get("/?lang=klingon").status_code == 303
    assert client.get_cookie("lang") is None


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/\\/evil.example", "///evil.example/a"])
def test_it_never_leads_to_another_site(client: FlaskClient, path: str) -> None:
    location = client.get("/?lang=en", environ_overrides={"PATH_INFO": path}).headers["Location"]
    assert location.startswith("/evil.example")


def test_a_form_is_not_led_away(client: FlaskClient) -> None:
    assert client.post("/no-such-page?lang=en", headers={"Origin": "http://localhost"}).status_code == 404


def test_the_house_has_one_voice() -> None:
    """A station's manager speaks to people, and says 你: nowhere 您."""
    found = sorted((languages.CATALOGUES / "zh_Hans_CN").glob("*.po"))
    assert found and [each.name for each in found if "您" in each.read_text("utf-8")] == []
