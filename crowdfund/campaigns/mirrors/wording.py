"""Why a file or a row cannot be taken, in the reader's language."""

from typing import Final

from flask_babel import LazyString, lazy_gettext as _l

OF_FILES: Final[dict[str, LazyString]] = {
    "workbook": _l("This is a workbook. Open it, save it as CSV, and send that."),
    "no_heading": _l("No line names the order number, the time and the sum. Send the platform's export as it is."),
    "no_rows": _l("There is no gift in this file."),
    "too_many_rows": _l("The file has more than 200,000 rows. Export a shorter time, and send one file after the other."),
    "encoding": _l("The letters of this file cannot be read. Save it as CSV in UTF-8 or GBK."),
    "not_a_sheet": _l("This is no CSV file."),
    "gone": _l("The file lay here too long and was deleted. Please send it again."),
    "broken": _l("The file could not be read. Please send it again."),
}
OF_ROWS: Final[dict[str, LazyString]] = {
    "missing": _l("is empty"),
    "too_long": _l("is too long"),
    "rounded": _l("was rounded by a table program: send the file as the platform made it"),
    "time": _l("is no time"),
    "future": _l("has not come yet"),
    "sum": _l("is no sum in yuan"),
    "state": _l("is a word that we do not know: a gift that is neither paid nor returned is not counted"),
    "twice": _l("stands in the file twice, with different words"),
}
COLUMNS: Final[dict[str, LazyString]] = {
    "number": _l("Order number"),
    "time": _l("Time"),
    "sum": _l("Sum"),
    "anonymous": _l("Anonymous?"),
    "state": _l("State"),
}
STATES: Final[dict[str, LazyString]] = {
    "comparing": _l("being read"),
    "unreadable": _l("cannot be read"),
    "ready": _l("waits for your word"),
    "taking": _l("being taken"),
    "taken": _l("taken"),
    "dropped": _l("dropped"),
}


def told(problem: dict[str, str]) -> tuple[LazyString, LazyString, str]:
    """(column, what is wrong with it, what was written) of a row's problem."""
    return COLUMNS[problem["column"]], OF_ROWS[problem["code"]], problem["typed"]


def of_file(code: str) -> LazyString:
    return OF_FILES.get(code, OF_FILES["broken"])
