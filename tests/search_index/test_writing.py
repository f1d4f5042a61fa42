"""Changes: found at once, whole or not at all, and never in the way of those who search."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from search_index import Document, IndexBusy, IndexUnavailable, Query, layout, open_index, open_writer, whoosh_reader
from search_index.whoosh_reader import WhooshIndex
from tests.search_index.catalogue import documents
from tests.tiers import in_full

SOME = documents()[:40]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def looking_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whoosh_reader, "LOOK_EVERY", 0.0)


def titled(code: str, title: str) -> Document:
    return replace(SOME[0], code=code, title_zh=title)


def count(index: WhooshIndex) -> int:
    return index.search(Query()).total


@pytest.fixture
def index(tmp_path: Path) -> Iterator[WhooshIndex]:
    open_writer(tmp_path).rebuild(SOME)
    opened = WhooshIndex(tmp_path)
    yield opened
    opened.close()


def test_what_is_put_in_is_found_and_what_is_taken_out_is_not(index: WhooshIndex) -> None:
    before = index.generation()

    generation = open_writer(index.folder).update([titled("N1", "紫皮大蒜")], removed_codes=["P0001", "not there"])

    assert index.generation() == generation > before
    assert index.search(Query(text="紫皮大蒜")).codes[0] == "N1"
    assert index.search(Query(text="zipi dasuan")).codes[0] == "N1"
    assert "P0001" not in index.search(Query(per_page=100)).codes
    assert count(index) == len(SOME)


def test_a_new_version_takes_the_place_of_the_old(index: WhooshIndex) -> None:
    open_writer(index.folder).update([titled("P0002", "紫皮大蒜")])

    assert count(index) == len(SOME)
    assert index.search(Query(text="紫皮大蒜")).exact == 1


def test_many_small_changes_leave_few_segments(index: WhooshIndex) -> None:
    writer = open_writer(index.folder)
    for number in range(30):
        writer.update([titled(f"N{number}", f"新货{number}")])

    assert index.check().segments <= 8
    writer.tidy()
    assert index.check().segments <= 3
    assert count(index) == len(SOME) + 30


def test_files_of_replaced_segments_are_let_go(index: WhooshIndex) -> None:
    writer = open_writer(index.folder)
    count(index)
    opened = len(os.listdir("/proc/self/fd"))

    for number in range(40):
        writer.update([titled("N1", f"新货{number}")])
        count(index)

    assert len(os.listdir("/proc/self/fd")) <= opened + 8


def test_an_update_amid_a_rebuild_is_not_lost(index: WhooshIndex) -> None:
    def slowly() -> Iterator[Document]:
        yield from SOME[:20]
        open_writer(index.folder).update([titled("N1", "紫皮大蒜")], removed_codes=["P0030"])
        assert index.search(Query(text="紫皮大蒜")).codes[0] == "N1"  # at once, in the old index
        yield from SOME[20:]

    told: list[int] = []
    open_writer(index.folder).rebuild(slowly(), told.append)

    assert index.search(Query(text="紫皮大蒜")).codes[0] == "N1"
    assert "P0030" not in index.search(Query(per_page=100)).codes
    assert told[-1] == len(SOME)
    assert [path.name for path in index.folder.glob("index-*")] == [layout.read_current(index.folder).name]


def test_a_rebuild_that_fails_leaves_everything_as_it_was(index: WhooshIndex) -> None:
    def broken() -> Iterator[Document]:
        yield from SOME[:20]
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        open_writer(index.folder).rebuild(broken())

    assert count(index) == len(SOME)
    open_writer(index.folder).rebuild(SOME[:10])
    assert count(index) == 10


@pytest.mark.full
def test_searching_goes_on_while_others_write(index: WhooshIndex) -> None:
    done, failures = Event(), []

    def search() -> None:
        while not done.is_set():
            try:
                assert index.search(Query(text="小米")).hits
            except Exception as failure:
                failures.append(failure)
                return

    threads = [Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    writer = open_writer(index.folder)
    for number in range(15):
        writer.update([titled(f"N{number % 3}", f"新货{number}")])
    writer.rebuild(SOME)
    done.set()
    for thread in threads:
        thread.join()

    assert failures == []


def test_a_second_writer_waits_and_then_gives_up(index: WhooshIndex) -> None:
    with layout.locked(index.folder / "write.lock", 1), pytest.raises(IndexBusy):
        open_writer(index.folder, timeout=0.1).update(SOME[:1])


KILLED = """
import sys
from search_index import open_writer
from tests.search_index.catalogue import documents
writer = open_writer(sys.argv[1])
print("ready", flush=True)
for turn in range(1000):
    if sys.argv[2] == "rebuild":
        writer.rebuild(documents()[:40])
    else:
        writer.update(documents()[:40])
"""


@pytest.mark.parametrize("action", ["update", "rebuild"])
@pytest.mark.parametrize("after", [0.21, *in_full(0.05, 0.4)])
def test_a_killed_writer_leaves_an_index_to_read_and_to_write(index: WhooshIndex, action: str, after: float) -> None:
    victim = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(index.folder), action], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout and victim.stdout.readline() == "ready\n"
    time.sleep(after)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()

    assert count(index) == len(SOME)
    assert WhooshIndex(index.folder).check().documents == len(SOME)
    open_writer(index.folder, timeout=1).update([titled("N1", "紫皮大蒜")])
    assert index.search(Query(text="紫皮大蒜")).codes[0] == "N1"


def test_a_half_written_word_is_cut_off(index: WhooshIndex) -> None:
    lexicon = index.folder / layout.read_current(index.folder).name / layout.LEXICON
    with lexicon.open("a") as lines:
        lines.write('["w","半')

    assert WhooshIndex(index.folder).search(Query(text="小米")).hits
    open_writer(index.folder).update([titled("N1", "紫皮大蒜")])

    assert WhooshIndex(index.folder).search(Query(text="zipi dasuan")).codes[0] == "N1"


def test_a_lost_index_is_not_begun_with_what_changes(tmp_path: Path) -> None:
    absent = open_index(tmp_path / "absent")
    with pytest.raises(IndexUnavailable):
        absent.search(Query())

    writer = open_writer(tmp_path / "absent")
    with pytest.raises(IndexUnavailable):
        writer.update(SOME[:3])

    assert writer.complaint()
    with pytest.raises(IndexUnavailable):
        absent.search(Query())
    writer.rebuild(SOME)
    assert writer.complaint() == "" and absent.search(Query()).total == len(SOME)


def test_an_index_that_is_not_whole_is_not_read(index: WhooshIndex) -> None:
    """As versions before this one began them after a loss."""
    layout.write_current(index.folder, replace(layout.read_current(index.folder), is_whole=False))

    with pytest.raises(IndexUnavailable, match="was lost"):
        index.search(Query())
    with pytest.raises(IndexUnavailable, match="was lost"):
        open_writer(index.folder).update(SOME[:1])


def test_other_synonyms_ask_for_a_rebuild_but_all_goods_are_found(index: WhooshIndex) -> None:
    layout.write_current(index.folder, replace(layout.read_current(index.folder), fingerprint=1))

    assert "synonyms" in open_writer(index.folder).complaint()
    assert count(index) == len(SOME)


def test_a_missing_file_is_complained_of(index: WhooshIndex) -> None:
    next(index.folder.glob("*/*.seg")).unlink()

    assert open_writer(index.folder).complaint()
