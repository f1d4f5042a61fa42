"""Changes made while a rebuild runs, written down to be repeated in the index that takes the old one's place."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from search_index.documents import Document, Measure, Place, Term

Change = tuple[list[Document], list[str]]


def note(path: Path, documents: Sequence[Document], removed_codes: Sequence[str]) -> None:
    """One change, one line."""
    line = json.dumps({"documents": [_packed(document) for document in documents], "removed": list(removed_codes)})
    with path.open("a", encoding="utf-8") as lines:
        lines.write(line + "\n")


def noted(path: Path) -> Iterator[Change]:
    """Every change in order. A last line without its end was never acknowledged and is left out."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            change = json.loads(line)
            yield [_unpacked(document) for document in change["documents"]], change["removed"]


def _packed(document: Document) -> dict[str, Any]:
    values = asdict(document)
    values["harvest_months"] = sorted(document.harvest_months)
    values["published_at"] = document.published_at and document.published_at.isoformat()
    return values


def _unpacked(values: dict[str, Any]) -> Document:
    values["categories"] = tuple(Term(**term) for term in values["categories"])
    values["county"] = Place(**values["county"])
    values["tags"] = tuple(values["tags"])
    values["measure"] = values["measure"] and Measure(values["measure"])
    values["harvest_months"] = frozenset(values["harvest_months"])
    values["published_at"] = values["published_at"] and datetime.fromisoformat(values["published_at"])
    return Document(**values)
