"""A page of one station's desk: its frame is the same whatever is worked on. For doors only."""

from typing import Any, Final

from flask import g, render_template
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.db import db
from marketplace.stations.models import Station

NO_STORE: Final = {"Cache-Control": "no-store"}


def page(template: str, current: str, status: int = 200, /, **shown: Any) -> ResponseReturnValue:
    """Of the station whose desk the visitor works at; `current`: the desk's link that leads here. Kept by nobody."""
    frame = {"station": db.session.get_one(Station, g.station), "desk_current": current, "waiting": 0}
    return render_template(template, **frame, today=clock.today(), **shown), status, NO_STORE
