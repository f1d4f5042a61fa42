"""How fast pages and deeds are and how much memory they take: `make bench`. Writes docs/benchmarks.md.

The same server (granian, two workers, nothing installed but requirements.txt) answers Flask's own constant, and the
marketplace with many goods on SQLite and on PostgreSQL: a stranger's page from the page cache, and pages made anew each
time. Then deeds of giving and whole orders, beside the SQL that they send (benchmarks/replay.py), webhooks, and the audit of
a large ledger; then what trade needs: sheets of goods, packing sheets, phones of stations, the weight of pages. Rounds
alternate, medians are told: other work may go on beside, so ratios of one run mean something, figures little."""

import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from typing import Final, TypeVar

from benchmarks import (
    auditing,
    claims,
    crowded_page,
    gifts,
    giving_day,
    idling,
    matching,
    orders,
    packing,
    replay,
    search,
    sheets,
    syncing,
    weights,
)
from benchmarks.load import requests_per_second
from benchmarks.places import Place, prepared
from benchmarks.serving import AS_RUN_SETS, ROOT, environment_in_earnest, megabytes, new_database, run, served, workers_of
from tests import peers

R = TypeVar("R")
GOODS: Final = int(os.environ.get("BENCH_GOODS", "20000"))
SECONDS: Final = int(os.environ.get("BENCH_SECONDS", "4"))
ROUNDS: Final = 3
PAST_THE_CACHE: Final = {"Cookie": "benchmark=1"}  # whoever has a cookie of their own gets a page of their own
PAGES: Final = {
    "category": "/categories/fruit",
    "product": "/listings/P0001",
    "search": "/search?q=%E5%B0%8F%E7%B1%B3",
    "home": "/",
}
GOALS: Final = {"from the page cache": 1.0, "category": 1 / 10, "product": 1 / 10, "search": 1 / 25, "home": 1 / 25}
DEEDS: Final = {"gifts on one hot campaign": gifts.measure, "claims: voucher, card, declaration": claims.measure}
FILL: Final = """
from benchmarks.catalogue import fill
from marketplace.core.db import in_transaction
from wsgi import app
with app.app_context():
    in_transaction(fill, count={count})
"""


def main(wanted: list[str]) -> int:
    """Each section is written once it is measured: an interrupted run goes on with `make bench ARGS="audit giving"`."""
    if unknown := set(wanted) - set(SECTIONS):
        sys.exit(f"There is {', '.join(SECTIONS)}; not {', '.join(sorted(unknown))}.")
    peers.open_folder()
    try:
        with environment_in_earnest() as python:
            for name in wanted or SECTIONS:
                print(f"measuring {name}")
                write("\n".join(SECTIONS[name](python)))
    finally:
        peers.close_folder()
    return 0


def write(section: str) -> None:
    """In the place of the section of docs/benchmarks.md that has the same heading."""
    document = ROOT / "docs" / "benchmarks.md"
    parts = re.split(r"(?m)^(?=#{1,2} )", document.read_text("utf-8") if document.exists() else "")
    headings = [part.partition("\n")[0] for part in parts]
    heading = section.partition("\n")[0]
    if heading in headings:
        parts[headings.index(heading)] = section
    else:
        parts.append(section)
    document.write_text("\n".join(part.strip("\n") + "\n" for part in parts if part.strip()), "utf-8")
    print(section)


def of_pages(python: str) -> list[str]:
    with served(python, "benchmarks.constant:app", {}) as (constant, _server):
        return report({name: measure(python, url, constant) for name, url in databases().items()})


def of_orders(python: str) -> list[str]:
    return orders.report(in_each_place(python, orders.of_place))


def of_audit(python: str) -> list[str]:
    return auditing.report(in_each_place(python, auditing.of_place))


def of_idling(python: str) -> list[str]:
    return idling.report(in_each_place(python, idling.of_place))


def of_giving(_python: str) -> list[str]:
    return replay.report({name: of_deed() for name, of_deed in DEEDS.items()})


def of_giving_day(python: str) -> list[str]:
    return giving_day.report(in_each_place(python, giving_day.of_place))


