"""What Whoosh keeps of a document. Whoosh stores terms and columns; what they are worth is decided in `scoring`.

Works alike with whoosh3 and whoosh-reloaded (both are imported as `whoosh`): no numeric field, no range, no phrase.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from search_index.documents import LONGEST_CODE, Document, Measure

if TYPE_CHECKING:
    from whoosh.fields import Schema

TITLE = "title"  # words of the title
GRAMS = "grams"  # single characters and pairs of the title
HEAD = "head"  # ends of what the title is about: 蒲县小米醋 is a 醋, a 小米醋, no 小米
KEYS = "keys"  # tags, categories, unit
PLACE = "place"
BODY = "body"
ENGLISH = "english"
TEXTS = (TITLE, GRAMS, HEAD, KEYS, PLACE, BODY, ENGLISH)

GEOGRAPHICAL_INDICATION, DEEP_POVERTY, PICKUP, IN_STOCK = 1, 2, 4, 8
MEASURES = (None, Measure.WEIGHT, Measure.VOLUME, Measure.PIECE)
FACTS = np.dtype(
    [
        ("code", f"S{LONGEST_CODE}"),
        ("category", f"S{LONGEST_CODE}"),
        ("county", f"S{LONGEST_CODE}"),
        ("price", "<i8"),
        ("measure_price", "<i8"),
        ("measure", "u1"),
        ("flags", "u1"),
        ("months", "<u2"),
        ("sales", "<i8"),
        ("published", "<f8"),
        ("length", "u1"),
    ]
)
NUMBERS = ("price", "measure_price", "measure", "flags", "months", "sales", "published", "length")


def schema() -> "Schema":
    from whoosh.analysis.tokenizers import SpaceSeparatedTokenizer
    from whoosh.columns import FixedBytesColumn
    from whoosh.fields import COLUMN, ID, TEXT, Schema

    column_type: Any = FixedBytesColumn
    column = column_type(FACTS.itemsize)
    words = {name: TEXT(analyzer=SpaceSeparatedTokenizer(), phrase=False) for name in TEXTS}
    return Schema(code=ID(unique=True), facts=COLUMN(column), **words)


def facts(document: Document, length: int) -> bytes:
    """The numbers of a document in one fixed-width record, so that a whole segment of them is one array."""
    record = np.zeros((), FACTS)
    record["code"] = document.code.encode()
    record["category"] = document.categories[-1].code.encode()
    record["county"] = document.county.code.encode()
    record["price"] = document.price_fen
    record["measure_price"] = document.measure_price_fen or 0
    record["measure"] = MEASURES.index(document.measure)
    record["flags"] = (
        GEOGRAPHICAL_INDICATION * document.has_geographical_indication
        + DEEP_POVERTY * document.is_deep_poverty
        + PICKUP * document.has_pickup
        + IN_STOCK * document.in_stock
    )
    record["months"] = sum(1 << month for month in document.harvest_months)
    record["sales"] = document.sales
    record["published"] = document.published_at.timestamp() if document.published_at else 0
    record["length"] = min(length, 255)
    return record.tobytes()
