"""Orders placed and paid a second, through HTTP: `python -m benchmarks.orders [NUMBER]`, on SQLite and on PostgreSQL.

How it is measured says benchmarks/bursts.py. Also told: how long a gateway waits until its webhook is acknowledged
(benchmarks/webhooks.py)."""

import sys
from collections.abc import Callable
from typing import Final

from benchmarks import bursts, buying, webhooks
from benchmarks.bursts import CLIENTS, Deed, Result
from benchmarks.buying import Send
from benchmarks.places import Place, on_both
from benchmarks.replay import ROUNDS
from benchmarks.webhooks import Patience
from tests import peers

NUMBER: Final = 120


def measure(number: int = NUMBER, python: str = sys.executable) -> dict[str, Result]:
    """To be called between `peers.open_folder` and `peers.close_folder`."""
    return {name: of_place(start, python, number) for name, start in on_both(python)}


def of_place(start: Place, python: str, number: int = NUMBER) -> Result:
    return bursts.of_place(ORDERS, start, python, number)


def one(send: Send, variants: list[str], which: int) -> str:
    return buying.order(send, variants[which % len(variants)])


def patience(address: str, place: Place, one_more: Callable[[int], None]) -> dict[str, Patience]:
    alone = webhooks.acknowledged(address, place.webhook_secret)
    beside = webhooks.acknowledged(address, place.webhook_secret, one_more, CLIENTS)
    return {"alone": alone, "while orders are traded": beside}


ORDERS: Final = Deed(
    furnish=Place.fill_shelves,
    do=one,
    done='SELECT COUNT(*) FROM "order" WHERE paid_at IS NOT NULL',
    afterwards=patience,
)


def report(results: dict[str, Result]) -> list[str]:
    """The section of docs/benchmarks.md."""
    lines = [
        "## Orders",
        "",
        f"Placed and paid a second through HTTP: two web workers, the worker beside them, {CLIENTS} buyers at once."
        " Beside it, in turn with it, the SQL of such orders, sent once more through Core with as many commits: by as many"
        " clients on PostgreSQL, each in a database of its own; one after the other on SQLite, which has one writer."
        f" Medians of {ROUNDS} rounds; the goal is a ratio of 0.40.",
        "",
        *bursts.table("orders", results),
        "What the replay does without: five requests of a buyer (one draws the checkout's page), the cashier's own page and"
        " its four commits, a signed webhook over HTTP, and the worker's rounds through all its queues.",
        "",
        f"A signed webhook is acknowledged to one of {webhooks.SENDERS} senders who never pause; the goal is a p99 of at"
        " most ten times the p50.",
        "",
        "| database | meanwhile | p50 | p99 | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {name} | {what} | {told} |" for name, one in results.items() for what, told in one.afterwards.items()]
    return [*lines, ""]


def main() -> None:
    peers.open_folder()
    try:
        print("\n".join(report(measure(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER))))
    finally:
        peers.close_folder()


if __name__ == "__main__":
    main()
