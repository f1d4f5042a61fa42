"""Which language a page speaks, and where its words come from.

Message ids are English and stand in the source; the Chinese stand in `translations/zh_Hans_CN/<room>.po`, one file for each
room. They are merged and compiled at the start, once for the same content (sentences.py)."""

import hashlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from babel import Locale
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, force_locale, get_locale, get_translations

from marketplace.core.settings import Settings

DEFAULT: Final = "zh_CN"
LANGUAGES: Final = (DEFAULT, "en")
CHINESE: Final = Locale("zh", "CN", "Hans")  # parsing a name would fetch 2 MB of what all the world's are called
LOCALES: Final = {DEFAULT: CHINESE, str(CHINESE): CHINESE, "en": Locale("en")}
CATALOGUES: Final = Path(__file__).parent.parent / "translations"


def install(app: Flask, settings: Settings) -> None:
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(compiled(CATALOGUES, settings.data.resolve() / "translations")),
        BABEL_DEFAULT_LOCALE=CHINESE,
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
    )
    Babel(app, locale_selector=lambda: LOCALES[chosen()])
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: words().ugettext(text), lambda one, many, number: words().ungettext(one, many, number), newstyle=True
    )


def words() -> Any:
    """The words of the reader's language, looked up once for each that a request speaks: a page asks for a hundred."""
    locale, known = get_locale(), g.get("words")
    if known is None or known[0] is not locale:
        known = g.words = (locale, get_translations())
    return known[1]


def chosen() -> str:
    """The visitor's language: the cookie's, else Chinese. What the browser prefers is not asked: the shop is Chinese."""
    wish = request.cookies.get("lang", DEFAULT) if has_request_context() else DEFAULT
    return wish if wish in LANGUAGES else DEFAULT


def speaking(language: str) -> AbstractContextManager[None]:
    """What is written within is in this language, whoever reads; what we do not speak is Chinese."""
    within: AbstractContextManager[None] = force_locale(LOCALES.get(language, CHINESE))
    return within


def compiled(source: Path, cache: Path) -> Path:
    """A folder with one .mo for each locale of `source`, made when this content is new."""
    folder = cache / _digest(source)
    if not folder.is_dir():
        from marketplace.core import sentences  # a process that finds them compiled needs no compiler

        sentences.compile_all(source, folder)
    return folder


def _digest(source: Path) -> str:
    seal = hashlib.sha256()
    for path in sorted(source.glob("*/*.po")):
        seal.update(f"{path.parent.name}/{path.name}\0".encode() + path.read_bytes())
    return seal.hexdigest()[:20]
