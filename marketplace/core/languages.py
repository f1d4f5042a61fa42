"""Which language a page speaks, and where its words come from.

Message ids are English and stand in the source; the Chinese stand in `translations/zh_Hans_CN/<room>.po`, one file for each
room. They are merged and compiled at the start, once for the same content."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations

from marketplace.core.settings import Settings

DEFAULT: Final = "zh_CN"
LANGUAGES: Final = (DEFAULT, "en")
LOCALES: Final = {name: Locale.parse(name) for name in LANGUAGES}
CATALOGUES: Final = Path(__file__).parent.parent / "translations"


def install(app: Flask, settings: Settings) -> None:
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(compiled(CATALOGUES, settings.data.resolve() / "translations")),
        BABEL_DEFAULT_LOCALE=DEFAULT,
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
    )
    Babel(app, locale_selector=lambda: LOCALES[chosen()])  # parsing the name takes as long as a small page
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


def compiled(source: Path, cache: Path) -> Path:
    """A folder with one .mo for each locale of `source`, made when this content is new; safe for processes side by side."""
    folder = cache / _digest(source)
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
    for locale in _locales(source):
        target = building / locale.name / "LC_MESSAGES" / "messages.mo"
        target.parent.mkdir(parents=True)
        with target.open("wb") as file:
            write_mo(file, merged(locale))
    try:
        os.rename(building, folder)
    except OSError:  # another process was faster, and made the same
        shutil.rmtree(building)
    return folder


def merged(locale: Path) -> Catalog:
    """All rooms' messages in one catalogue."""
    whole = Catalog(locale.name)
    for _file, catalogue in catalogues(locale):
        for message in catalogue:
            if message.id:
                whole.add(message.id, message.string, flags=message.flags, context=message.context)
    return whole


def catalogues(locale: Path) -> Iterator[tuple[Path, Catalog]]:
    for path in sorted(locale.glob("*.po")):
        with path.open("rb") as file:
            yield path, read_po(file, locale.name, abort_invalid=True)


def _locales(source: Path) -> list[Path]:
    return sorted(path for path in source.iterdir() if path.is_dir())


def _digest(source: Path) -> str:
    seal = hashlib.sha256()
    for path in sorted(source.glob("*/*.po")):
        seal.update(f"{path.parent.name}/{path.name}\0".encode() + path.read_bytes())
    return seal.hexdigest()[:20]
