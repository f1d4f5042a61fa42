"""Sums of money over the days, a layer for each of what they are for: where the lines of a drawing lie. Pure."""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import accumulate
from typing import Final

from marketplace.core.records import slim_record
from marketplace.core.strata import FILLS, LABEL_HEIGHT, TEXTURES, spread

TOP: Final = 16
AXIS: Final = 26  # below the ground, for the days


@slim_record
class Frame:
    """How large a drawing is; the space right of `plot` is for labels."""

    name: str
    width: int
    plot: int
    height: int
    most_points: int
    most_ticks: int


WIDE: Final = Frame("wide", width=1184, plot=968, height=276, most_points=120, most_ticks=9)
NARROW: Final = Frame("narrow", width=358, plot=358, height=170, most_points=60, most_ticks=6)


@slim_record
class Series:
    """What one layer is for, and its sum at the end of each day (fen)."""

    name: str
    balances: tuple[int, ...]


@slim_record
class DrawnSeries:
    name: str
    amount_fen: int  # at the end of the last day
    fill: str
    texture: str
    outline: str  # from its upper edge down to the ground: the layers below cover it
    leader: str  # from its right end to its label; empty where it has none
    label_y: int


@slim_record
class Tick:
    x: int
    words: str


@slim_record
class OverTime:
    frame: Frame
    layers: tuple[DrawnSeries, ...]
    ticks: tuple[Tick, ...]
    ground: int
    grid_y: int  # of the one line across; 0 where there is none
    grid_fen: int
    height: int


def over_time(days: Sequence[date], series: Sequence[Series], frame: Frame, words: Callable[[date], str]) -> OverTime:
    """The drawing, the first series on top, each exactly as thick as its sum. `words` says a day below the ground."""
    chosen = sampled(len(days), frame.most_points)
    ground = TOP + frame.height
    depths = [[0, *accumulate(line.balances[day] for line in reversed(series))] for day in chosen]  # from the ground up
    highest = max((stack[-1] for stack in depths), default=0) or 1
    xs = [round(frame.plot * place / max(len(chosen) - 1, 1), 1) for place in range(len(chosen))]
    xs = xs if len(xs) != 1 else [0, frame.plot]
    edges = [  # of each layer from the top one on: its height on every chosen day
        [ground - frame.height * stack[len(series) - number] / highest for stack in depths] for number in range(len(series))
    ]
    labels = places(edges, ground, frame)
    drawn = tuple(
        DrawnSeries(
            name=line.name,
            amount_fen=line.balances[-1] if line.balances else 0,
            fill=FILLS[number % len(FILLS)],
            texture=TEXTURES[number % len(TEXTURES)],
            outline=outline(xs, edges[number], ground),
            leader=leader(edges, number, ground, labels[number], frame) if labels else "",
            label_y=round(labels[number]) - 5 if labels else 0,
        )
        for number, line in enumerate(series)
    )
    grid = nice(highest)
    lowest = round(labels[-1] + LABEL_HEIGHT / 2) if labels else 0
    return OverTime(
        frame=frame,
        layers=drawn,
        ticks=ticks(days, frame, words),
        ground=ground,
        grid_y=round(ground - frame.height * grid / highest) if grid else 0,
        grid_fen=grid,
        height=max(ground + AXIS, lowest),
    )


def sampled(count: int, most: int) -> list[int]:
    """Every day, or every second, third, ...; the last one always."""
    step = max(1, -(-count // most))
    return sorted({*range(count - 1, -1, -step)}) if count else []


def places(edges: list[list[float]], ground: int, frame: Frame) -> list[float]:
    """Where the labels stand; nowhere in a drawing without space for them."""
    if frame.plot == frame.width or not edges:
        return []
    return spread([middle(edges, number, ground) for number in range(len(edges))], LABEL_HEIGHT, ground)


def middle(edges: list[list[float]], number: int, ground: int) -> float:
    """Of a layer's right end."""
    below = edges[number + 1][-1] if number + 1 < len(edges) else ground
    return (edges[number][-1] + below) / 2


def leader(edges: list[list[float]], number: int, ground: int, label: float, frame: Frame) -> str:
    return f"M{frame.plot + 3} {middle(edges, number, ground):.1f}h8L{frame.plot + 20} {label:.1f}h9"


def outline(xs: Sequence[float], edge: Sequence[float], ground: int) -> str:
    """Straight from day to day, then down to the ground and back."""
    heights = edge if len(edge) == len(xs) else [*edge, *edge]
    line = "L".join(f"{x:g} {y:.1f}" for x, y in zip(xs, heights, strict=True))
    return f"M{line}V{ground}H0Z"


def nice(highest: int) -> int:
    """The largest 1, 2 or 5 with noughts that is not above `highest`; nothing below one yuan."""
    power = 10 ** (len(str(highest)) - 1)
    return next((step * power for step in (5, 2, 1) if 100 <= step * power <= highest), 0)


def ticks(days: Sequence[date], frame: Frame, words: Callable[[date], str]) -> tuple[Tick, ...]:
    """The first days of months; of a short time, some days at even distances."""
    if len(days) < 2:
        return tuple(Tick(0, words(day)) for day in days)
    firsts = [place for place, day in enumerate(days) if day.day == 1]
    if len(firsts) < 3:
        firsts = list(range(0, len(days), max(1, -(-len(days) // frame.most_ticks))))
    step = max(1, -(-len(firsts) // frame.most_ticks))
    room = frame.plot - 36  # no word beyond the end
    shown = [(round(frame.plot * place / (len(days) - 1)), days[place]) for place in firsts[::step]]
    return tuple(Tick(x, words(day)) for x, day in shown if x <= room)
