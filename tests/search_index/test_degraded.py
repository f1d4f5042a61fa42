"""Rubbish is answered, damage is named, and importing costs little."""

import gc
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from search_index import Backend, IndexUnavailable, Query, Sort, layout, open_index, open_writer
from tests.search_index.catalogue import documents
from tests.tiers import in_full

ROOT = Path(__file__).parents[2]
RUBBISH = [
    "",
    " ",
    "小" * 10_000,
    "x" * 10_000,
    "ab " * 3_000,
    "😀🌾🍐",
    "\0\x07\x1b[31m\u202e\u200b\ufeff",
    "小米 AND OR NOT * ? [TO] ~2 ^3 title:x \"' ((( )))",
    "'; DROP TABLE listing; --",
    "<script>alert(1)</script>",
    "%s %(x)s {0} ${jndi:x}",
    "../../etc/passwd",
    "0" * 400 + "元以下",
    "99999999999999999999kg",
    "\ud800",
    "ﷺ" * 50,
    "- . , / \\",
    "９９９９９９元以下",
]


@pytest.mark.parametrize("text", RUBBISH)
@pytest.mark.parametrize("exact_words", [False, True])
def test_rubbish_is_answered(index: Backend, text: str, exact_words: bool) -> None:
    answer = index.search(Query(text=text, exact_words=exact_words))

    assert answer.total >= len(answer.hits) >= 0
    assert len(index.suggest(text)) <= 8


opened = cache(open_index)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=60), sort=st.sampled_from(Sort), page=st.integers(-5, 10**9), month=st.integers(-3, 10**6))
def test_whatever_is_asked_is_answered(built: Path, text: str, sort: Sort, page: int, month: int) -> None:
    answer = opened(built).search(Query(text=text, sort=sort, page=page, in_season=month, price_max_fen=page))

    assert answer.total >= len(answer.hits)


def test_what_means_nothing_finds_nothing(index: Backend) -> None:
    assert index.search(Query(text="!!! ???")).total == 0
    assert index.search(Query(text="手机")).total == 0
    assert index.search(Query(text="")).total == len(documents())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh leaves a torn file to the collector
@pytest.mark.parametrize(
    "damage",
    [
        *("absent", "segment"),
        *in_full("no pointer", "pointer", "contents", "lexicon"),
    ],
)
def test_damage_has_a_name(tmp_path: Path, damage: str) -> None:
    if damage != "absent":
        open_writer(tmp_path).rebuild(documents()[:5])
        inside = tmp_path / layout.read_current(tmp_path).name
        match damage:
            case "no pointer":
                (tmp_path / "CURRENT").unlink()
            case "pointer":
                (tmp_path / "CURRENT").write_bytes(b"\x00\xff{")
            case "contents":
                next(inside.glob("*.toc")).write_bytes(b"torn")
            case "segment":
                next(inside.glob("*.seg")).write_bytes(b"torn" * 100)
            case "lexicon":
                (inside / layout.LEXICON).write_text("no json\n")
    index = open_index(tmp_path)

    for ask in (lambda: index.search(Query(text="小米")), lambda: index.suggest("小"), index.generation, index.check):
        with pytest.raises(IndexUnavailable):
            ask()

    gc.collect()

    open_writer(tmp_path).rebuild(documents()[:5])
    assert open_index(tmp_path).search(Query()).total == 5


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_torn_block_has_a_name(tmp_path: Path) -> None:
    open_writer(tmp_path).rebuild(documents()[:50])
    segment = next((tmp_path / layout.read_current(tmp_path).name).glob("*.seg"))
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b"W3Bl", b"torn"))

    with pytest.raises(IndexUnavailable):
        open_index(tmp_path).search(Query(text="小米"))
    with pytest.raises(IndexUnavailable):
        open_index(tmp_path).check()
    gc.collect()


def test_an_index_of_another_version_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_writer(tmp_path).rebuild(documents()[:5])
    monkeypatch.setattr(layout, "FORMAT", layout.FORMAT + 1)

    with pytest.raises(IndexUnavailable, match="another version"):
        open_index(tmp_path).search(Query())


def modules_after(code: str, *arguments: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return {module.split(".")[0] for module in run.stdout.split()}


def test_importing_loads_no_engine() -> None:
    assert modules_after("import search_index") & {"whoosh", "numpy", "pypinyin", "opencc", "rjieba"} == set()


def test_searching_loads_no_pinyin_tables(built: Path) -> None:
    code = "from search_index import *\nopen_index(sys.argv[1]).search(Query(text='qinzhou 小咪'))"

    assert modules_after(code, str(built)) & {"pypinyin", "opencc", "rjieba", "flask", "sqlalchemy"} == set()


@pytest.mark.parametrize("text", ["x", "小米", "xiaomi", "shanxi apples", "cheap millet", "10斤", "吉县", "9月", ""])
def test_an_empty_index_finds_nothing(tmp_path: Path, text: str) -> None:
    open_writer(tmp_path).rebuild([])
    empty = open_index(tmp_path)

    answer = empty.search(Query(text=text))
    empty.close()

    assert (answer.total, answer.codes) == (0, [])
