"""What the rules of pledging say no to, in words a person can read."""

from flask_babel import lazy_gettext as _l

from marketplace.core.errors import Refusal


class NotOpen(Refusal):
    message = _l("No programme of this bank is open just now.")


class CardGone(Refusal):
    """One sentence for a card that is taken and a voucher in use or void: the answer tells nothing about a number."""

    message = _l(
        "This could not be kept for you: the card was taken a moment ago, or the voucher is in use or no longer counts. "
        "Choose another card; if that fails as well, ask your bank."
    )


class QuotaFull(Refusal):
    message = _l("Every watch that was promised has a child by now. We promise nothing beyond it.")


class NoMoreCards(Refusal):
    message = _l("You have seen all the cards for today: three times three.")


class ChoosingOver(Refusal):
    status = 410
    message = _l("This choice has lain too long. Type the voucher once more; nothing was lost.")


class CancelledBefore(Refusal):
    message = _l("You have given a pledge back once already; this one goes its way.")


class EndedBefore(Refusal):
    message = _l("This pledge has ended already; there is nothing left to give back.")


class TooLateToCancel(Refusal):
    message = _l("The watch is being made ready already, so this cannot be cancelled any more.")


class OutsideWindow(Refusal):
    status = 422
    message = _l("With this day of issue the voucher does not count for the programme.")


class BandTooLow(Refusal):
    status = 422
    message = _l("This deposit is below what the programme asks for.")


class NoDevice(Refusal):
    message = _l("No checked device of this programme is free.")


class WrongStation(Refusal):
    message = _l("This device is not on its way to your station. Do not hand it over; call the programme office.")


class WrongCode(Refusal):
    status = 422
    message = _l("This is not the guardian's code, or it is no longer good.")


class OwnWitness(Refusal):
    status = 422
    message = _l("Clerk and witness are two people.")


class WitnessUnknown(Refusal):
    status = 422
    message = _l("The witness's own code is wrong or was used already.")


class VerifierHandsOver(Refusal):
    message = _l("Whoever verified this case takes no part in its hand-over.")


class SamePerson(Refusal):
    message = _l("Whoever nominated a child cannot verify the case.")


class DecidesOwnDispute(Refusal):
    message = _l("Whoever said that it may be wrong cannot decide it. Another person has to.")


class TookPart(Refusal):
    message = _l("Whoever handed it over cannot confirm the first call.")


class ChildKnown(Refusal):
    status = 422
    message = _l("This child has a case already.")


class ConsentMissing(Refusal):
    message = _l("The guardian has not allowed everything that this needs.")


class VaultClosed(Refusal):
    status = 410
    message = _l("What was kept about this child has been destroyed.")


class NotYourCase(Refusal):
    status = 403
    message = _l("Your role does not reach this case.")
