"""How fast goods are found: `python -m benchmarks.search [documents ...]`, by default 1,000 and 20,000.

Prints medians and the ratio to asking the same index for nothing but its facets; figures of one run on one machine are
comparable with each other only.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from search_index import Document, Query, Sort, open_index, open_writer
from search_index.evaluation import read_judgements
from tests.search_index.catalogue import documents

SIZES = (1_000, 20_000)
ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests/search_index/data"
LANDS = "坡沟湾岭塬洼峪坪梁庄堡寨河泉店"
LIVES = "东西南北上下前后新老大小青黄白红石柳槐桃杏枣松马牛羊"


def generated(count: int, seed: int = 7) -> Iterator[Document]:
    """Goods like the demonstration's from other villages and at other prices."""
    chance = random.Random(seed)
    patterns = documents()
    for number in range(count):
        pattern, place = chance.choice(patterns), chance.choice(patterns).county
        village = chance.choice(LIVES) + chance.choice(LIVES) + chance.choice(LANDS)
        price = max(100, int(pattern.price_fen * chance.uniform(0.6, 1.8)))
        yield replace(
            pattern,
            code=f"G{number:06d}",
            title_zh=f"{village}{pattern.title_zh}",
            county=place,
            price_fen=price,
            measure_price_fen=(pattern.measure_price_fen or 100) * price // pattern.price_fen,
            seller=f"{village}村",
            sales=int(chance.expovariate(0.01)),
            in_stock=chance.random() > 0.1,
        )


def questions() -> list[Query]:
    """The judged texts with the filters and orders people add to them."""
    chance = random.Random(11)
    texts = [judged.text for name in ("own", "search") for judged in read_judgements(DATA / f"{name}_judgements.csv")]
    asked = [Query(text=text) for text in texts]
    asked += [Query(text=text, categories=frozenset({"grain"}), price_max_fen=5000) for text in texts[::3]]
    asked += [Query(text=text, in_stock=True, sort=Sort.UNIT_PRICE, page=2) for text in texts[::3]]
    asked += [Query(text=text, geographical_indication=True, in_season=10) for text in texts[::4]]
    chance.shuffle(asked)
    return asked


def milliseconds(action: object, *arguments: object) -> float:
    begin = time.perf_counter()
    action(*arguments)  # type: ignore[operator]
    return (time.perf_counter() - begin) * 1000


def reader_megabytes(folder: str) -> float:
    """What searching costs a process that has NumPy already, after all questions were asked."""
    code = (
        "import sys, numpy, psutil\n"
        "used = lambda: psutil.Process().memory_info().rss / 2**20\n"
        "from search_index import Query, open_index\n"
        "before, index = used(), open_index(sys.argv[1])\n"
        "[index.search(Query(text=text)) for text in sys.stdin.read().splitlines()]\n"
        "print(used() - before)"
    )
    texts = "\n".join(query.text for query in questions())
    command = [sys.executable, "-c", code, folder]
    run = subprocess.run(command, cwd=ROOT, input=texts, capture_output=True, text=True, check=True)
    return float(run.stdout)


def measure(count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        writer, goods = open_writer(folder), list(generated(count))
        build = milliseconds(writer.rebuild, goods) / 1000
        index = open_index(folder)
        opening = milliseconds(index.search, Query())
        browsing = statistics.median(milliseconds(index.search, Query()) for _ in range(20))
        first = sorted(milliseconds(index.search, query) for query in questions())
        again = sorted(milliseconds(index.search, query) for query in questions())
        typing = sorted(milliseconds(index.suggest, text) for text in ("x", "xm", "xiaomi", "小", "hong", "h", "苹果") * 4)
        single = sorted(milliseconds(writer.update, [replace(goods[n], price_fen=990)]) for n in range(12))
        memory = reader_megabytes(folder)
        many = milliseconds(writer.update, [replace(one, price_fen=880) for one in goods[:200]])
    return {
        "build, documents a second": count / build,
        "first question of a process, ms": opening,
        "facets alone, p50 ms": browsing,
        "new words, p50 ms": first[len(first) // 2],
        "new words, p95 ms": first[int(len(first) * 0.95)],
        "words asked before, p50 ms": again[len(again) // 2],
        "words asked before, p95 ms": again[int(len(again) * 0.95)],
        "suggestions, p95 ms": typing[int(len(typing) * 0.95)],
        "one update, median ms": single[len(single) // 2],
        "200 updates in one commit, ms": many,
        "memory a reading process adds, MB": memory,
    }


def report(columns: dict[int, dict[str, float]]) -> list[str]:
    """The section of docs/benchmarks.md, by number of goods."""
    lines = [
        "## Finding",
        "",
        "The index alone, in one process; the ratio is to the median of an answer that counts facets and reads no words.",
        "",
        "| search |" + "".join(f" {size:,} goods | ratio to facets |" for size in columns),
        "| --- |" + " --- | --- |" * len(columns),
    ]
    for name in next(iter(columns.values())):
        cells = ""
        for column in columns.values():
            ratio = f"{column[name] / column['facets alone, p50 ms']:.1f}" if name.endswith("ms") else ""
            cells += f" {column[name]:,.1f} | {ratio} |"
        lines.append(f"| {name} |{cells}")
    return [*lines, ""]


if __name__ == "__main__":
    print("\n".join(report({int(size): measure(int(size)) for size in sys.argv[1:] or SIZES})))
