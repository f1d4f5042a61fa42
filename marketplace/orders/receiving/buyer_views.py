"""/orders/<number>/substitutes: the buyer takes what is offered instead, or would rather have the money."""

from collections.abc import Callable

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.accounts.permissions import requires
from marketplace.core.db import db
from marketplace.core.steps import take_step
from marketplace.orders import access
from marketplace.orders.receiving import substituting

bp = Blueprint("substitutes", __name__)


@bp.post("/orders/<number>/substitutes/<substitute>/acceptance")
@requires("order.follow")
def create_acceptance(number: str, substitute: str) -> ResponseReturnValue:
    return answer(substituting.accept, number, substitute, _("Thank you. It is packed with the rest."))


@bp.post("/orders/<number>/substitutes/<substitute>/refusal")
@requires("order.follow")
def create_refusal(number: str, substitute: str) -> ResponseReturnValue:
    return answer(substituting.decline, number, substitute, _("The money is on its way back to you."))


def answer(command: Callable[..., None], number: str, substitute: str, done: str) -> ResponseReturnValue:
    """Raises NotFound for who may not see the order, and for an offer of another one."""
    access.get_visible(db.session(), number)
    back = url_for("orders.show_order", number=number)
    return take_step(command, back, done=done, number=number, substitute=substitute, actor=access.actor())
