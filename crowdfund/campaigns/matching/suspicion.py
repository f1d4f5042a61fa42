"""When the match of a gift waits for a person: rules over what is known of it, each with its reason. Pure.

They follow docs/fraud-model.md. The figures were chosen on one set of simulated crowds and are reported on others:
`make bench ARGS=matching`. No rule denies anything."""

from enum import StrEnum
from typing import Any, Final

from marketplace.core.records import slim_record


@slim_record
class Evidence:
    """Of one gift that would get `fen`. What is counted is of the same fund and its top-ups, of other givers, and before."""

    fen: int
    giver_cap_fen: int
    own_fen: int = 0  # what this giver has already
    tied_givers: int = 0  # others with the same card or device
    tied_fen: int = 0
    crowd_givers: int = 0  # others on the same network within a week, each near the cap of a giver, paid by no known card
    crowd_fen: int = 0
    network_givers: int = 0  # all others on the same network within a week, near the cap or not
    has_sponsors_card: bool = False
    is_on_sponsors_network: bool = False
    is_insider: bool = False  # answers for the campaign or the fund, or works at its station
    is_provider: bool = False  # the name of somebody whom the campaign pays
    echoes_payment: bool = False  # the sum that a provider was paid shortly before, to the fen
    came_back: int = 0  # gifts with this card or device, or of this giver, that gave a match back


@slim_record
class Thresholds:
    """In per cent of the cap of a giver, but for counts."""

    tied_percent: int = 150  # a family shares a phone: all of it together may have this much
    tied_each_percent: int = 30  # on average: a school's phone is passed around for small gifts
    crowd_givers: int = 3
    crowd_percent: int = 50  # of all on the network: an office, a school or a carrier has many who give little
    near_percent: int = 80  # from here on a match is near the cap
    interest_percent: int = 30  # who has an interest may give so much without waiting
    came_back: int = 1


CHOSEN: Final = Thresholds()


class Why(StrEnum):
    TIED = "tied"
    CROWD = "crowd"
    SPONSORS_CARD = "sponsors_card"
    SPONSORS_NETWORK = "sponsors_network"
    INSIDER = "insider"
    PROVIDER = "provider"
    ECHO = "echo"
    CAME_BACK = "came_back"


Reason = dict[str, Any]
"""`code`, one of Why, and the figures that its words need; as it is stored."""


def reasons(known: Evidence, bounds: Thresholds = CHOSEN) -> list[Reason]:
    """All that speak for waiting; nothing: the match is made at once."""
    together = known.own_fen + known.fen
    found: list[Reason] = []
    tied_fen, each_fen = known.tied_fen + together, (known.tied_fen + together) // (known.tied_givers + 1)
    is_some = known.tied_givers and is_over(each_fen, known, bounds.tied_each_percent)
    if is_some and is_over(tied_fen, known, bounds.tied_percent):
        found.append({"code": Why.TIED, "givers": known.tied_givers, "fen": tied_fen})
    is_near = is_over(together, known, bounds.near_percent)
    is_most = known.crowd_givers * 100 >= known.network_givers * bounds.crowd_percent
    if is_near and is_most and known.crowd_givers >= bounds.crowd_givers:
        found.append({"code": Why.CROWD, "givers": known.crowd_givers, "fen": known.crowd_fen})
    if known.came_back >= bounds.came_back:
        found.append({"code": Why.CAME_BACK, "gifts": known.came_back})
    if is_over(together, known, bounds.interest_percent):
        found += [{"code": code} for code, applies in interests(known, is_near=is_near) if applies]
    return found


def interests(known: Evidence, *, is_near: bool) -> tuple[tuple[Why, bool], ...]:
    """Staff of a sponsor give from its network because they were asked to: there only sums near the cap count."""
    return (
        (Why.SPONSORS_CARD, known.has_sponsors_card),
        (Why.SPONSORS_NETWORK, known.is_on_sponsors_network and is_near),
        (Why.INSIDER, known.is_insider),
        (Why.PROVIDER, known.is_provider),
        (Why.ECHO, known.echoes_payment),
    )


def is_over(fen: int, known: Evidence, percent: int) -> bool:
    return fen * 100 >= known.giver_cap_fen * percent
