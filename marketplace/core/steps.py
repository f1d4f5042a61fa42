"""A step that a person takes at a desk: it is run, they are told how it went, and shown how things stand. For doors only."""

from collections.abc import Callable
from typing import Any, Final

from flask import flash, redirect
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _, lazy_gettext as _l

from marketplace.core.db import in_transaction
from marketplace.core.errors import IllegalTransition, NotFound, Refusal, StaleState

TOO_LATE: Final = _l("This step was already taken or is no longer possible. Here is the current state.")


def told(refusal: Refusal) -> tuple[str, str]:
    """Its words and how they are shown: somebody else's being faster is no failure."""
    if isinstance(refusal, StaleState | IllegalTransition):
        return str(TOO_LATE), "note"
    return str(refusal.message), "failed"


def take_step(
    command: Callable[..., object],
    back: str,
    /,
    *,
    done: str = "",
    passes: tuple[type[Refusal], ...] = (),
    **arguments: Any,
) -> ResponseReturnValue:
    """Run it in a transaction of its own and go `back`. A step sent twice is taken once, and that is said.

    `done`: other words than "Done.". Raises NotFound, and what is named in `passes`: it needs a page of its own."""
    try:
        in_transaction(command, **arguments)
    except Refusal as refusal:
        if isinstance(refusal, (NotFound, *passes)):
            raise
        flash(*told(refusal))
    else:
        flash(done or _("Done."), "done")
    return redirect(back, 303)
