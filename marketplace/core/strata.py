"""Sums of money as a section through loess: where the layers of a drawing lie. Pure; templates/ui/strata.html draws it."""

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

from marketplace.core.records import slim_record

WIDTH: Final = 300
SECTION: Final = 136  # width of the block of earth
WIDE: Final = 3 * SECTION  # of a block that a desk shows whole and a phone cuts off after SECTION
HEIGHT: Final = 210
TOP: Final = 4
AMPLITUDE: Final = 3.5
LINE: Final = 19
LABEL_HEIGHT: Final = 48  # 3.15 em of 15 units: a name over an amount
WIDEST_LINE: Final = 140  # of a label; a longer name goes on below its first comma or colon, so that a phone can show it
LABEL_X: Final = 172
BREAK: Final = re.compile(r"(.+?(?:[，：]|[,:](?= )))\s*(.+)")
FILLS: Final = ("loess3", "pine", "loess5", "loess2", "loess4")
TEXTURES: Final = ("dots", "diagonal", "dashes", "plain", "dots-dark")


@slim_record
class Layer:
    """What one part of the sum is for, and how much of it (fen)."""

    name: str
    amount_fen: int


@slim_record
class DrawnLayer:
    name: str
    lines: tuple[str, ...]  # the name as it stands beside the drawing
    amount_fen: int
    fill: str
    texture: str
    outline: str  # the layer's path
    boundary: str  # its upper edge; empty for the first
    leader: str  # the line from the layer to its label
    label_y: int  # baseline of the name's first line; the others and the amount follow, each LINE below


@slim_record
class Section:
    layers: tuple[DrawnLayer, ...]
    total_fen: int
    height: int
    width: int
    right: int = SECTION
    label_x: int = LABEL_X


def section(layers: Sequence[Layer], *, span: int = SECTION) -> Section:
    """The drawing of these layers, the first on top, each as thick as its part of the sum. Empty ones are left out.

    `span`: how far they reach, SECTION or WIDE."""
    shown = [layer for layer in layers if layer.amount_fen > 0]
    total = sum(layer.amount_fen for layer in shown)
    depths = accumulate((layer.amount_fen for layer in shown), initial=0)
    edges = [TOP + HEIGHT * depth / (total or 1) for depth in depths]
    middles = [(upper + lower) / 2 for upper, lower in pairwise(edges)]
    names = [lines_of(layer.name) for layer in shown]
    gap = LABEL_HEIGHT + LINE * (max(map(len, names), default=1) - 1)
    labels = spread(middles, gap, TOP + HEIGHT)
    drawn = tuple(
        DrawnLayer(
            name=layer.name,
            lines=names[number],
            amount_fen=layer.amount_fen,
            fill=FILLS[number % len(FILLS)],
            texture=TEXTURES[number % len(TEXTURES)],
            outline=outline(edges[number], edges[number + 1], span, first=number == 0, last=number == len(shown) - 1),
            boundary=wave(edges[number], span) if number else "",
            leader=f"M{SECTION + 3} {middles[number]:.1f}h8L{LABEL_X - 14} {labels[number]:.1f}h9",
            label_y=round(labels[number] - LINE * (len(names[number]) - 1) / 2) - 5,
        )
        for number, layer in enumerate(shown)
    )
    lowest = labels[-1] + gap / 2 if labels else 0
    width = max([WIDTH, *(LABEL_X + width_of(line) for lines in names for line in lines)])
    return Section(layers=drawn, total_fen=total, height=round(max(TOP + HEIGHT, lowest)) + TOP, width=width)


def lines_of(name: str) -> tuple[str, ...]:
    """The name in one line, or in two where it is long and has a comma or colon to break at."""
    if width_of(name) <= WIDEST_LINE or not (found := BREAK.match(name)):
        return (name,)
    return found[1], found[2]


def width_of(name: str) -> int:
    """About how wide a label is: a Chinese character is as wide as high, a Latin letter about half of that."""
    return round(sum(15 if ord(letter) > 0x2E80 else 7.6 for letter in name)) + 4


def wave(y: float, span: int) -> str:
    """A slightly wavy edge from left to right, at `y` on the average: a wave for each SECTION."""
    up, down = y - AMPLITUDE, y + AMPLITUDE
    quarter, half = SECTION // 4, SECTION // 2
    begun = f"M0 {y:.1f}C{quarter} {down:.1f} {quarter} {up:.1f} {half} {y:.1f}"
    return begun + "".join(f"S{x + quarter} {up:.1f} {x + half} {y:.1f}" for x in range(half, span, half))


def outline(upper: float, lower: float, span: int, *, first: bool, last: bool) -> str:
    """The area from a layer's upper edge down. Every layer but the last goes a little deeper: the next one covers it."""
    edge = f"M0 {upper:.1f}H{span}" if first else wave(upper, span)
    return f"{edge}V{lower if last else lower + 2 * AMPLITUDE:.1f}H0Z"


def spread(wanted: Sequence[float], gap: float, bottom: float) -> list[float]:
    """Places at least `gap` apart, in order, as near to the wanted ones as a walk down and a walk up bring them."""
    placed: list[float] = []
    for place in wanted:
        placed.append(max(place, placed[-1] + gap if placed else gap / 2))
    limit = max(bottom, gap * len(placed)) - gap / 2
    for number in reversed(range(len(placed))):
        placed[number] = min(placed[number], limit)
        limit = placed[number] - gap
    return placed
