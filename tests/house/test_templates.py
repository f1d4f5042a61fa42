"""The check of templates finds what it promises to find."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bin"))

import check_templates  # noqa: E402


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('<p style="color: red">{{ x }}</p>', "inline style"),
        ("<style>p {}</style>", "inline style"),
        ("<script></script>", "inline script"),
        ('<a href="#" onclick="go()">{{ x }}</a>', "inline script: onclick"),
        ("{{ story|safe }}", "unescaped"),
        ("{% autoescape false %}", "unescaped"),
        ("<p>Buy now</p>", "not translated: 'Buy now'"),
        ("<p>{{ _('Buy') }} 现在</p>", "not translated: '0 现在'"),
        ('<img alt="an apple" src="{{ x }}">', "not translated: alt='an apple'"),
        ('<input type="submit" value="Send">', "not translated: value='Send'"),
        ('<button name="decision" value="yes">{{ x }}</button>', "Enter decides: forms.undecided() is missing"),
        ('{{ forms.undecided() }}<button name="decision" value="yes">{{ x }}</button>', None),
        (
            '<form>{{ forms.undecided() }}</form><form><button name="decision" value="yes">{{ x }}</button></form>',
            "Enter decides: forms.undecided() is missing",
        ),
        ("<p>{{ x }}</p>", None),
        ('<p class="{{ "a" if b else "c" }}">{{ _("Buy") }}: ¥{{ y }} · 3</p>', None),
        ('<input type="hidden" name="a" value="add">', None),
        ('<script type="module" src="/static/site.js"></script>', None),
        ("<p>PDF</p>{# allowed: the name of a format #}", None),
    ],
)
def test_what_it_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, found: str | None) -> None:
    page = tmp_path / "page.html"
    page.write_text(line)
    monkeypatch.setattr(check_templates, "ROOT", tmp_path)
    assert list(check_templates.problems(page)) == ([f"page.html:1: {found}"] if found else [])


def test_our_own_are_in_order() -> None:
    assert check_templates.main() == 0
