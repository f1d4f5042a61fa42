"""What phones and conflicts are told in plain words."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

from marketplace.orders import desk
from marketplace.orders.offline.states import ActState as A, Decision, Problem

STEP_WORDS: Final[dict[str, LazyString]] = desk.STEP_WORDS | {"no-show": _l("Not collected")}
DONE_WORDS: Final[dict[str, LazyString]] = {
    "acceptance": _l("accepted"),
    "collection": _l("growers asked"),
    "packing": _l("packed"),
    "dispatch": _l("given to the courier"),
    "shelving": _l("put on the pickup shelf"),
    "pickup": _l("handed over"),
    "no-show": _l("nobody came"),
    "delivery": _l("arrived"),
    "second-shelving": _l("kept longer"),
}
FIELD_WORDS: Final[dict[str, LazyString]] = {
    "shelf": _l("Shelf"),
    "carrier": _l("Courier"),
    "tracking_number": _l("Tracking number"),
    "code": _l("Pickup code"),
}
STATE_WORDS: Final[dict[str, LazyString]] = {
    "here": _l("in this phone"),
    "sent": _l("reached the books"),
    A.WAITING: _l("delivered, waits for the step before"),
    A.CONFLICT: _l("in conflict"),
}
PROBLEM_WORDS: Final[dict[Problem, LazyString]] = {
    Problem.NO_SUCH_PARCEL: _l("This station has no such parcel."),
    Problem.WENT_OTHERWISE: _l("Meanwhile something else was done with this parcel."),
    Problem.OTHER_DETAILS: _l("Two people did the same, but wrote it down differently."),
    Problem.HANDED_OVER_TWICE: _l("This parcel was handed over twice. Find out who has the goods."),
    Problem.WRONG_CODE: _l("The pickup code was wrong, but the goods may be gone. Ask whoever was at the desk."),
    Problem.DISPUTED: _l("The buyer's bank disputes the payment, so it should not have left."),
    Problem.NOT_POSSIBLE: _l("This step is not possible with this parcel."),
    Problem.NOT_UNDERSTOOD: _l("Something in it could not be read."),
    Problem.NEVER_CAME: _l("The step before it has not come for a day. Is a phone still without a network?"),
    Problem.FOLLOWS_DISMISSED: _l("The step before it was set aside, so this one has nothing to stand on."),
}
DECISION_WORDS: Final[dict[Decision, LazyString]] = {
    Decision.LEAVE: _l("Set it aside, the parcel stays as it is"),
    Decision.AGAIN: _l("Do it now"),
    Decision.MINE: _l("What this phone wrote is right"),
}
SCREEN: Final[dict[str, LazyString]] = {
    "online": _l("There is a network. Everything is delivered."),
    "conflicts": _l("There is a network. Delivered, but {n} do not fit: somebody has to decide."),
    "sending": _l("There is a network. Being delivered: {n}."),
    "offline": _l("No network, carry on. In this phone: {n}. It is sent by itself later."),
    "quiet": _l("No network, carry on. What you write down is sent by itself later."),
    "full": _l("This phone is full, so its list cannot be renewed. Make room on it. Not delivered yet: {n}."),
    "nothing": _l("This phone has no list yet. Open this page once with a network."),
    "ended": _l("You are signed out here. Sign in again; what was not delivered is kept and then sent."),
    "old": _l("This list is of another day. It is renewed as soon as there is a network."),
    "elsewhere": _l("This phone works for another station now. Choose the station again, then it is sent."),
    "unknown": _l("This code belongs to no parcel on this list."),
    "right": _l("Right. Written down."),
    "wrong": _l("This is not the pickup code."),
    "used": _l("This was written down in this phone already."),
    "tired": _l("Too many wrong codes. Wait for a network and ask the buyer again."),
    "missing": _l("Please fill this in."),
    "unfit": _l("This does not fit: a shelf has up to 12 characters, a tracking number 6 to 40 letters and digits."),
    "not_kept": _l("It could not be written down. Free some space on this phone, then try again."),
    "camera": _l("Scan with the camera"),
    "no_camera": _l("The camera could not be opened. Type the code instead."),
    "shelf": _l("Shelf"),
    "fetched": _l("pickup here"),
    "shipped": _l("by courier"),
    "by": _l("by {day}"),
    "due": _l("by tonight: {n}"),
    "updated": _l("List of {time}"),
    "part": _l("List of {time}: the most urgent. {n} more come up as these are done."),
    "none": _l("Nothing waiting here."),
    "no_acts": _l("Nothing was written down here today."),
    "stop": _l("Stop scanning"),
}
"""What the script on the desk's page says; {n}, {day} and {time} are filled in by it."""
