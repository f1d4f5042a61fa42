"""The sentences of all rooms: read from their .po files, merged, and compiled as gettext wants them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_all(source: Path, folder: Path) -> None:
    """`folder` has one .mo for each locale of `source`, whole or not at all; safe for processes side by side."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    for locale in _locales(source):
        target = building / locale.name / "LC_MESSAGES" / "messages.mo"
        target.parent.mkdir(parents=True)
        with target.open("wb") as file:
            write_mo(file, merged(locale))
    try:
        os.rename(building, folder)
    except OSError:  # another process was faster, and made the same
        shutil.rmtree(building)


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
