"""Several drawings of produce in one answer, kept by browsers for ever: a phone far from a mast counts its requests."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from flask import Blueprint, Response

from marketplace.accounts.permissions import requires
from marketplace.core import drawings
from marketplace.core.assets import SOURCES
from marketplace.core.errors import NotFound

bp = Blueprint("sheets", __name__)
PRODUCE: Final = SOURCES / "produce"
KINDS: Final = frozenset(path.stem for path in PRODUCE.glob("*.svg"))
MOST: Final = 12
A_YEAR: Final = 365 * 24 * 3600


@bp.get("/drawings/<digest>/<names>.svg")
@requires("shop.browse")
def show(digest: str, names: str) -> Response:
    kinds = tuple(names.split("+"))
    if len(kinds) > MOST or not KINDS.issuperset(kinds) or list(kinds) != sorted(set(kinds)):
        raise NotFound(names)
    text, own = sheet(kinds)
    if digest != own:
        raise NotFound(digest)
    answer = Response(text, mimetype="image/svg+xml")
    answer.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    return answer


def sheet_url(kinds: Iterable[str]) -> str:
    """The address of a sheet with these drawings; those that nobody has drawn are left out."""
    known = tuple(sorted(KINDS.intersection(kinds)))
    return f"/drawings/{sheet(known)[1]}/{'+'.join(known)}.svg" if 0 < len(known) <= MOST else ""


@lru_cache(maxsize=64)
def sheet(kinds: tuple[str, ...]) -> tuple[str, str]:
    """The drawing, and the digest that its address carries."""
    text = drawings.sheet(PRODUCE, kinds)
    return text, hashlib.sha256(text.encode()).hexdigest()[:10]
