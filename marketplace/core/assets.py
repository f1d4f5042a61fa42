"""Static files under names that carry their content, compressed once, kept by browsers for ever.

What stands in `static/` is what people edit; what is served is built from it at the start: a folder of styles or scripts
becomes one file, the icons one sprite, the eight doors of the shelves one drawing. The same sources give the same names.

A program is a script of several folders whose parts know each other: pages and service worker of the desk share some."""

import gzip
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final
from wsgiref.headers import Headers

import brotli
from flask import Flask
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

from marketplace.core import drawings

SOURCES: Final = Path(__file__).parent.parent / "static"
BUNDLED: Final = ("css/site", "css/desk", "js/site")
PROGRAMS: Final = {
    "js/desk.js": ("js/desk/shared/*.js", "js/desk/page/*.js"),
    "js/desk-scanning.js": ("js/desk/page/50-*.js", "js/desk/scanning/*.js"),
    "js/desk-worker.js": ("js/desk/shared/*.js", "js/desk/worker/*.js"),
    "js/desk-leaving.js": ("js/desk/shared/10-*.js", "js/desk/shared/30-*.js", "js/desk/leaving/*.js"),
}
WELL_KNOWN: Final = ("favicon.ico", "favicon.svg", "robots.txt")  # asked for at the root, where nobody told the address
ROOT: Final = "at-the-root"  # the folder of these, among what is built
UNDRAWN: Final = "produce/gift-box.svg"
HASHED: Final = re.compile(r"\.[0-9a-f]{10}\.\w+$")
COMPRESSED: Final = {".css", ".js", ".svg", ".txt", ".webmanifest"}


def install(app: Flask, built: Path, policies: Mapping[str, str]) -> None:
    """Build what is served in the folder `built`, wrap the application in WhiteNoise, give templates `static_url`.

    `policies` stand on files as on pages; but a drawing that is opened on its own runs nothing at all."""
    files = sources(SOURCES)
    names = {path: hashed_name(path, content) for path, content in files.items()}
    folder = published(files, names, built)
    stricter = {**policies, "Content-Security-Policy": "default-src 'none'"}

    def add_policies(headers: Headers, _path: str, _url: str) -> None:
        for name, value in stricter.items():
            headers[name] = value

    files_first = WhiteNoise(
        app.wsgi_app,
        root=folder / "static",
        prefix="static/",
        immutable_file_test=is_immutable,
        add_headers_function=add_policies,
        allow_all_origins=False,
    )
    files_first.add_files(folder / ROOT)
    app.wsgi_app = files_first  # type: ignore[method-assign]

    def static_url(path: str) -> str:
        """The address of a static file; a name that does not exist fails the page, as a misspelling should."""
        return f"/static/{names[path]}"

    def drawing_url(kind: str) -> str:
        """The address of a kind's drawing; what nobody has drawn yet comes in the gift box."""
        path = f"produce/{kind}.svg"
        return static_url(path if path in names else UNDRAWN)

    app.jinja_env.globals.update(static_url=static_url, drawing_url=drawing_url)


@cache
def sources(root: Path) -> dict[str, bytes]:
    """Every file that is served, by its path without a hash."""
    files: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root).as_posix()
        if path.is_file() and not place.startswith((*(f"{folder}/" for folder in BUNDLED), "js/desk/", "icons/")):
            files[place] = path.read_bytes()
    for folder in BUNDLED:
        kind = folder.partition("/")[0]
        if parts := sorted((root / folder).glob(f"*.{kind}")):
            files[f"{folder}.{kind}"] = "\n".join(SHORTEN[kind](part.read_text("utf-8")) for part in parts).encode()
    for name, patterns in PROGRAMS.items():
        texts = [part.read_text("utf-8") for pattern in patterns for part in sorted(root.glob(pattern))]
        files[name] = short_script("\n".join(texts)).encode()
    files["icons.svg"] = drawings.sprite(sorted((root / "icons").glob("*.svg")), root / "mark.svg").encode()
    files["doors.svg"] = drawings.doors(root / "produce").encode()
    return files


def short_styles(text: str) -> str:
    """Without comments and indentation. Our own styles hold no string in which either would matter."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r":\s+", ":", re.sub(r"\s*([{};,])\s*", r"\1", text)).replace(";}", "}").strip()


def short_script(text: str) -> str:
    """Without comment lines and indentation, in a block of its own, so that parts may use the same names."""
    lines = (line.strip() for line in re.sub(r"/\*\*.*?\*/", "", text, flags=re.S).splitlines())
    return "{\n" + "\n".join(line for line in lines if line and not line.startswith("//")) + "\n}"


SHORTEN: Final[dict[str, Callable[[str], str]]] = {"css": short_styles, "js": short_script}


def hashed_name(path: str, content: bytes) -> str:
    stem, dot, suffix = path.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:10]}{dot}{suffix}"


def published(files: dict[str, bytes], names: dict[str, str], parent: Path) -> Path:
    """The folder with all of it, built once for one content; processes that start together do no harm."""
    digest = hashlib.sha256("\n".join(sorted(names.values())).encode()).hexdigest()[:16]
    folder = parent / digest
    if folder.is_dir():
        return folder
    parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=parent, prefix=".building-"))
    for path, content in files.items():
        for name in (f"static/{names[path]}", *((f"{ROOT}/{path}",) if path in WELL_KNOWN else ())):
            for suffix, body in variants(name, content):
                target = building / (name + suffix)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(body)
    building.chmod(0o755)
    try:
        os.rename(building, folder)
    except OSError:  # another process was faster, and made the same
        shutil.rmtree(building)
    return folder


def variants(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "", content
    if Path(name).suffix in COMPRESSED:
        yield ".br", brotli.compress(content, quality=11)
        yield ".gz", gzip.compress(content, 9, mtime=0)


def is_immutable(_path: str, url: str) -> bool:
    return HASHED.search(url) is not None
