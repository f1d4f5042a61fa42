"""Drawings put together from their parts: the sprite of icons, and the shelves' pictures as one file."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

SVG: Final = '<svg xmlns="http://www.w3.org/2000/svg"{attributes}>{body}</svg>'
HILLS: Final = (
    "M0 128C40 108 84 112 120 124C150 134 176 128 200 116V200H0Z",
    "M0 116C30 112 66 134 104 134C144 134 168 112 200 118V200H0Z",
    "M0 136C50 130 90 106 134 112C164 116 184 128 200 132V200H0Z",
    "M0 124C24 120 60 116 96 124C132 134 164 130 200 124V200H0Z",
)
DOOR: Final = (  # a cave dwelling's door: its frame, and a window that is lit or dark by `color`
    '<path d="M0 26V11a11 11 0 0 1 22 0V26z" fill="#8F6430"/><path d="M2 26V11a9 9 0 0 1 18 0V26z" fill="currentColor"/>'
)
LATTICE: Final = '<path d="M11 2V14M2 14H20M7 14V26M15 14V26" fill="none" stroke="#8F6430" stroke-width="1.4"/>'
SHELVES: Final = (  # drawing, sky, hill, hill curve, in the order of the shelves
    ("crab-apple", "#F2D6CE", "#D69C90", 0),
    ("apple", "#F9D9C6", "#E9A47F", 1),
    ("millet", "#D5DFE9", "#9CB5CB", 2),
    ("walnut", "#D5E4D6", "#94BA9F", 3),
    ("flax-oil", "#FCEABB", "#F1C65E", 0),
    ("egg", "#E6E2D8", "#C2B9A7", 1),
    ("shiitake", "#F3E1C1", "#DFBC84", 2),
    ("paper-cut", "#D5E4D6", "#94BA9F", 3),
)


def body(path: Path) -> str:
    """What a drawing holds, without its outer element."""
    return re.sub(r"^\s*<svg[^>]*>|</svg>\s*$", "", path.read_text("utf-8")).strip()


def sprite(icons: Iterable[Path], mark: Path) -> str:
    """One file of symbols: the icons by name, `mark`, the four hills of a picture's ground and the two doors."""
    symbols = [f'<symbol id="{icon.stem}" viewBox="0 0 24 24">{body(icon)}</symbol>' for icon in icons]
    symbols.append(f'<symbol id="mark" viewBox="0 0 40 40">{body(mark)}</symbol>')
    symbols += [f'<path id="hill-{number}" d="{curve}"/>' for number, curve in enumerate(HILLS)]
    symbols.append(f'<g id="door">{DOOR}</g><g id="door-lit">{DOOR}{LATTICE}</g>')
    return SVG.format(attributes="", body="".join(symbols))


def doors(produce: Path) -> str:
    """The eight shelves' pictures, each on its ground; `#shelf-0` to `#shelf-7` show one each."""
    return beside(
        [
            (
                f"shelf-{number}",
                f'<path fill="{sky}" d="M0 0H200V200H0Z"/><path fill="{hill}" d="{HILLS[curve]}"/>'
                + body(produce / f"{kind}.svg"),
            )
            for number, (kind, sky, hill, curve) in enumerate(SHELVES)
        ]
    )


def sheet(produce: Path, kinds: Iterable[str]) -> str:
    """Some drawings in one file, so that a page asks once for all of them; `#<kind>` shows one."""
    return beside([(kind, body(produce / f"{kind}.svg")) for kind in kinds])


def beside(pictures: Sequence[tuple[str, str]]) -> str:
    """Pictures of 200 x 200 side by side, each with a view of its name."""
    parts = [
        f'<view id="{name}" viewBox="{200 * place} 0 200 200"/><g transform="translate({200 * place})">{drawn}</g>'
        for place, (name, drawn) in enumerate(pictures)
    ]
    return SVG.format(attributes=f' viewBox="0 0 {200 * len(pictures)} 200"', body="".join(parts))
