"""Writing the Whoosh index: one writer at a time, small commits beside the big segment, rebuilds aside."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_index import journal, layout
from search_index.analysis import analyse
from search_index.backend import IndexUnavailable, Progress
from search_index.documents import Document
from search_index.knowledge import fingerprint, knowledge
from search_index.layout import Current
from search_index.lexicon import Lexicon, Strength, append, mend
from search_index.pronunciation import readings, simplified, syllables
from search_index.schema import schema
from search_index.segments import list_segments, open_whoosh, try_opening

if TYPE_CHECKING:
    from whoosh.index import FileIndex

MOST_SEGMENTS = 6
PROGRESS_EVERY = 200
MEMORY_MB = 128


class WhooshWriter:
    """See `backend.Writer`. Keeps the words of the index in memory from one call to the next."""

    def __init__(self, folder: Path, timeout: float) -> None:
        self.folder = folder
        self.timeout = timeout
        self._lexicons: dict[str, Lexicon] = {}

    def update(self, documents: Iterable[Document], removed_codes: Iterable[str] = ()) -> int:
        documents, removed_codes = list(documents), list(removed_codes)
        with layout.locked(self.folder / "write.lock", self.timeout):
            current = layout.read_current(self.folder)
            if defect := layout.defect(current):
                raise IndexUnavailable(defect)
            index = open_whoosh(self.folder / current.name)
            self._change(current.name, index, documents, removed_codes, keep_small)
            if layout.is_locked(self.folder / "rebuild.lock"):
                journal.note(self.folder / "changes.jsonl", documents, removed_codes)
            return self._announce(current)

    def rebuild(self, documents: Iterable[Document], progress: Progress | None = None) -> int:
        changes = self.folder / "changes.jsonl"
        with layout.locked(self.folder / "rebuild.lock", self.timeout):
            with layout.locked(self.folder / "write.lock", self.timeout):
                changes.unlink(missing_ok=True)
                layout.remove_others(self.folder, {self._read_or_blank().name})
            current, index = self._begin()
            self._change(current.name, index, documents, (), keep_all, progress)
            with layout.locked(self.folder / "write.lock", self.timeout):
                for changed, removed in journal.noted(changes):
                    self._change(current.name, index, changed, removed, keep_small)
                replaced = self._read_or_blank()
                generation = self._announce(replace(current, generation=replaced.generation, is_whole=True))
                changes.unlink(missing_ok=True)
                layout.remove_others(self.folder, {current.name})
                self._lexicons = {name: known for name, known in self._lexicons.items() if name == current.name}
        return generation

    def complaint(self) -> str:
        with layout.locked(self.folder / "write.lock", self.timeout):  # a commit clears files away
            try:
                current = layout.read_current(self.folder)
                if complaint := layout.complaint(current):
                    return complaint
                try_opening(self.folder / current.name)
            except IndexUnavailable as error:
                return str(error)
        return ""

    def tidy(self) -> None:
        with layout.locked(self.folder / "write.lock", self.timeout):
            current = layout.read_current(self.folder)
            index = open_whoosh(self.folder / current.name)
            segments = list_segments(index)
            if len(segments) > MOST_SEGMENTS // 2 or any(is_half_empty(segment) for segment in segments):
                self._change(current.name, index, (), (), merge_down)
                self._announce(current)

    def _read_or_blank(self) -> Current:
        try:
            return layout.read_current(self.folder)
        except IndexUnavailable:
            return Current(0, "", layout.FORMAT, fingerprint(), False)

    def _begin(self) -> tuple[Current, "FileIndex"]:
        """An empty index in a folder of its own, with the words of the trade in its lexicon."""
        from whoosh.index import create_in

        name = layout.new_name()
        (self.folder / name).mkdir(parents=True)
        index = create_in(str(self.folder / name), schema())
        tables = [["r", ways, characters] for ways, characters in readings().items()]
        tables.append(["s", "".join(simplified()), "".join(simplified().values())])
        append(self.folder / name / layout.LEXICON, [*tables, *words_of_the_trade()])
        return Current(0, name, layout.FORMAT, fingerprint(), False), index

    def _announce(self, current: Current) -> int:
        changed = replace(current, generation=current.generation + 1)
        layout.write_current(self.folder, changed)
        return changed.generation

    def _change(
        self,
        name: str,
        index: "FileIndex",
        documents: Iterable[Document],
        removed_codes: Iterable[str],
        merge: Any,
        progress: Progress | None = None,
    ) -> None:
        """One commit: words first, so that no reader sees a document whose words it cannot look up."""
        lexicon = self._lexicon(name)
        path = self.folder / name / layout.LEXICON
        writer = index.writer(limitmb=MEMORY_MB, timeout=self.timeout)
        try:
            for code in removed_codes:
                writer.delete_by_term("code", code)
            done = 0
            for done, document in enumerate(documents, 1):
                analysed = analyse(document, lexicon.simplified)
                append(path, new_entries(lexicon, document, analysed.words, analysed.english))
                lexicon.read(path)
                if merge is not keep_all:
                    writer.delete_by_term("code", document.code)
                writer.add_document(**analysed.fields)
                if progress and done % PROGRESS_EVERY == 0:
                    progress(done)
        except BaseException:
            writer.cancel()
            raise
        writer.commit(mergetype=merge)
        if progress:
            progress(done)

    def _lexicon(self, name: str) -> Lexicon:
        path = self.folder / name / layout.LEXICON
        mend(path)
        lexicon = self._lexicons.setdefault(name, Lexicon())
        lexicon.read(path)
        return lexicon


@cache
def words_of_the_trade() -> tuple[list[Any], ...]:
    """With their sounds: what a new lexicon begins with."""
    return tuple(["w", word, " ".join(syllables(word)), Strength.NAME] for word in sorted(knowledge().words))


def new_entries(lexicon: Lexicon, document: Document, words: dict[str, Strength], english: set[str]) -> list[list[Any]]:
    """What the document teaches the lexicon."""
    entries: list[list[Any]] = []
    for word, strength in words.items():
        known = lexicon.words.get(word)
        if known is None or known.strength < strength:
            entries.append(["w", word, " ".join(syllables(word)), strength])
    entries += (["e", word] for word in sorted(english - lexicon.english))
    parent = None
    for term in document.categories:
        names = [term.code, parent, term.name_zh, term.name_en]
        known_category = lexicon.categories.get(term.code)
        if known_category is None or names != list(_values(known_category)):
            entries.append(["c", *names])
        parent = term.code
    place = list(_values(document.county))
    known_county = lexicon.counties.get(document.county.code)
    if known_county is None or place != list(_values(known_county)):
        entries.append(["p", *place])
    return entries


def _values(row: Any) -> Iterable[Any]:
    return (getattr(row, name) for name in row.__slots__)


def is_half_empty(segment: Any) -> bool:
    return bool(segment.deleted_count() * 2 > segment.doc_count_all())


def keep_all(_writer: Any, segments: list[Any]) -> list[Any]:
    """Merge nothing: the index is being built."""
    return segments


def keep_small(writer: Any, segments: list[Any]) -> list[Any]:
    """Merge the smallest segments once there are too many, leaving alone what is far bigger than those together."""
    if len(segments) <= MOST_SEGMENTS:
        return segments
    by_size = sorted(segments, key=lambda segment: segment.doc_count_all())
    total, count = 0, 0
    for count, segment in enumerate(by_size):
        if count >= MOST_SEGMENTS - 2 and segment.doc_count_all() > 2 * total:
            break
        total += segment.doc_count_all()
    return _merged(writer, by_size[:count], by_size[count:])


def merge_down(writer: Any, segments: list[Any]) -> list[Any]:
    """Merge all but the biggest; that too when the rest is a quarter of it, or half of it was replaced."""
    by_size = sorted(segments, key=lambda segment: segment.doc_count_all())
    rest, biggest = by_size[:-1], by_size[-1]
    if is_half_empty(biggest) or 4 * sum(segment.doc_count_all() for segment in rest) > biggest.doc_count_all():
        return _merged(writer, by_size, [])
    return _merged(writer, rest, [biggest])


def _merged(writer: Any, merge: Sequence[Any], keep: list[Any]) -> list[Any]:
    from whoosh.reading import SegmentReader

    for segment in merge:
        reader = SegmentReader(writer.storage, writer.schema, segment)
        writer.add_reader(reader)
        reader.close()
    return keep
