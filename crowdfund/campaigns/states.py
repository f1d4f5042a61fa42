"""The lives of campaigns, gifts, plans, students' places, matching funds, matches that wait, payments and receipts. Pure."""

from enum import StrEnum
from typing import Final


class CampaignState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    NEEDS_WORK = "needs_work"
    APPROVED = "approved"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    CANCELLED = "cancelled"
    DISBURSING = "disbursing"
    REPORTED = "reported"
    CLOSED = "closed"


C = CampaignState
CAMPAIGN: Final[dict[CampaignState, frozenset[CampaignState]]] = {
    C.DRAFT: frozenset({C.SUBMITTED}),
    C.SUBMITTED: frozenset({C.NEEDS_WORK, C.APPROVED}),
    C.NEEDS_WORK: frozenset({C.SUBMITTED}),
    C.APPROVED: frozenset({C.LIVE}),
    C.LIVE: frozenset({C.PAUSED, C.ENDED, C.CANCELLED}),
    C.PAUSED: frozenset({C.LIVE, C.CANCELLED}),
    C.ENDED: frozenset({C.DISBURSING}),
    C.DISBURSING: frozenset({C.REPORTED}),
    C.REPORTED: frozenset({C.CLOSED}),
    C.CANCELLED: frozenset(),
    C.CLOSED: frozenset(),
}
PUBLIC: Final = frozenset({C.LIVE, C.PAUSED, C.ENDED, C.CANCELLED, C.DISBURSING, C.REPORTED, C.CLOSED})


class ContributionState(StrEnum):
    INTENT = "intent"
    PENDING = "pending"
    RECEIVED = "received"
    LAPSED = "lapsed"


G = ContributionState
CONTRIBUTION: Final[dict[ContributionState, frozenset[ContributionState]]] = {
    G.INTENT: frozenset({G.PENDING}),
    G.PENDING: frozenset({G.RECEIVED, G.LAPSED}),
    G.RECEIVED: frozenset(),
    G.LAPSED: frozenset(),
}


class PlanState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"


P = PlanState
PLAN: Final[dict[PlanState, frozenset[PlanState]]] = {
    P.ACTIVE: frozenset({P.PAUSED, P.STOPPED}),
    P.PAUSED: frozenset({P.ACTIVE, P.STOPPED}),
    P.STOPPED: frozenset(),
}


class InstallmentState(StrEnum):
    DUE = "due"
    CHARGING = "charging"
    RECEIVED = "received"
    FAILED = "failed"


N = InstallmentState
INSTALLMENT: Final[dict[InstallmentState, frozenset[InstallmentState]]] = {
    N.DUE: frozenset({N.CHARGING}),
    N.CHARGING: frozenset({N.RECEIVED, N.FAILED}),
    N.FAILED: frozenset({N.CHARGING}),  # four times at most
    N.RECEIVED: frozenset(),
}


class FundState(StrEnum):
    DRAFT = "draft"
    FUNDED = "funded"
    ACTIVE = "active"
    EXHAUSTED = "exhausted"
    CLOSED = "closed"


F = FundState
MATCHING_FUND: Final[dict[FundState, frozenset[FundState]]] = {
    F.DRAFT: frozenset({F.FUNDED, F.CLOSED}),
    F.FUNDED: frozenset({F.ACTIVE, F.CLOSED}),
    F.ACTIVE: frozenset({F.EXHAUSTED, F.CLOSED}),
    F.EXHAUSTED: frozenset({F.ACTIVE, F.CLOSED}),  # active again when a gift gives its match back
    F.CLOSED: frozenset(),
}


class HeldState(StrEnum):
    HELD = "held"
    PROPOSED = "proposed"  # one person has decided; the sum wants a second
    RELEASED = "released"
    DENIED = "denied"
    LAPSED = "lapsed"  # its gift or its fund went back before anybody decided


H = HeldState
HELD_MATCH: Final[dict[HeldState, frozenset[HeldState]]] = {
    H.HELD: frozenset({H.PROPOSED, H.RELEASED, H.DENIED, H.LAPSED}),
    H.PROPOSED: frozenset({H.HELD, H.RELEASED, H.DENIED, H.LAPSED}),  # held again when the second person disagrees
    H.RELEASED: frozenset(),
    H.DENIED: frozenset(),
    H.LAPSED: frozenset(),
}
WAITS: Final = frozenset({H.HELD, H.PROPOSED})


class DisbursementState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAYING = "paying"
    FAILED = "failed"
    PAID = "paid"
    EVIDENCED = "evidenced"


D = DisbursementState
DISBURSEMENT: Final[dict[DisbursementState, frozenset[DisbursementState]]] = {
    D.REQUESTED: frozenset({D.APPROVED, D.REJECTED}),
    D.APPROVED: frozenset({D.PAYING, D.REJECTED}),  # called off before the bank was told
    D.PAYING: frozenset({D.PAID, D.FAILED}),
    D.FAILED: frozenset({D.PAYING, D.REJECTED}),  # given up: its money is the campaign's again
    D.PAID: frozenset({D.EVIDENCED}),
    D.EVIDENCED: frozenset(),
    D.REJECTED: frozenset(),
}
TAKEN: Final = frozenset({D.APPROVED, D.PAYING, D.FAILED, D.PAID, D.EVIDENCED})  # money that no other request may count on


class PlaceState(StrEnum):
    OFFERED = "offered"
    HELD = "held"
    TAKEN = "taken"
    LEFT = "left"
    FINISHED = "finished"


L = PlaceState
STUDENT_PLACE: Final[dict[PlaceState, frozenset[PlaceState]]] = {
    L.OFFERED: frozenset({L.HELD, L.TAKEN, L.LEFT, L.FINISHED}),  # taken at once by a sponsor who comes from another place
    L.HELD: frozenset({L.TAKEN, L.OFFERED, L.LEFT}),
    L.TAKEN: frozenset({L.OFFERED, L.LEFT, L.FINISHED}),
    L.LEFT: frozenset(),
    L.FINISHED: frozenset(),
}


class SponsorshipState(StrEnum):
    BEGUN = "begun"
    ACTIVE = "active"
    ENDED = "ended"


S = SponsorshipState
SPONSORSHIP: Final[dict[SponsorshipState, frozenset[SponsorshipState]]] = {
    S.BEGUN: frozenset({S.ACTIVE, S.ENDED}),
    S.ACTIVE: frozenset({S.ENDED}),
    S.ENDED: frozenset(),
}


class TermState(StrEnum):
    OPENED = "opened"
    PROVED = "proved"
    ENROLLED = "enrolled"
    BILLED = "billed"
    VOID = "void"


T = TermState
SCHOOL_TERM: Final[dict[TermState, frozenset[TermState]]] = {
    T.OPENED: frozenset({T.PROVED, T.VOID}),
    T.PROVED: frozenset({T.ENROLLED, T.OPENED, T.VOID}),  # open again where the second person did not believe the proof
    T.ENROLLED: frozenset({T.BILLED, T.VOID}),
    T.BILLED: frozenset({T.ENROLLED}),  # its payment was rejected
    T.VOID: frozenset(),
}


class ReceiptState(StrEnum):
    ISSUED = "issued"
    VOIDED = "voided"
    REISSUED = "reissued"
    WAIVED = "waived"


R = ReceiptState
RECEIPT: Final[dict[ReceiptState, frozenset[ReceiptState]]] = {
    R.ISSUED: frozenset({R.VOIDED, R.WAIVED}),
    R.VOIDED: frozenset({R.REISSUED}),
    R.REISSUED: frozenset(),
    R.WAIVED: frozenset(),
}
