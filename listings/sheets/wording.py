"""Why a row or a sheet is refused, and what to do about it, in the reader's language."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import LazyString, lazy_gettext as _l

from listings.sheets.columns import BY_KEY
from marketplace.core.formats import language

Words = tuple[LazyString, LazyString]  # the reason, the remedy

OF_ROWS: Final[dict[str, Words]] = {
    "missing": (_l("This is empty."), _l("Fill it in, or leave the whole column out of the sheet to change nothing here.")),
    "missing_for_new": (_l("These goods are new, and this is missing."), _l("Fill it in. The template has every column.")),
    "no_key": (
        _l("There is neither an article number nor a code."),
        _l("Give these goods a number of your own, such as A001, and keep it."),
    ),
    "no_such_code": (
        _l("You have no goods with the code “%(typed)s”."),
        _l("Correct the code, or leave it empty where the goods are new."),
    ),
    "number_taken": (
        _l("Your number “%(typed)s” belongs to other goods, %(other)s."),
        _l("Give each kind of goods a number of its own."),
    ),
    "number_of_first": (
        _l("Several packs of the same goods share the number of the first pack."),
        _l("Leave the number empty in this row."),
    ),
    "said_by_first": (
        _l("What several packs of the same goods share stands in the row of the first pack."),
        _l("Write it there, and leave this cell empty."),
    ),
    "repeated": (_l("Row %(row)s is about the same goods."), _l("Keep one of the two rows.")),
    "length": (
        _l("It has %(now)s characters; %(least)s to %(most)s fit."),
        _l("Make it shorter or longer."),
    ),
    "not_whole": (_l("“%(typed)s” is no whole number."), _l("Enter a whole number, such as 20.")),
    "out_of_range": (_l("%(typed)s is not between %(least)s and %(most)s."), _l("Enter a number in between.")),
    "not_a_sum": (_l("“%(typed)s” is no sum."), _l("Enter a sum in yuan, such as 39.80.")),
    "finer_than_fen": (
        _l("“%(typed)s” has more than two decimals: nothing is smaller than a fen."),
        _l("Enter a sum in yuan, such as 39.80."),
    ),
    "price_range": (_l("A price is between ¥0.01 and ¥100,000."), _l("Correct the price.")),
    "no_category": (
        _l("There is no category “%(typed)s”."),
        _l("Choose one from the second page of the XLSX template."),
    ),
    "nearly_category": (
        _l("There is no category “%(typed)s”."),
        _l("Write one of these, if you mean it: %(like)s. The second page of the XLSX template has them all."),
    ),
    "unit": (_l("This pack weighs nothing, or far too much."), _l("Write it like 5斤箱, 500g×2袋, 30枚 or 礼盒.")),
    "no_weight": (_l("The pack does not say what it weighs."), _l("Fill in the column Net weight, in grams.")),
    "months": (
        _l("“%(typed)s” names no months."),
        _l("Write 9、10 or 9-11. Where Excel makes a date of it, set the cell to text first."),
    ),
    "tier_incomplete": (
        _l("The lower price needs both: from how many packs, and how much."),
        _l("Fill in both, or leave both empty."),
    ),
    "tier_of_least": (
        _l("Buyers take at least %(least)s of these anyway."),
        _l("Let the lower price begin with more packs than that."),
    ),
    "least_above_lower": (
        _l("A lower price begins with %(least)s packs already."),
        _l("Let fewer packs be enough, or let the lower price begin with more."),
    ),
    "paper_parts": (
        _l("“%(typed)s” is not kind, name and number of a paper."),
        _l("Write it like 有机：有机小米：CN-123, and semicolons between several."),
    ),
    "paper_kind": (_l("“%(typed)s” is no kind of paper."), _l("Choose one of these: %(kinds)s.")),
    "too_many_papers": (_l("That would be %(now)s papers."), _l("At most %(most)s papers fit.")),
    "tier_not_lower": (
        _l("The lower price is not lower than the price."),
        _l("A larger quantity should cost less per pack: correct one of the two."),
    ),
    "formula": (
        _l("There is a formula here without a result, or with an error."),
        _l("Copy the cell and paste it as a value."),
    ),
    "merged": (_l("This cell is merged with its neighbours."), _l("Take the merged cells apart and fill in each.")),
    "stock_moved": (
        _l("There were %(seen)s in the sheet; now there are %(now)s, since some were sold or came back."),
        _l("Count again. Then write how many there are, and empty the column Stock when exported."),
    ),
    "held": (_l("%(held)s of these are in orders already."), _l("Enter at least so many.")),
    "not_a_draft": (
        _l("Kind, way of packing and pictures do not change by a sheet once goods are for sale."),
        _l("Leave this as it was. It is changed on the page of these goods."),
    ),
    "with_the_station": (_l("The station is looking at these goods."), _l("Wait for its answer, then try again.")),
    "suspended": (_l("The province has taken these goods off sale."), _l("Talk to your station.")),
    "no_zip": (
        _l("Pictures are named, but no ZIP came with the sheet."),
        _l("Send the ZIP as well, or empty this cell."),
    ),
    "no_such_picture": (
        _l("The ZIP has no picture “%(typed)s”."),
        _l("Write the name of the file exactly, with .jpg or .png at its end."),
    ),
    "unusable_picture": (
        _l("We cannot read the picture “%(typed)s”."),
        _l("JPEG, PNG and WebP are fine, at most 10 MB and 40 megapixels."),
    ),
    "too_many_pictures": (_l("That would be %(now)s pictures."), _l("At most %(most)s pictures fit.")),
    "gone": (_l("These goods are no longer there."), _l("Nothing needs to be done.")),
    "changed_since": (_l("This was changed since."), _l("Change it by hand, if you still want to.")),
    "edit_decided": (
        _l("The station has decided on this edit, or it was changed since."),
        _l("Edit the goods on their page, if you still want to."),
    ),
    "bought_since": (
        _l("Some were bought since: %(left)s are left, part of them in orders."),
        _l("Correct the stock by hand."),
    ),
}
AS_XLSX: Final = _l("In Excel or WPS choose “Save as” and “.xlsx”, then send it again.")
NEW_ZIP: Final = _l("Pack the pictures again as a plain ZIP, with nothing else in it.")
OF_SHEETS: Final[dict[str, Words]] = {
    "empty": (_l("The file is empty."), _l("Fill in the template and send it again.")),
    "no_rows": (_l("Below the headings there is nothing."), _l("Fill in a row for each kind of goods.")),
    "no_heading": (
        _l("We do not find the headings of the columns."),
        _l("Use the template, and keep its first row."),
    ),
    "no_key_column": (
        _l("There is neither a column Article number nor a column Code."),
        _l("Add a column with a number of your own for each kind of goods."),
    ),
    "column_twice": (_l("The column “%(column)s” is there twice."), _l("Keep one of the two.")),
    "too_many_rows": (
        _l("There are %(rows)s rows; at most %(most)s fit."),
        _l("Make several sheets of it."),
    ),
    "spans_too_much": (
        _l("The sheet reaches very far to the right or down."),
        _l("Copy the rows into a fresh template."),
    ),
    "open_quote": (
        _l("In row %(row)s a quotation mark is opened and never closed, so that the rows below it would be lost."),
        _l("Close it, or take it away. The file may also have been cut off: then save it again."),
    ),
    "old_excel": (_l("This is an old Excel file, or one with a password."), AS_XLSX),
    "encoding": (_l("We cannot read the letters of this file."), AS_XLSX),
    "not_a_sheet": (_l("This is no sheet."), _l("XLSX and CSV files can be read.")),
    "broken": (_l("The file is broken."), AS_XLSX),
    "failed": (_l("We could not read this file."), AS_XLSX),
    "zip_broken": (_l("The ZIP of pictures is broken."), NEW_ZIP),
    "zip_members": (_l("The ZIP has too many files."), _l("At most 1,000 pictures fit in one ZIP.")),
    "zip_unpacked": (_l("The ZIP holds too much."), _l("Send fewer pictures at once, or smaller ones.")),
    "zip_large_member": (_l("A file in the ZIP is too large."), _l("A picture may have at most 10 MB.")),
    "zip_ratio": (_l("Something in the ZIP is packed far too densely for a picture."), NEW_ZIP),
    "zip_locked": (_l("The ZIP has a password, or is packed in an unusual way."), NEW_ZIP),
    "zip_names": (_l("The ZIP has files with paths that lead out of it."), NEW_ZIP),
}


def heading(column: str) -> str:
    """As it stands on a sheet in the reader's language."""
    found = BY_KEY.get(column)
    if found is None:
        return column
    return found.en if language() == "en" else found.zh


def told(problem: Mapping[str, Any]) -> tuple[str, str]:
    """Reason and remedy of what is wrong with a row or with a whole sheet."""
    reason, remedy = (OF_ROWS | OF_SHEETS)[problem["code"]]
    values = dict(problem["values"])
    if "column" in values:
        values["column"] = heading(str(values["column"]))
    return str(reason) % values if values else str(reason), str(remedy) % values if values else str(remedy)
