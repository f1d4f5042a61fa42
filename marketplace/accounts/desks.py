"""Where somebody's roles let them work: what a person with several of them is asked after signing in."""

from collections.abc import Callable, Sequence
from typing import Final

from flask import current_app, url_for
from flask_babel import LazyString, lazy_gettext as _l
from sqlalchemy.orm import Session

from marketplace.accounts.visitors import Visitor
from marketplace.core.records import record

NamesOfStations = Callable[[Session, Sequence[str]], dict[str, str]]

DESKS: Final[tuple[tuple[frozenset[str], str, LazyString, str], ...]] = (  # roles, path, words, icon
    (frozenset({"seller"}), "/seller", _l("Seller centre"), "leaf"),
    (frozenset({"station_manager", "station_clerk"}), "/station", _l("Desk of the station"), "home"),
    (frozenset({"charity_officer", "charity_approver"}), "/charity", _l("Charity desk"), "heart"),
    (frozenset({"bank_officer"}), "/bank", _l("Vouchers of the bank"), "bank"),
    (frozenset({"nominator", "verifier", "children_officer"}), "/children", _l("Children's cases"), "heart"),
    (frozenset({"programme_officer"}), "/programme", _l("Programme office"), "box"),
    (frozenset({"operator", "finance_operator", "auditor"}), "/operator", _l("Desk of the province"), "chart"),
)


@record
class Desk:
    path: str
    words: LazyString
    icon: str
    station: str = ""  # a station's code, where there is more than one to choose from
    station_name: str = ""


def desks_of(session: Session, visitor: Visitor) -> list[Desk]:
    """Every desk of a person; each station on its own where they work at several."""
    found = []
    for roles, path, words, icon in DESKS:
        scopes = sorted({(kind, scope) for role, kind, scope in visitor.grants if role in roles})
        stations = [scope for kind, scope in scopes if kind == "station"]
        if len(stations) > 1:
            names = names_of_stations()(session, stations)
            found += [Desk(path, words, icon, code, names.get(code, code)) for code in stations]
        elif scopes:
            found.append(Desk(path, words, icon))
    return found


def names_of_stations() -> NamesOfStations:
    """This floor knows no stations; app.py says who names them."""
    found: NamesOfStations = current_app.extensions["names_of_stations"]
    return found


def first_page(session: Session, visitor: Visitor) -> str:
    """Where to go after signing in, when nothing else was asked for."""
    found = desks_of(session, visitor)
    if not found:
        return url_for("accounts.show_account")
    return found[0].path if len(found) == 1 else url_for("accounts.show_desks")
