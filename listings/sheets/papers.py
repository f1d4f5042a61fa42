"""The papers of goods in a cell: kind, what it says and its number, as `有机：有机小米：CN-123`.

A paper that is there already keeps its picture, and what the station has seen of it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from listings.certificates import MOST, paper
from listings.sheets.wrong import MOST_OF_A_NAME, Wrong

KINDS: Final = {
    "geographical_indication": ("地理标志", "Geographical indication"),
    "organic": ("有机", "Organic"),
    "green_food": ("绿色食品", "Green food"),
    "test_report": ("检测报告", "Test report"),
    "food_licence": ("食品许可证", "Food licence"),
    "other": ("别的证", "Another paper"),
}
BY_WORD: Final = {word.lower(): kind for kind, words in KINDS.items() for word in (kind, *words)}
BETWEEN_PAPERS: Final = re.compile(r"[;；\n]")
COLON: Final = re.compile(r"\s*[:：]\s*")
NAME, NUMBER = (2, 40), (1, 40)  # characters, as on its own page

Paper = dict[str, Any]


def read(text: str) -> list[Paper]:
    """Raises Wrong."""
    found: list[Paper] = []
    for cell in filter(None, (part.strip() for part in BETWEEN_PAPERS.split(text))):
        one = read_one(cell)
        if one not in found:
            found.append(one)
    if len(found) > MOST:
        raise Wrong("too_many_papers", {"now": len(found), "most": MOST})
    return found


def read_one(cell: str) -> Paper:
    """Its kind stands before the first colon, its number behind the last."""
    kind, _colon, rest = COLON.sub(":", cell).partition(":")
    name, _colon, number = rest.rpartition(":")
    if not name:
        raise Wrong("paper_parts", {"typed": cell[:MOST_OF_A_NAME]})
    if kind.lower() not in BY_WORD:
        raise Wrong("paper_kind", {"typed": kind[:MOST_OF_A_NAME], "kinds": "、".join(zh for zh, _en in KINDS.values())})
    for words, (least, most) in ((name, NAME), (number, NUMBER)):
        if not least <= len(words) <= most:
            raise Wrong("length", {"now": len(words), "least": least, "most": most})
    return paper(BY_WORD[kind.lower()], name, number, None)


def in_words(papers: Sequence[Mapping[str, Any]]) -> str:
    """As a cell says it, and an export."""
    return "；".join(f"{kind_in_words(each['kind'])}：{each['name_zh']}：{each['number']}" for each in papers)


def kind_in_words(kind: str) -> str:
    return KINDS[kind][0] if kind in KINDS else kind


def kept(papers: Sequence[Paper], *known: Sequence[Paper]) -> list[Paper]:
    """Each as it is known already, with its picture, where it is."""
    there = {said(each): each for papers_known in reversed(known) for each in papers_known}
    return [there.get(said(each), each) for each in papers]


def said(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["kind"], one["name_zh"], one["number"]
