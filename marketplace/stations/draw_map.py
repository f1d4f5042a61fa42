"""Draw the map of the province once: `python -m marketplace.stations.draw_map` turns boundaries.geojson into map.json.

Borders that two counties share are simplified once and used by both, so that no gap opens between them."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
COUNTIES: Final = HERE.parent / "demo" / "counties.csv"
WIDTH: Final = 720  # two units for a pixel of a phone's map, so that whole numbers are fine enough
MARGIN: Final = 12
TOLERANCE: Final = 1.9  # units: a border may be off by about one pixel of a phone
MARK_SPACING: Final = 49.0  # two hit areas of 24 pixels do not overlap
HILL: Final = cos(radians(37.6))  # how much shorter a degree of longitude is here

Point = tuple[float, float]
Edge = frozenset[Point]
Ring = list[Point]


def draw(boundaries: dict[str, Any], seats: dict[str, Point]) -> dict[str, Any]:
    """The province's outline, and for each of the 58 its shape, its mark, its box and the counties it touches."""
    project = projection(boundaries)
    rings: dict[str, Ring] = {}
    for feature in boundaries["features"]:
        code = feature["properties"]["poverty_code"] or feature["properties"]["code"]
        rings[code] = [project((x, y)) for x, y in feature["geometry"]["coordinates"][0]]
    owners = owners_of_edges(rings)
    simple = simplify_all(rings, owners)
    marks = spread({code: project(seat) for code, seat in seats.items()})
    height = max(y for ring in rings.values() for _x, y in ring) + MARGIN
    return {
        "width": WIDTH,
        "height": round(height),
        "outline": path(max(outlines(simple), key=len)),  # the shorter ones are towns that lie inside one county
        "counties": {
            code: {
                "path": path(simple[code]),
                "mark": [round(value) for value in marks[code]],
                "box": box(simple[code]),
                "near": sorted(neighbours(code, owners) & seats.keys()),
            }
            for code in sorted(seats)
        },
    }


def projection(boundaries: dict[str, Any]) -> Any:
    points = [point for feature in boundaries["features"] for point in feature["geometry"]["coordinates"][0]]
    west, east = min(x for x, _y in points), max(x for x, _y in points)
    north = max(y for _x, y in points)
    scale = (WIDTH - 2 * MARGIN) / ((east - west) * HILL)
    return lambda point: (MARGIN + (point[0] - west) * HILL * scale, MARGIN + (north - point[1]) * scale)


def owners_of_edges(rings: dict[str, Ring]) -> dict[Edge, set[str]]:
    owners: dict[Edge, set[str]] = defaultdict(set)
    for code, ring in rings.items():
        for edge in pairwise(ring):
            owners[frozenset(edge)].add(code)
    return owners


def neighbours(code: str, owners: dict[Edge, set[str]]) -> set[str]:
    return set().union(*(codes for codes in owners.values() if code in codes)) - {code}


def simplify_all(rings: dict[str, Ring], owners: dict[Edge, set[str]]) -> dict[str, Ring]:
    """Each ring again with fewer points; the stretch between two meeting points is the same for both its sides."""
    junctions = meeting_points(owners)
    known: dict[tuple[Point, ...], Ring] = {}
    simple = {}
    for code, ring in rings.items():
        points: Ring = []
        for arc in arcs(ring, junctions):
            forward = arc[0] <= arc[-1] if arc[0] != arc[-1] else arc[1] <= arc[-2]
            key = tuple(arc if forward else reversed(arc))
            shape = known.setdefault(key, simplify(list(key)))
            points += (shape if forward else shape[::-1])[:-1]
        simple[code] = [*points, points[0]]
    return simple


def meeting_points(owners: dict[Edge, set[str]]) -> set[Point]:
    """Where more than two borders meet, or where a border reaches the edge of the province."""
    borders: dict[Point, set[frozenset[str]]] = defaultdict(set)
    for edge, codes in owners.items():
        for point in edge:
            borders[point].add(frozenset(codes))
    return {point for point, sides in borders.items() if len(sides) > 1}


