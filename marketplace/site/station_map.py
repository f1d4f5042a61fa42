"""The map of a page: which counties it shows, how dark their ground is, and where their marks stand."""

from collections.abc import Sequence
from typing import Final

from marketplace.core.records import record
from marketplace.site.station_pages import Place
from marketplace.stations import map as maps
from marketplace.stations.map import Window

PHONE: Final = 328  # pixels that a map is wide on a phone of 360; marks and words are sized for it


@record
class Ground:
    path: str
    step: int  # 0 to 4, 4 the darkest


@record
class Mark:
    place: Place
    x: int
    y: int
    is_here: bool = False

    @property
    def name(self) -> str:
        """Short enough for a map: 吉县站, Jixian."""
        return self.place.badge.name.removesuffix(" Station")


@record
class Picture:
    window: Window
    outline: str
    grounds: tuple[Ground, ...]
    marks: tuple[Mark, ...]
    is_close: bool  # near enough for the names of the stations

    @property
    def scale(self) -> float:
        """Units for each pixel of a phone."""
        return round(self.window.width / PHONE, 2)


def whole(places: Sequence[Place]) -> Picture:
    return picture(places, places, maps.province().whole(), is_close=False)


def prefecture(places: Sequence[Place], code: str) -> Picture:
    """One prefecture, large enough for names; its neighbours' grounds are there, without marks."""
    shown = [place for place in places if place.prefecture_code == code]
    return picture(places, shown, maps.province().around([place.badge.code for place in shown]), is_close=True)


def around(places: Sequence[Place], code: str) -> Picture:
    """A county among those it touches."""
    near = {code, *maps.province().shapes[code].near}
    shown = [place for place in places if place.badge.code in near]
    return picture(places, shown, maps.province().around(near), is_close=True, here=code)


def picture(places: Sequence[Place], marked: Sequence[Place], window: Window, *, is_close: bool, here: str = "") -> Picture:
    province = maps.province()
    most = max((place.sent_lately for place in places), default=0)
    shapes = [(province.shapes[place.badge.code], step(place.sent_lately, most)) for place in places]
    grounds = tuple(Ground(shape.path, dark) for shape, dark in shapes if window.shows(shape))
    marks = tuple(Mark(place, *province.shapes[place.badge.code].mark, is_here=place.badge.code == here) for place in marked)
    return Picture(window, province.outline, grounds, marks, is_close)


def step(sent: int, most: int) -> int:
    """How dark a county's ground is beside the busiest one's: 0 for none, then a step for each begun quarter."""
    return -(-4 * sent // most) if sent else 0
