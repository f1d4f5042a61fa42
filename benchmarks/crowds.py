"""Crowds that give to one campaign with a matching fund, honest and not, as docs/fraud-model.md says: labelled, by a seed.

Nothing here knows the rules, and the rules never see a label."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

CAP: Final = 20_000  # fen for one giver
SIZE: Final = 1_500  # gifts, about
START: Final = datetime(2026, 9, 1, 0, tzinfo=UTC)
DAYS: Final = 20
CHIPS: Final = (1000, 2000, 5000, 10_000, 20_000)
WEIGHTS: Final = (25, 30, 22, 15, 8)
HONEST, OWN, CHEAT = "honest", "own", "cheat"
PROVIDER: Final = "晋阳示例书店"
PAID_FEN: Final = 18_240  # what the provider got, to the fen
SPONSORS_CARD, SPONSORS_NETWORK = "card-sponsor", "net-sponsor"


@dataclass(frozen=True, slots=True)
class Given:
    """`label`: OWN is a cheat's gift to whose match they have a right, as everybody has; it counts as neither.

    `officer`: given from an account that answers for the campaign; `back_after`: the bank takes it back then."""

    at: datetime
    who: str
    fen: int
    kind: str
    label: str = HONEST
    card: str = ""
    device: str = ""
    network: str = ""
    name: str = ""
    officer: int = 0
    back_after: timedelta | None = None


def crowd(seed: int, size: int = SIZE) -> list[Given]:
    """In the order in which they come."""
    chance = random.Random(seed)
    given: list[Given] = []
    for part in PARTS:
        given += part(chance, size)
    return sorted(given, key=lambda each: (each.at, each.who))


def moment(chance: random.Random) -> datetime:
    """Two of five give on the giving day, most in the evening."""
    day = 9 if chance.random() < 0.4 else chance.randrange(DAYS)
    hour = min(23.9, max(6.0, chance.gauss(19.5, 3.5)))
    return START + timedelta(days=day, hours=hour - 8)


def sum_of(chance: random.Random) -> int:
    if chance.random() < 0.1:
        return chance.randrange(100, 30_000)
    return chance.choices(CHIPS, WEIGHTS)[0]


def token(chance: random.Random, kind: str) -> str:
    return f"{kind}-{chance.getrandbits(48):012x}"


def card(chance: random.Random) -> str:
    """Wallets do not say which card."""
    return token(chance, "card") if chance.random() < 0.55 else ""


def network(chance: random.Random) -> str:
    return f"carrier-{chance.randrange(3)}" if chance.random() < 0.3 else token(chance, "net")


def one(chance: random.Random, kind: str, at: datetime, fen: int, **given: object) -> Given:
    made = Given(at, token(chance, "who"), fen, kind, HONEST, card(chance), token(chance, "dev"), network(chance))
    return replace(made, **given)  # type: ignore[arg-type]


def singles(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(int(size * 0.5)):
        yield one(chance, "single", moment(chance), sum_of(chance))


def families(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(int(size * chance.uniform(0.08, 0.15) / 3)):
        home, shared, evening = token(chance, "net"), chance.random(), moment(chance)
        device, paid = token(chance, "dev"), token(chance, "card")
        for _member in range(chance.randint(2, 5)):
            at = evening + timedelta(minutes=chance.randrange(40)) if chance.random() < 0.5 else moment(chance)
            tie = {"device": device} if shared < 0.2 else {"card": paid} if shared < 0.33 else {}
            fen = chance.choices(CHIPS, (35, 32, 20, 9, 4))[0]
            yield one(chance, "family", at, fen, network=home, **tie)


def offices(chance: random.Random, size: int) -> Iterator[Given]:
    left = int(size * chance.uniform(0.1, 0.2))
    while left > 0:
        floor, payday = token(chance, "net"), START + timedelta(days=chance.choice((4, 9, 14)), hours=chance.uniform(1, 8))
        listed = chance.choices((2000, 5000, 10_000, 20_000), (30, 40, 20, 10))[0]
        people = min(left, chance.randint(15, 60))
        left -= people
        for _person in range(people):
            fen = listed if chance.random() < 0.7 else sum_of(chance)
            yield one(chance, "office", payday + timedelta(minutes=chance.randrange(120)), fen, network=floor)


def schools(chance: random.Random, _size: int) -> Iterator[Given]:
    for _ in range(chance.randint(1, 2)):
        hall, noon = token(chance, "net"), START + timedelta(days=chance.randrange(DAYS), hours=4)
        phones = [token(chance, "dev") for _phone in range(4)]
        for _child in range(chance.randint(50, 150)):
            at = noon + timedelta(minutes=chance.randrange(30))
            where = {"network": hall, "device": chance.choice(phones), "card": ""}
            yield one(chance, "school", at, chance.choice((500, 1000, 2000)), **where)


def regulars(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(int(size * chance.uniform(0.05, 0.1) / 3)):
        first = one(chance, "regular", START + timedelta(days=chance.uniform(0, 6)), sum_of(chance))
        for week in range(3):
            yield replace(first, at=first.at + timedelta(weeks=week))


def officers(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(max(2, int(size * chance.uniform(0.005, 0.01)))):
        fen = chance.choice((1000, 2000, 5000))
        yield one(chance, "officer", moment(chance), fen, officer=chance.randint(1, 40))


def staff(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(int(size * chance.uniform(0.02, 0.04))):
        fen = chance.choices((1000, 2000, 5000, 20_000), (40, 40, 18, 2))[0]
        yield one(chance, "sponsor's staff", moment(chance), fen, network=SPONSORS_NETWORK)


def charged_back(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(max(1, round(size * 0.002))):
        first = one(chance, "charged back", moment(chance), sum_of(chance), card=token(chance, "card"))
        yield replace(first, back_after=timedelta(days=chance.uniform(2, 6)))
        if chance.random() < 0.5:
            yield replace(first, at=first.at + timedelta(days=8), fen=sum_of(chance))


def labelled(parts: list[Given]) -> Iterator[Given]:
    """Of one person under many names: what they may have like everybody is theirs, the rest is not."""
    had = 0
    for part in sorted(parts, key=lambda each: each.at):
        yield replace(part, label=OWN if had + min(part.fen, CAP) <= CAP else CHEAT)
        had += min(part.fen, CAP)


def careless(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(max(1, round(size * chance.uniform(0.005, 0.02) / 8))):
        start, home, phone = moment(chance), token(chance, "net"), token(chance, "dev")
        cards = [token(chance, "card") for _card in range(chance.randint(1, 2))]
        names = range(chance.randint(4, 12))
        where = {"network": home, "device": phone}
        parts = [one(chance, "splitter, careless", start, CAP, card=chance.choice(cards), **where) for _name in names]
        yield from labelled([replace(each, at=each.at + timedelta(minutes=chance.randrange(100))) for each in parts])


def careful(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(max(1, round(size * chance.uniform(0.003, 0.01) / 7))):
        home, wallet = token(chance, "net"), chance.random() < 0.3
        cards = [token(chance, "card") for _card in range(chance.randint(1, 3))]
        parts = []
        for _name in range(chance.randint(4, 10)):
            where = home if chance.random() < 0.6 else f"carrier-{chance.randrange(3)}"
            paid = "" if wallet else chance.choice(cards)
            fen = int(CAP * chance.uniform(0.8, 1))
            parts.append(one(chance, "splitter, careful", moment(chance), fen, network=where, card=paid))
        yield from labelled(parts)


def expert(chance: random.Random, size: int) -> Iterator[Given]:
    parts = [
        one(chance, "splitter, expert", moment(chance), int(CAP * chance.uniform(0.7, 1)))
        for _ in range(max(2, round(size * chance.uniform(0.001, 0.005))))
    ]
    yield from labelled(parts)


def providers(chance: random.Random, size: int) -> Iterator[Given]:
    """Paid on the third day; the money comes round after that."""
    paid = token(chance, "card")
    for _ in range(max(1, round(size * chance.uniform(0.001, 0.004)))):
        at = START + timedelta(days=chance.uniform(4, DAYS))
        if chance.random() < 0.5:
            yield one(chance, "provider", at, CAP, label=CHEAT, card=paid)
        elif chance.random() < 0.5:
            yield one(chance, "provider", at, PAID_FEN, label=CHEAT)
        else:
            yield one(chance, "provider", at, CAP, label=CHEAT, name=PROVIDER)


def insiders(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(max(1, round(size * chance.uniform(0.001, 0.004)))):
        yield one(chance, "insider", moment(chance), CAP, label=CHEAT, officer=chance.randint(41, 80))


def puppets(chance: random.Random, size: int) -> Iterator[Given]:
    for _ in range(max(1, round(size * chance.uniform(0.002, 0.008) / 5))):
        with_card = chance.random() < 0.5
        for _name in range(chance.randint(3, 8)):
            where = {"card": SPONSORS_CARD} if with_card else {"network": SPONSORS_NETWORK}
            fen = int(CAP * chance.uniform(0.6, 1))
            yield one(chance, "sponsor's puppets", moment(chance), fen, label=CHEAT, **where)


def takers_back(chance: random.Random, size: int) -> Iterator[Given]:
    """The first time nobody can know; what they do again after a match went back is the cheat."""
    for _ in range(max(1, round(size * chance.uniform(0.001, 0.004) / 3))):
        first = one(chance, "takes it back", moment(chance), CAP, label=OWN, card=token(chance, "card"))
        soon = timedelta(days=chance.uniform(0.5, 2))
        for time in range(3):
            label = OWN if time == 0 else CHEAT
            who = token(chance, "who") if time else first.who
            yield replace(first, at=first.at + time * timedelta(days=2.2), who=who, label=label, back_after=soon)


PARTS: Final = (
    *(singles, families, offices, schools, regulars, officers, staff, charged_back),
    *(careless, careful, expert, providers, insiders, puppets, takers_back),
)