def of_campaign_page(_python: str) -> list[str]:
    return crowded_page.report(crowded_page.measure())


def of_matching(_python: str) -> list[str]:
    return matching.report(matching.measure())


def of_search(_python: str) -> list[str]:
    return search.report({size: search.measure(size) for size in search.SIZES})


def of_sheets(_python: str) -> list[str]:
    return sheets.report(sheets.measure())


def of_packing(_python: str) -> list[str]:
    return packing.report(packing.measure())


def of_phones(_python: str) -> list[str]:
    return syncing.report(syncing.measure())


def of_weights(_python: str) -> list[str]:
    return weights.report(weights.measure())


SECTIONS: Final = {
    "pages": of_pages,
    "orders": of_orders,
    "audit": of_audit,
    "idling": of_idling,
    "giving": of_giving,
    "giving-day": of_giving_day,
    "campaign-page": of_campaign_page,
    "matching": of_matching,
    "search": of_search,
    "sheets": of_sheets,
    "packing": of_packing,
    "phones": of_phones,
    "weights": of_weights,
}


def databases() -> dict[str, str]:
    return {"SQLite": "", "PostgreSQL": new_database()}


def in_each_place(python: str, measured: Callable[[Place, str], R]) -> dict[str, R]:
    """By database, beginning with the demonstration."""
    found = {}
    for name, url in databases().items():
        with prepared(python, url) as start:
            found[name] = measured(start, python)
    return found


def measure(python: str, database: str, constant: str) -> dict[str, float]:
    """Medians: requests per second for each page, the constant beside them, and megabytes of a web process."""
    with tempfile.TemporaryDirectory() as data:
        given = {"DATA": data, "DATABASE_URL": database, "APP_ENV": "demo"} | AS_RUN_SETS
        for command in (["-m", "flask", "--app", "wsgi", "prepare"], ["-c", FILL.format(count=GOODS)]):
            run(python, command, given)
        run(python, ["-m", "flask", "--app", "wsgi", "search", "rebuild"], given)
        with served(python, "wsgi:app", given) as (shop, server):
            for page in PAGES.values():  # both workers have opened what they need
                requests_per_second(shop + page, 1, **PAST_THE_CACHE)
            rounds = [one_round(shop, constant) for _ in range(ROUNDS)]
            memory = max(megabytes(pid) for pid in workers_of(server))
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]} | {"memory": memory}


def one_round(shop: str, constant: str) -> dict[str, float]:
    """The constant is asked before and after, so that what else the machine does weighs on both sides."""
    before = requests_per_second(constant + "/", SECONDS)
    found = {"from the page cache": requests_per_second(shop + PAGES["category"], SECONDS)}
    for name, page in PAGES.items():
        found[name] = requests_per_second(shop + page, SECONDS, **PAST_THE_CACHE)
    after = requests_per_second(constant + "/", SECONDS)
    return {"constant": (before + after) / 2} | found


def report(results: dict[str, dict[str, float]]) -> list[str]:
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench`. {GOODS:,} goods, granian with 2 workers of 4 threads, 16 connections"
        f" ({'wrk' if shutil.which('wrk') else 'own client'}), {os.cpu_count()} cores, Python {platform.python_version()};"
        f" medians of {ROUNDS} rounds of {SECONDS} s. Read the ratios: figures are of one machine, with other work beside.",
        "",
        "| page | " + " | ".join(f"{name}: per second | ratio to the constant" for name in results) + " | goal |",
        "| --- | " + "--- | --- | " * len(results) + "--- |",
        "| Flask answering a constant | " + " | ".join(f"{one['constant']:,.0f} | 1" for one in results.values()) + " | |",
    ]
    for page, goal in GOALS.items():
        cells = [f"{one[page]:,.0f} | {one[page] / one['constant']:.2f}" for one in results.values()]
        lines.append(f"| {page} | " + " | ".join(cells) + f" | {goal:.2f} |")
    memory = ", ".join(f"{one['memory']:.0f} MB on {name}" for name, one in results.items())
    lines += ["", f"Memory of a web process after it (resident): {memory}; the goal is under 150 MB.", ""]
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
