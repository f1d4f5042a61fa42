"""What a typed text was understood as: slots, each of which a good answer should fill."""

from dataclasses import dataclass, field
from enum import Enum, auto

from search_index.query import ReadAs


class Kind(Enum):
    """How a choice is looked for."""

    WORD = auto()  # Chinese text in titles, tags and descriptions
    ENGLISH = auto()  # a stem in English titles
    PLACE = auto()  # the name of a county, prefecture or a place within
    AMOUNT = auto()  # “2500g” in units
    MONTH = auto()  # of the harvest


class Role(Enum):
    GOODS = auto()
    PLACE = auto()
    TRAIT = auto()  # organic, halal, stone-ground: what goods are like
    PURPOSE = auto()  # a gift, for a stew, for an elder: says what the goods are good for
    AMOUNT = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """Some typed text read as one or more words, all of them meant (several when they sound alike)."""

    typed: str
    words: tuple[tuple[str, float], ...]  # each with its worth, the best first
    read_as: ReadAs | None = None
    is_english: bool = False


@dataclass(slots=True)
class Slot:
    typed: str
    role: Role
    choices: dict[tuple[Kind, str], float] = field(default_factory=dict)
    hints: dict[tuple[Kind, str], float] = field(default_factory=dict)  # parts of the word: near it, but not it

    def hint(self, kind: Kind, text: str, worth: float) -> None:
        self.hints[kind, text] = max(self.hints.get((kind, text), 0.0), worth)

    def add(self, kind: Kind, text: str, worth: float) -> None:
        self.choices[kind, text] = max(self.choices.get((kind, text), 0.0), worth)