def arcs(ring: Ring, junctions: set[Point]) -> Iterator[Ring]:
    start = next((number for number, point in enumerate(ring[:-1]) if point in junctions), 0)
    closed = ring[start:-1] + ring[: start + 1]
    arc = [closed[0]]
    for point in closed[1:]:
        arc.append(point)
        if point in junctions:
            yield arc
            arc = [point]
    if len(arc) > 1:
        yield arc


def simplify(arc: Ring) -> Ring:
    """Douglas and Peucker: keep a point only if the line without it would be off by more than the tolerance."""
    if len(arc) < 3:
        return arc
    distances = [distance(point, arc[0], arc[-1]) for point in arc[1:-1]]
    farthest = max(range(len(distances)), key=distances.__getitem__) + 1
    if distances[farthest - 1] <= TOLERANCE:
        return [arc[0], arc[-1]]
    return simplify(arc[: farthest + 1])[:-1] + simplify(arc[farthest:])


def distance(point: Point, start: Point, end: Point) -> float:
    length = hypot(end[0] - start[0], end[1] - start[1])
    if not length:
        return hypot(point[0] - start[0], point[1] - start[1])
    along = (point[0] - start[0]) * (end[0] - start[0]) + (point[1] - start[1]) * (end[1] - start[1])
    share = min(max(along / length**2, 0), 1)
    nearest = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
    return hypot(point[0] - nearest[0], point[1] - nearest[1])


def outlines(rings: dict[str, Ring]) -> Iterator[Ring]:
    """The edges that only one county has, walked around."""
    outer = {}
    owners = owners_of_edges(rings)
    for ring in rings.values():
        outer.update({start: end for start, end in pairwise(ring) if len(owners[frozenset((start, end))]) == 1})
    while outer:
        start, point = outer.popitem()
        ring = [start, point]
        while point != start:
            point = outer.pop(point)
            ring.append(point)
        yield ring


def spread(marks: dict[str, Point]) -> dict[str, Point]:
    """Push marks that stand too close apart, each by half of what is missing, until a finger finds every one."""
    places = dict(marks)
    for _turn in range(400):
        moved = False
        for one, other in ((a, b) for a in places for b in places if a < b):
            (x1, y1), (x2, y2) = places[one], places[other]
            apart = hypot(x2 - x1, y2 - y1)
            if apart < MARK_SPACING:
                moved = True
                step = (MARK_SPACING - apart) / 2 + 0.1
                dx, dy = (x2 - x1) / apart * step, (y2 - y1) / apart * step
                places[one], places[other] = (x1 - dx, y1 - dy), (x2 + dx, y2 + dy)
        if not moved:
            break
    return places


def path(ring: Ring) -> str:
    """Whole units, each step from the last: the shortest way to write a shape."""
    points = [(round(x), round(y)) for x, y in ring]
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(points[:-1]) if (x1, y1) != (x2, y2)]
    return f"M{points[0][0]} {points[0][1]}l" + " ".join(f"{dx} {dy}" for dx, dy in steps).replace(" -", "-") + "z"


def box(ring: Ring) -> list[int]:
    """Left, top, right, bottom."""
    xs, ys = [x for x, _y in ring], [y for _x, y in ring]
    return [round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))]


def drawn() -> dict[str, Any]:
    """The map of the files as they stand."""
    boundaries = json.loads((HERE / "boundaries.geojson").read_text(encoding="utf-8"))
    with COUNTIES.open(encoding="utf-8") as file:
        seats = {row["code"]: (float(row["lon"]), float(row["lat"])) for row in csv.DictReader(file)}
    return draw(boundaries, seats)


if __name__ == "__main__":
    text = json.dumps(drawn(), ensure_ascii=False, separators=(",", ":"))
    (HERE / "map.json").write_text(text.replace("},", "},\n") + "\n", encoding="utf-8")
