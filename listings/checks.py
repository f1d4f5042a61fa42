"""What a station found when it checked goods, as figures that can be told in any language."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

MEASURED: Final[dict[str, LazyString]] = {  # `_tenths` count tenths of the unit
    "altitude_m": _l("grown at %(value)s m"),
    "sugar_tenths": _l("sugar %(value)s °Brix"),
    "moisture_tenths": _l("moisture %(value)s%%"),
    "impurity_tenths": _l("impurities %(value)s%%"),
    "acid_tenths": _l("acid value %(value)s mg/g"),
    "acidity_tenths": _l("acidity %(value)s g/100 ml"),
    "baume_tenths": _l("%(value)s °Baumé"),
}
SEEN: Final[dict[tuple[str, int], LazyString]] = {
    ("residue_found", 0): _l("no pesticide residue found"),
    ("sulphur_found", 0): _l("not treated with sulphur"),
    ("quarantine_seen", 1): _l("quarantine certificate checked"),
    ("lamp_checked", 1): _l("every egg candled"),
    ("seen_one_by_one", 1): _l("every piece inspected"),
    ("label_checked", 1): _l("label, date and seal checked"),
}


def sentences(findings: Mapping[str, int]) -> list[str]:
    """The findings in the reader's language, in the order they were written down; unknown ones are left out."""
    return [words for name, figure in findings.items() if (words := sentence(name, figure))]


def sentence(name: str, figure: int) -> str:
    if name in MEASURED:
        value = f"{figure // 10}.{figure % 10}" if name.endswith("_tenths") else f"{figure:,}"
        return str(MEASURED[name] % {"value": value})
    return str(SEEN.get((name, figure), ""))
